import Chapter1ContextAndLoops
import Chapter5Queues
import Foundation
import Talloc
import TestSupport
import Tevent
import TeventExtras
import XCTest

/// What a test works with: memory, a context whose clock is moved by hand, a log, a queue, and a slow reader.
struct Bench {
    let memory: TallocContext
    let clock = ManualClock()
    let events: EventContext
    let log: EventLog
    let queue: RequestQueue
    let reader: SlowReader

    init(_ backend: String) throws {
        memory = try TallocContext(named: "test")
        events = try EventContext(under: memory, backend: backend, clock: clock)
        log = EventLog(clock: clock)
        queue = try RequestQueue(label: "line", under: memory)
        reader = try SlowReader(clock: clock)
    }

    /// Sends a message that repeats a letter through the queue; the message logs its end and is then freed.
    @discardableResult
    func send(
        _ name: Character, pipefuls: Int = 3, under parent: TallocContext? = nil, _ then: @escaping () -> Void = {}
    ) throws -> Request<QueuedWrite> {
        let message = reader.message(name, pipefuls: pipefuls)
        let write = try QueuedWrite.send(
            message, to: reader.writer, through: queue, on: events, under: parent ?? memory)
        write.setCallback { write in
            do {
                try write.receive()
                log.add("\(name)", "done")
            } catch { log.add("\(name)", "\(error)") }
            write.free()
            then()
        }
        return write
    }

    /// A request that logs its turn and does nothing else; the sender must end and free it.
    func hold(_ name: String) throws -> Request<Held> {
        let request = try Request(Held(), under: memory)
        try queue.add(request, on: events) { _ in log.add(name, "begins") }
        return request
    }

    /// Runs the loop for as long as it need not wait.
    @discardableResult
    func run() throws -> LoopResult { try events.loopWait() }

    /// What has acted so far and what it did, one per line.
    var lines: [String] { log.entries.map { "\($0.who) \($0.what)" } }
}

struct Held {}

/// Runs a test once with each backend; it fails if the test leaves descriptors open.
func onEachBackend(line: UInt = #line, _ test: (Bench) throws -> Void) throws {
    for backend in EventContext.backends {
        let before = openDescriptors()
        let bench = try Bench(backend)
        do { try test(bench) } catch { XCTFail("with \(backend): \(error)", line: line) }
        if !bench.memory.isFreed { bench.memory.free() }
        bench.reader.close()
        XCTAssertEqual(openDescriptors(), before, "with \(backend), descriptors were left open", line: line)
    }
}

/// What the chapter's suites share.
class QueueTestCase: XCTestCase {
    override class func setUp() { prepareDispatch() }
}

/// Calls, in a handler, which cannot throw, a function that cannot fail there.
func sure<Value>(_ body: () throws -> Value) -> Value {
    do { return try body() } catch { fatalError("unexpected: \(error)") }
}
