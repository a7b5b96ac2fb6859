import Foundation
import TestSupport
import XCTest

/// The chapter's programs, run as a reader runs them.
final class ExampleTests: XCTestCase {
    func testMixedWrites() throws { try check("mixed-writes") }

    func testQueuedWrites() throws { try check("queued-writes") }

    func testQueueTrace() throws { try check("queue-trace") }

    func testAddOrStart() throws { try check("add-or-start") }

    func testLogBarrier() throws { try check("log-barrier") }

    func testStopAndStart() throws { try check("stop-and-start") }

    func testHalfWritten() throws { try check("half-written") }

    func testGoesAway() throws { try check("goes-away") }

    func testNeverFreed() throws { try check("never-freed") }

    private func check(_ example: String) throws {
        try assertExample(example, chapterFolder: "5-Queues")
        try assertRefuses(["--backend", "kqueue"], by: example, saying: "Error: there is no backend 'kqueue'")
    }

    func testAWrongNumberOfQueuesIsAUsageErrorThatSaysWhatIsRight() throws {
        for number in ["0", "4", "-1"] {
            try assertRefuses(
                ["--queues", number], by: "queued-writes", saying: "Error: --queues must be from 1 to 3, not \(number)."
            )
        }
    }

    func testAQueueForEachRequestIsNoQueue() throws {
        for backend in ["epoll", "poll"] {
            let mixed = try runProgram("mixed-writes", arguments: ["--backend", backend])
            let spread = try runProgram("queued-writes", arguments: ["--queues", "3", "--backend", backend])
            XCTAssertEqual(spread.stdout, mixed.stdout)
            let two = try runProgram("queued-writes", arguments: ["--queues", "2", "--backend", backend])
            XCTAssert(two.stdout.hasSuffix("The reader got: AABABCBCC\n"), two.stdout)
        }
    }

    func testTheQueueGoesOnWhenTheRequestIsFreed() throws {
        for backend in ["epoll", "poll"] {
            let result = try runProgram("never-freed", arguments: ["--right", "--backend", backend])
            XCTAssert(result.stdout.hasPrefix("The reader got: ABC\n"), result.stdout)
            XCTAssert(result.stdout.hasSuffix(", running, length 0\n"), result.stdout)
        }
    }
}
