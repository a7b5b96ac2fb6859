import Chapter6Threads
import Foundation
import Talloc
import TestSupport
import Tevent
import TeventExtras
import XCTest

/// Threads with a loop, and state that only their messages touch.
final class WorkerTests: ThreadsTestCase {
    func testWorkRunsInOrderOnTheWorkersThread() throws {
        try onEachBackend {
            let worker = try Worker(named: "a worker", backend: backend) { _ in [String]() }
            for number in 1...100 {
                try worker.schedule { _, lines in lines.value.append("\(number) on \(threadName())") }
            }
            let lines = try worker.askAndWait { _, lines in lines.value }
            XCTAssertEqual(lines, (1...100).map { "\($0) on a worker" })
            worker.stop()
            try worker.join()
        }
    }

    func testTheStateIsMadeOnTheNewThreadWithItsContext() throws {
        try onEachBackend {
            let worker = try Worker(named: "maker", backend: backend) { events in [threadName(), events.backend] }
            XCTAssertEqual(try worker.askAndWait { _, state in state.value }, ["maker", backend])
            worker.stop()
            try worker.join()
        }
    }

    func testStoppingEndsTheLoopsThatWorkRunsInsideEachOther() throws {
        try onEachBackend {
            let worker = try Worker(named: "nested", backend: backend) { events in
                events.allowNesting()
                // Keeps the inner loops going.
                try events.addTimer(after: .seconds(3600)) { _, _ in }
            }
            for _ in 1...3 { try worker.schedule { events, _ in _ = try? events.loopWait() } }
            worker.stop()
            try worker.join()
        }
    }

    func testStoppingEndsWorkThatTakesTurnsUntilATimerHasRun() throws {
        try onEachBackend {
            let worker = try Worker(named: "turns", backend: backend) { events in
                events.allowNesting()
                return false
            }
            try worker.schedule { events, isOver in
                _ = try? events.addTimer(after: .milliseconds(1)) { _, _ in isOver.value = true }
                while !isOver.value { guard (try? events.loopOnce()) != nil else { return } }
            }
            worker.stop()
            try? worker.schedule { _, _ in XCTFail("it was sent after the stop") }
            try worker.join()
        }
    }

    func testAWorkerThatAsksItselfAndWaitsIsRefusedInWords() throws {
        let result = try runInChild(self) {
            let worker = try Worker(named: "asking") { _ in }
            try worker.schedule { _, _ in _ = try? worker.askAndWait { _, _ in } }
            try worker.join()
        }
        XCTAssertNotNil(result.signal)
        XCTAssertTrue(result.stderr.contains("would wait forever"), result.stderr)
    }

    func testTheStarterLearnsWhyAThreadCouldNotStart() throws {
        try onEachBackend {
            XCTAssertThrowsError(try Worker(named: "no", backend: backend) { _ -> Int in throw Oops() }) {
                XCTAssertEqual($0 as? Oops, Oops())
            }
            XCTAssertThrowsError(try Worker(named: "no", backend: "kqueue") { _ in }) {
                XCTAssertEqual($0 as? TeventError, .unknownBackend(name: "kqueue"))
            }
            // A joined thread may remain on the system's list for a moment.
            XCTAssertEqual(inTime(threadNames) { !$0.contains("no") }.filter { $0 == "no" }, [])
        }
    }

    func testAThreadThatFindsNoDescriptorsSaysSo() throws {
        let result = try runInChild(self) {
            let free = (0...20).map { _ in dup(0) }
            for descriptor in free { SystemIO.close(descriptor) }
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            // A thread of Dispatch briefly takes a descriptor now and then, so each limit gets three chances.
            for more in (0...20).flatMap({ [$0, $0, $0] }) {
                limit.rlim_cur = rlim_t(free[more])
                setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
                do {
                    let worker = try Worker(named: "poor") { _ in }
                    worker.stop()
                    try worker.join()
                    return print("suffices: \(more)")
                } catch let error as TeventError {
                    guard error.isExhaustion else { throw error }
                    let left = openDescriptors().filter { $0 >= free[0] }
                    XCTAssertEqual(left, [], "something was left open")
                }
            }
        }
        // Two loops with their wakers, for a moment.
        XCTAssertEqual(result.stdout.split(separator: "\n").last, "suffices: 4")
        XCTAssertEqual(result.exitCode, 0, result.stderr)
    }

    // MARK: The end

