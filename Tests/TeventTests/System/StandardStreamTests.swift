import CTestSupport
import Glibc
import TestSupport
import Tevent
import XCTest

/// A program that guards its standard streams; each test runs in its own process.
final class StandardStreamTests: EngineTestCase {
    func testTheNumbersOfClosedStreamsAreTakenAndUsingThemStillFails() throws {
        let result = try runInChild(self) {
            for closed in [[0], [1], [2], [0, 1], [1, 2], [0, 1, 2]] as [[Int32]] {
                let copies = closed.map { fcntl($0, F_DUPFD_CLOEXEC, 100) }
                for descriptor in closed { Glibc.close(descriptor) }
                SystemIO.guardStandardStreams()
                let file = open("/dev/null", O_RDWR)
                var byte: UInt8 = 0
                let works = closed.map { $0 == 0 ? Glibc.read(0, &byte, 1) : Glibc.write($0, &byte, 1) }
                let isInherited = closed.allSatisfy { fcntl($0, F_GETFD) == 0 }
                for (descriptor, copy) in zip(closed, copies) { dup2(copy, descriptor) }
                guard file > 2, works.allSatisfy({ $0 < 0 }), isInherited else {
                    fail("without \(closed): \(file), \(works), \(isInherited)")
                }
            }
        }
        XCTAssertEqual(result.exitCode, 0, result.stderr)
    }

    func testOpenStreamsStayWhatTheyAre() throws {
        let result = try runInChild(self) {
            let before = (0..<100).map(target)
            SystemIO.guardStandardStreams()
            guard (0..<100).map(target) == before else { fail("\((0..<100).map(target))") }
            print("all is well")
        }
        XCTAssert(result.stdout.hasSuffix("all is well\n"), result.stdout)
        XCTAssertEqual(result.stderr, "")
        XCTAssertEqual(result.exitCode, 0)
    }

    func testOutputThatCannotBeWrittenChangesTheExitCode() throws {
        let result = try runInChild(self) {
            SystemIO.guardStandardStreams()
            printTo(open("/dev/full", O_WRONLY), "lost")
            exit(7)
        }
        assertSays("No space left on device", result)
    }

    func testALineThatIsLostOnTheWayIsNotedThoughTheRestArrives() throws {
        let result = try runInChild(self) {
            let pipe = try SystemIO.pipe()
            SystemIO.guardStandardStreams()
            SystemIO.printLineByLine()
            printTo(pipe.writer, "arrives")
            _ = try fill(SystemIO.standardOutput)
            print("finds no room")
            while case .bytes = try SystemIO.read(pipe.reader, upTo: 65_536) {}
            print("arrives again")
            guard try read(pipe.reader) == "arrives again\n" else { fail("it did not") }
        }
        assertSays("some of it could not be written", result)
    }

    func testAProgramThatCatchesTheSignalEndsByItWhenItExits() throws {
        let result = try runInChild(self) {
            SystemIO.guardStandardStreams()
            try loseOutputAndGoOn()
        }
        XCTAssertEqual(result.signal, SIGPIPE)
        XCTAssertEqual(result.stderr, "goes on")
    }

    func testAProgramThatCatchesTheSignalAndPrintsLineByLineEndsByItWhenItExits() throws {
        let result = try runInChild(self) {
            SystemIO.guardStandardStreams()
            SystemIO.printLineByLine()
            try loseOutputAndGoOn()
        }
        XCTAssertEqual(result.signal, SIGPIPE)
        XCTAssertEqual(result.stderr, "goes on")
    }

    func testAnEventThatCatchesTheSignalAlreadyStaysInPlace() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            var count = 0
            try events.addSignal(.pipe) { _, _ in count += 1 }
            SystemIO.guardStandardStreams()
            Signal.pipe.raise()
            events.maximumWait = .zero
            try events.loopWait()
            guard count == 1 else { fail("told \(count) times") }
            events.free()
        }
        XCTAssertEqual(result.exitCode, 0, result.stderr)
    }

    func testASignalThatWasIgnoredIsNotIgnoredAnyMore() throws {
        let result = try runInChild(self) {
            test_set_disposition(SIGPIPE, 1)
            SystemIO.guardStandardStreams()
            Signal.pipe.raise()
        }
        XCTAssertEqual(result.signal, SIGPIPE)
    }

    private func loseOutputAndGoOn() throws {
        let pipe = try SystemIO.pipe()
        let events = try EventContext()
        defer { events.free() }
        var count = 0
        try events.addSignal(.pipe) { _, _ in count += 1 }
        printTo(pipe.writer, "arrives")
        fflush(nil)
        SystemIO.close(pipe.reader)
        print("is lost")
        fflush(nil)
        events.maximumWait = .zero
        try events.loopWait()
        guard count == 1 else { fail("told \(count) times") }
        _ = try SystemIO.write(SystemIO.standardError, "goes on".utf8)
    }

    func testABlockedSignalLeavesItsExitCode() throws {
        let result = try runInChild(self) {
            let pipe = try SystemIO.pipe()
            SystemIO.guardStandardStreams()
            var set = sigset_t()
            sigemptyset(&set)
            sigaddset(&set, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &set, nil)
            SystemIO.close(pipe.reader)
            printTo(pipe.writer, "is lost")
        }
        XCTAssertEqual(result.exitCode, 128 + SIGPIPE)
        XCTAssertEqual(result.stderr, "")
    }

    // MARK: In the child

    /// Prints a line to a descriptor, which becomes standard output.
    private func printTo(_ descriptor: Int32, _ line: String) {
        fflush(nil)
        dup2(descriptor, SystemIO.standardOutput)
        SystemIO.close(descriptor)
        print(line)
    }

    private func fail(_ message: String) -> Never {
        _ = try? SystemIO.write(SystemIO.standardError, message.utf8)
        _exit(2)
    }

    private func assertSays(_ reason: String, _ result: ProgramResult, line: UInt = #line) {
        let program = CommandLine.arguments[0].split(separator: "/").last ?? ""
        XCTAssertEqual(result.stderr, "\(program): standard output: \(reason)\n", line: line)
        XCTAssertEqual(result.exitCode, 1, line: line)
    }
}
