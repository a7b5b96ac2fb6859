import TestSupport
import XCTest

/// The chapter's programs, run as a reader runs them.
final class ExampleTests: XCTestCase {
    func testThreadPipe() throws { try check("thread-pipe") }

    func testOneWay() throws { try check("one-way") }

    func testRequestReply() throws { try check("request-reply") }

    func testWrongLoop() throws { try check("wrong-loop") }

    func testManyWorkers() throws { try check("many-workers") }

    func testLoopEnded() throws { try check("loop-ended") }

    func testThreadedImmediate() throws { try check("threaded-immediate") }

    func testCoalescedWakeups() throws { try check("coalesced-wakeups") }

    func testEchoCores() throws { try check("echo-cores", ["--demo", "--threads", "3"]) }

    private func check(_ example: String, _ arguments: [String] = []) throws {
        try assertExample(example, chapterFolder: "6-Threads", arguments: arguments)
        try assertRefuses(["--backend", "kqueue"], by: example, saying: "Error: there is no backend 'kqueue'")
    }

    func testWrongNumbersAreUsageErrorsThatSayWhatIsRight() throws {
        for (example, arguments, message) in [
            ("many-workers", ["--threads", "0"], "--threads must be from 1 to 1000, not 0."),
            ("many-workers", ["--below", "9"], "--below must be from 10 to 1000000000, not 9."),
            ("threaded-immediate", ["--times", "0"], "--times must be from 1 to 1000000, not 0."),
            ("coalesced-wakeups", ["--messages", "-1"], "--messages must be from 1 to 1000000, not -1."),
            ("echo-cores", ["--threads", "0"], "--threads must be from 1 to 1000, not 0."),
            ("echo-cores", ["--port", "65536"], "The value '65536' is invalid for '--port <port>'"),
        ] {
            try assertRefuses(arguments, by: example, saying: "Error: \(message)")
        }
    }

    func testTheResultDoesNotDependOnTheNumberOfWorkers() throws {
        let expected = try expectedOutput(chapterFolder: "6-Threads", example: "many-workers")
        for threads in [1, 3, 20] {
            XCTAssertEqual(try runProgram("many-workers", arguments: ["--threads", "\(threads)"]).stdout, expected)
        }
        let few = try runProgram("many-workers", arguments: ["--below", "15"]).stdout
        XCTAssert(few.hasSuffix("from 14 to 14: 0\ntogether: 6\n"), few)
    }

    func testManyMessagesCostABusyLoopNoSleep() throws {
        let result = try runProgram("coalesced-wakeups", arguments: ["--messages", "200000"])
        XCTAssert(result.stdout.hasPrefix("While the loop was busy: 200000 messages, 0 waits\n"), result.stdout)
    }
}