    func testAllThatWasSentBeforeTheStopIsDone() throws {
        try onEachBackend {
            let (counted, reply) = try Answer<Int>.expect(on: events, under: memory)
            let worker = try Worker(named: "counter", backend: backend) { _ in 0 }
            for _ in 1...1000 { try worker.schedule { _, count in count.value += 1 } }
            try worker.schedule { _, count in reply.send(count.value) }
            worker.stop()
            try worker.join()
            XCTAssertEqual(try answer(of: counted), 1000)
        }
    }

    func testAfterItsEndAWorkerRefuses() throws {
        try onEachBackend {
            let worker = try Worker(named: "short", backend: backend) { _ in }
            worker.stop()
            try worker.join()
            XCTAssertThrowsError(try worker.schedule { _, _ in }) { XCTAssert($0 is LoopEndedError<Void>) }
            XCTAssertThrowsError(try worker.askAndWait { _, _ in 1 }) { XCTAssert($0 is LoopEndedError<Void>) }
            worker.stop()
            try worker.join()
        }
    }

    func testAnUnreferencedWorkerIsStoppedAndReleasesItsState() throws {
        try onEachBackend {
            let (gone, reply) = try Answer<Int>.expect(on: events, under: memory)
            try withExtendedLifetime(reply) {
                _ = try Worker(named: "dropped", backend: backend) { _ in AtEnd { reply.send(1) } }
                XCTAssertEqual(try answer(of: gone), 1)
            }
        }
    }

    func testWhatALoopCannotGoOnWithIsThrownByJoin() throws {
        try onEachBackend {
            let worker = try Worker(named: "broken", backend: backend) { _ in }
            let (told, reply) = try Answer<Int32>.expect(on: events, under: memory)
            try worker.schedule { events, _ in
                guard let pipe = try? SystemIO.pipe() else { return }
                _ = try? events.addFD(pipe.reader, .read) { _, _ in }
                SystemIO.close(pipe.reader)
                SystemIO.close(pipe.writer)
                reply.send(pipe.reader)
            }
            let descriptor = try answer(of: told)
            XCTAssertTrue(
                inTime {
                    worker.proxy.isClosed
                } isFulfilled: {
                    $0
                })
            worker.stop()
            XCTAssertThrowsError(try worker.join()) { XCTAssertEqual($0 as? TeventError, .badDescriptor(descriptor)) }
            XCTAssertThrowsError(try worker.schedule { _, _ in })
        }
    }

    func testWhatAWorkersMessagesMadeGoesWithIt() throws {
        try onEachBackend {
            let pipe = try SystemIO.pipe()
            let worker = try Worker(named: "tidy", backend: backend) { _ in }
            try worker.schedule { events, _ in
                for end in [pipe.reader, pipe.writer] { try? events.addFD(end, .read) { _, _ in }.setAutoClose() }
            }
            worker.stop()
            try worker.join()
            XCTAssertEqual(fcntl(pipe.reader, F_GETFD), -1)
        }
    }

    // MARK: The owner of a context

    func testAContextKnowsWhatItWasMadeUnder() throws {
        let numbers = try TallocChunk([1, 2])
        defer { numbers.free() }
        XCTAssertEqual(try EventContext(under: numbers).owner(as: [Int].self), numbers)
    }

    func testAnotherTypeIsATrapThatNamesBoth() throws {
        let result = try runInChild(self) {
            let numbers = try TallocChunk([1, 2])
            _ = try EventContext(under: numbers).owner(as: String.self)
        }
        XCTAssertNotNil(result.signal)
        XCTAssert(result.stderr.contains("Array<Int>") && result.stderr.contains("String"), result.stderr)
    }

    func testARootHasNoOwnerWhichIsATrapThatSaysWhatToDo() throws {
        let result = try runInChild(self) { _ = try EventContext().owner(as: String.self) }
        XCTAssertNotNil(result.signal)
        XCTAssert(result.stderr.contains("make it under a chunk that holds String"), result.stderr)
    }

    private func threadNames() -> [String] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return tasks.compactMap { taskName(of: "self/task/\($0)") }
    }
}

/// The name of the calling thread, as debuggers show it.
private func threadName() -> String {
    taskName(of: "thread-self") ?? ""
}

private func taskName(of task: String) -> String? {
    FileManager.default.contents(atPath: "/proc/\(task)/comm").map { String(decoding: $0.dropLast(), as: UTF8.self) }
}

/// Runs a closure when it is deinitialised.
private final class AtEnd: Sendable {
    private let action: @Sendable () -> Void
    init(_ action: @escaping @Sendable () -> Void) { self.action = action }
    deinit { action() }
}
