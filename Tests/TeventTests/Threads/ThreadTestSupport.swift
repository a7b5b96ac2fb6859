import CTestSupport
import Glibc
import Synchronization
import Talloc
import XCTest

@testable import Tevent

/// A number that threads share.
final class SharedCount: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .sequentiallyConsistent) }

    @discardableResult
    func add(_ difference: Int = 1) -> Int { count.add(difference, ordering: .sequentiallyConsistent).newValue }
}

/// Text from several threads, or from handlers that may capture nothing else.
final class SharedLog: Sendable {
    private let lines = Locked<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

/// A payload that counts the living objects of its kind.
final class Cargo {
    let number: Int
    private let onEnd: () -> Void
    private let alive: SharedCount

    init(_ number: Int, _ alive: SharedCount, onEnd: @escaping () -> Void = {}) {
        self.number = number
        self.alive = alive
        self.onEnd = onEnd
        alive.add()
    }

    convenience init(_ alive: SharedCount) { self.init(0, alive) }

    deinit {
        onEnd()
        alive.add(-1)
    }
}

/// Lets a handler that may capture only `Sendable` values use what belongs to its own thread.
struct Own<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

/// Storage for something that handlers of one thread keep.
final class OwnBox<Value>: @unchecked Sendable {
    var value: Value?
}

/// A root with some chunks below it, which no other code uses.
func makeTree(chunks: Int, _ alive: SharedCount = SharedCount()) throws -> sending TallocContext {
    let tree = try TallocContext()
    for number in 0..<chunks { _ = try TallocChunk(Cargo(number, alive), under: tree) }
    return tree
}

extension ThreadProxy {
    /// Sends a message whose sending cannot fail, in a handler, which cannot throw.
    func send(_ handler: @escaping @Sendable (EventContext) -> Void) {
        do { try schedule(handler) } catch { fatalError("\(error)") }
    }

    func send<Payload>(
        _ payload: consuming sending Payload, _ handler: @escaping @Sendable (EventContext, sending Payload) -> Void
    ) {
        do { try schedule(consume payload, handler) } catch { fatalError("\(error)") }
    }

    func send<Memory: TallocObject>(
        memory: sending Memory, _ handler: @escaping @Sendable (EventContext, sending Memory) -> Void
    ) {
        do { try schedule(memory: memory, handler) } catch { fatalError("\(error)") }
    }
}

/// Identifies the current thread.
func thisThread() -> UInt { UInt(pthread_self()) }

/// The thread sanitizer takes ten times as long, and finds in a tenth of the rounds what others find in all.
func rounds(_ count: Int) -> Int { test_is_thread_sanitized() != 0 ? count / 10 : count }

/// Waits for what another thread does, but only for a limited time.
func waitUntil(file: StaticString = #filePath, line: UInt = #line, _ condition: () -> Bool) {
    let end = EventInstant.now.advanced(by: .seconds(30))
    while !condition() {
        guard EventInstant.now < end else { return XCTFail("it did not happen", file: file, line: line) }
        sched_yield()
    }
}

extension EventContext {
    /// How other threads wake the loop, for inspection.
    var waker: Own<WakerPointer> { Own(record().pointee.waker!) }
}

extension Own<WakerPointer> {
    var isSleeping: Bool { value.pointee.isSleeping.load(ordering: .sequentiallyConsistent) }
    var descriptor: Int32 { value.pointee.eventFD.load(ordering: .relaxed) }

    /// Waits until the loop is about to sleep, or does.
    func waitUntilAsleep() { waitUntil { isSleeping } }

    /// How often the loop was woken since it last checked; it then has not noticed these wakeups.
    func takeWakeups() -> Int {
        var count: UInt64 = 0
        return Glibc.read(descriptor, &count, 8) == 8 ? Int(count) : 0
    }
}
