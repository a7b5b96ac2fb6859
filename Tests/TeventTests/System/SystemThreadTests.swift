import CTestSupport
import Foundation
import Talloc
import TestSupport
import Tevent
import XCTest

/// Threads of the operating system: what happens to their results, and to the threads.
final class SystemThreadTests: EngineTestCase {
    private struct Mistake: Error, Equatable {}

    // MARK: The result

    func testJoiningGivesTheResult() throws {
        let here = thisThread()
        let thread = try SystemThread(named: "result") { (21 * 2, thisThread() != here) }
        let (number, isAnother) = try thread.join()
        XCTAssertEqual(number, 42)
        XCTAssertTrue(isAnother)
    }

    func testJoiningThrowsWhatTheThreadThrew() throws {
        let thread = try SystemThread(named: "error") { throw Mistake() }
        for _ in 0..<2 {
            XCTAssertThrowsError(try thread.join()) { XCTAssertEqual($0 as? Mistake, Mistake()) }
        }
    }

    func testJoiningAgainGivesTheSame() throws {
        let thread = try SystemThread(named: "twice") { "word" }
        XCTAssertEqual(try thread.join(), "word")
        XCTAssertEqual(try thread.join(), "word")
    }

    func testSeveralThreadsMayJoinOne() throws {
        for _ in 0..<20 {
            let isReleased = SharedCount()
            let thread = try SystemThread(named: "joined") {
                waitUntil { isReleased.value == 1 }
                return 7
            }
            let joiners = try (0..<3).map { number in
                try SystemThread(named: "joiner \(number)") { try thread.join() }
            }
            isReleased.add()
            XCTAssertEqual(try thread.join(), 7)
            for joiner in joiners { XCTAssertEqual(try joiner.join(), 7) }
        }
    }

    func testJoiningItselfIsATrapAndNotADeadlock() throws {
        let result = try runInChild(self) {
            final class Place: @unchecked Sendable { var thread: SystemThread<Void>? }
            let (place, isSet) = (Place(), SharedCount())
            place.thread = try SystemThread(named: "self") {
                waitUntil { isSet.value == 1 }
                try place.thread?.join()
            }
            isSet.add()
            // Not joined by this thread, which would be waiting for it.
            waitUntil { false }
        }
        assertTrapped(
            result, saying: "a thread tried to join itself, and would wait forever; join it from another one")
    }

    func testWhatTheFunctionCapturedIsReleasedByTheThread() throws {
        let log = SharedLog()
        let alive = SharedCount()
        let thread = try SystemThread(
            named: "capture",
            { [cargo = Cargo(0, alive) { log.add("\(thisThread())") }] in "\(thisThread()) \(cargo.number)" })
        XCTAssertEqual("\(try thread.join())", "\(log.all.first ?? "no thread") 0")
        XCTAssertEqual(alive.value, 0)
    }

    // MARK: Names

    func testItsNameIsWhatTheSystemKeepsOfIt() throws {
        func name(of given: String) throws -> String {
            try SystemThread(named: given) {
                try String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
            }.join().trimmingCharacters(in: .newlines)
        }
        XCTAssertEqual(try name(of: "short"), "short")
        XCTAssertEqual(try name(of: "fifteen letters"), "fifteen letters")
        XCTAssertEqual(try name(of: "fifteen letters and more"), "fifteen letters")
    }

    func testALetterThatIsCutInTheMiddleDoesNotTakeTheNameAway() throws {
        let bytes = try SystemThread(named: "vierzehn Byte\u{e9}\u{e9}") {
            // Half a character is not text.
            try Data(contentsOf: URL(filePath: "/proc/thread-self/comm"))
        }.join()
        XCTAssertTrue(bytes.starts(with: Data("vierzehn Byte\u{e9}".utf8)), "\(Array(bytes))")
    }

    // MARK: Its end

    func testThreadsThatAreNotJoinedLeaveNothingBehind() throws {
        let before = addressSpace()
        let (count, done) = (400, SharedCount())
        for index in 0..<count {
            _ = try SystemThread(named: "alone") { done.add() }
            // A few at a time.
            waitUntil { done.value > index - 4 }
        }
        waitUntil { done.value == count }
        // Each has a stack of 8 MB; the system keeps a few for later.
        XCTAssertLessThan(addressSpace() - before, 1_500_000, "kilobytes")
    }

    /// Kilobytes of address space that the process uses.
    private func addressSpace() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmSize:") }
        return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }

    func testAThreadThatTheSystemHasNoRoomForIsAnErrorAndItsFunctionIsReleased() throws {
        let result = try runInChild(self) {
            // No machine has that much address space for a stack.
            guard test_set_stack_size(1 << 50) == 0 else { return print("no such size") }
            let alive = SharedCount()
            let refusal = failure { () throws -> Void in
                let cargo = Cargo(alive)
                _ = try SystemThread(named: "refused") { XCTFail("\(cargo)") }
            }
            print("\(refusal.map { "\($0)" } ?? "none"), \(alive.value) left")
        }
        XCTAssertTrue(
            result.stdout.contains("pthread_create failed: Resource temporarily unavailable, 0 left"),
            result.stdout + result.stderr)
        XCTAssertEqual(result.exitCode, 0)
    }

    // MARK: Processors

    func testTheProcessorsAThreadMayUseAreCounted() throws {
        let all = Processors.available
        XCTAssertGreaterThanOrEqual(all, 1)
        XCTAssertLessThanOrEqual(all, sysconf(Int32(_SC_NPROCESSORS_CONF)))
        let one = try SystemThread(named: "pinned") {
            XCTAssertEqual(test_use_one_processor(), 0)
            return Processors.available
        }
        XCTAssertEqual(try one.join(), 1)
        XCTAssertEqual(Processors.available, all, "the others are not pinned")
    }
}
