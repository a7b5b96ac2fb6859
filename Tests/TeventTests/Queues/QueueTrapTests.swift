import Talloc
import TestSupport
import Tevent
import XCTest

/// Misuse of queues that ends the program, in child processes.
final class QueueTrapTests: XCTestCase {
    private typealias Parts = (queue: RequestQueue, events: EventContext, request: Request<Work>)

    /// Runs a body in a child process with a queue and a request created at made.swift:1.
    private func assertTraps(
        saying message: String, function: String = #function, line: UInt = #line, _ body: (Parts) throws -> Void
    ) throws {
        let result = try runInChild(self, function: function) {
            let events = try EventContext(clock: ManualClock())
            let queue = try RequestQueue(label: "writes", under: events)
            try body((queue, events, try Request(Work(), under: events, file: "made.swift", line: 1)))
        }
        assertTrapped(result, saying: message, line: line)
    }

    /// The same, with an entry of the request in the queue, added at added.swift:1.
    private func assertTrapsWithEntry(
        saying message: String, function: String = #function, line: UInt = #line,
        _ body: (Parts, RequestQueue.Entry) throws -> Void
    ) throws {
        try assertTraps(saying: message, function: function, line: line) { parts in
            try body(parts, try parts.queue.add(parts.request, on: parts.events, file: "added.swift", line: 1) { _ in })
        }
    }

    // MARK: Untrigger

    private let notActive = "the queue entry made at added.swift:1 was untriggered, but it is not the active one"

    func testUntriggeringAnEntryThatWasNotStarted() throws {
        try assertTrapsWithEntry(saying: notActive) { parts, entry in
            parts.queue.stop()
            entry.untrigger()
        }
    }

    func testUntriggeringTwice() throws {
        try assertTrapsWithEntry(saying: notActive) { parts, entry in
            try parts.events.loopOnce()
            parts.queue.stop()
            for _ in 0..<2 { entry.untrigger() }
        }
    }

    func testUntriggeringAnEntryThatWaitsAfterTheActiveOne() throws {
        try assertTraps(saying: notActive) { parts in
            try parts.queue.addBlocker(parts.request, on: parts.events)
            let second = try parts.queue.addBlocker(parts.request, on: parts.events, file: "added.swift", line: 1)
            try parts.events.loopOnce()
            parts.queue.stop()
            second.untrigger()
        }
    }

    func testUntriggeringInAQueueThatRuns() throws {
        try assertTrapsWithEntry(saying: "the queue 'writes' must be stopped before its active entry is untriggered") {
            parts, entry in
            try parts.events.loopOnce()
            entry.untrigger()
        }
    }

    func testUntriggeringAnEntryThatIsLeaving() throws {
        try assertTrapsWithEntry(saying: notActive) { parts, entry in
            try parts.events.loopOnce()
            parts.queue.stop()
            parts.events.setQueueTrace { entry, point in if point == .detach { entry.untrigger() } }
            entry.free()
        }
    }

    // MARK: Started at once

    func testARequestThatEndedAtOnceAndWasNotPosted() throws {
        try assertTraps(saying: "the request made at made.swift:1 had ended (done) before its callback was set") {
            parts in
            try parts.queue.addOrStart(parts.request, on: parts.events) { $0.finish() }
            parts.request.setCallback { _ in }
        }
    }

    // MARK: Freed

    private func freed(_ call: String, of type: String = "RequestQueue") -> String {
        "\(type).\(call) was called on a freed \(type); a handle does not keep its object alive"
    }

    func testAddingToAFreedQueue() throws {
        try assertTraps(saying: freed("add")) { parts in
            parts.queue.free()
            try parts.queue.add(parts.request, on: parts.events) { _ in }
        }
    }

    func testAddingToAQueueThatIsBeingFreed() throws {
        try assertTrapsWithEntry(saying: freed("add")) { parts, _ in
            parts.events.setQueueTrace { _, _ in
                _ = sure { try parts.queue.addBlocker(parts.request, on: parts.events) }
            }
            parts.queue.free()
        }
    }

    func testAddingAFreedRequest() throws {
        try assertTraps(saying: freed("add", of: "AnyRequest")) { parts in
            parts.request.free()
            try parts.queue.add(parts.request, on: parts.events) { _ in }
        }
    }

    func testAddingOnAFreedContext() throws {
        try assertTraps(saying: freed("add", of: "EventContext")) { parts in
            let other = try EventContext()
            other.free()
            try parts.queue.add(parts.request, on: other) { _ in }
        }
    }

    func testStoppingAFreedQueue() throws {
        try assertTraps(saying: freed("stop()")) { parts in
            parts.queue.free()
            parts.queue.stop()
        }
    }

    func testStartingAFreedQueue() throws {
        try assertTraps(saying: freed("start()")) { parts in
            parts.queue.free()
            parts.queue.start()
        }
    }

    func testTheLengthOfAFreedQueue() throws {
        try assertTraps(saying: freed("length")) { parts in
            parts.queue.free()
            print(parts.queue.length)
        }
    }

    func testTheEntriesOfAFreedQueue() throws {
        try assertTraps(saying: freed("entries")) { parts in
            parts.queue.free()
            print(parts.queue.entries)
        }
    }

    func testWaitingInAFreedQueue() throws {
        try assertTraps(saying: freed("add")) { parts in
            parts.queue.free()
            _ = try QueueWait.send(in: parts.queue, on: parts.events, under: parts.events)
        }
    }

    func testAQueueUnderAFreedParent() throws {
        try assertTraps(saying: freed("init(label:under:)", of: "Request<Work>")) { parts in
            parts.request.free()
            _ = try RequestQueue(label: "writes", under: parts.request)
        }
    }

    func testAnEntryThatWasFreedWithItsQueue() throws {
        try assertTrapsWithEntry(saying: freed("isTriggered", of: "Entry")) { parts, entry in
            parts.queue.free()
            print(entry.isTriggered)
        }
    }

    func testTracingOnAFreedContext() throws {
        try assertTraps(saying: freed("setQueueTrace(_:)", of: "EventContext")) { parts in
            parts.events.free()
            parts.events.setQueueTrace(nil)
        }
    }
}
