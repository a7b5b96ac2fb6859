import CTestSupport
import Glibc
import Talloc
import TestSupport
import XCTest

@testable import Tevent

/// Functions that are replaced while they are being released, conformances that free objects in use, and numbers that
/// come to refer to the engine's own descriptors.
final class HostileFunctionTests: EngineTestCase {
    // MARK: Functions that are set again when they are released

    /// Calls a function when it is released, once.
    private final class AtEnd {
        private let act: () -> Void
        init(_ act: @escaping () -> Void) { self.act = act }
        deinit { act() }
    }

    /// Sets a function whose release sets it again, several times, and counts how many are released.
    private func replaceOften(_ set: @escaping (_ held: AnyObject) -> Void, line: UInt = #line) {
        var releases = 0
        for _ in 0..<10 {
            set(AtEnd { set(AtEnd { releases += 1 }) })
            set(AtEnd { releases += 1 })
        }
        set(AtEnd {})
        XCTAssertGreaterThanOrEqual(releases, 10, line: line)
        XCTAssertLessThanOrEqual(releases, 20, line: line)
    }

    func testAFunctionMayBeSetAgainWhenTheOldOneIsReleased() throws {
        try onBothBackends { events, _ in
            let event = try events.addFD(try pipe().reader, .read) { _, _ in }
            let memory = try TallocContext(under: events)
            let chunk = try TallocChunk(1, under: events)
            let request = try Request(1, under: events)
            replaceOften { held in events.setNestingHook { _, _, _ in withExtendedLifetime(held) { true } } }
            replaceOften { held in events.setDebug { _, _ in withExtendedLifetime(held) {} } }
            replaceOften { held in events.setLoopTrace { _ in withExtendedLifetime(held) {} } }
            replaceOften { held in events.setTimerTrace { _, _ in withExtendedLifetime(held) {} } }
            replaceOften { held in events.setImmediateTrace { _, _ in withExtendedLifetime(held) {} } }
            replaceOften { held in events.setSignalTrace { _, _ in withExtendedLifetime(held) {} } }
            replaceOften { held in events.setFDTrace { _, _ in withExtendedLifetime(held) {} } }
            replaceOften { held in events.setQueueTrace { _, _ in withExtendedLifetime(held) {} } }
            replaceOften { held in event.setCloseFunction { _ in withExtendedLifetime(held) {} } }
            replaceOften { held in memory.setDestructor { _ in withExtendedLifetime(held) { .allow } } }
            replaceOften { held in chunk.setDestructor { _ in withExtendedLifetime(held) { .allow } } }
            replaceOften { held in request.setCancel { _ in withExtendedLifetime(held) { true } } }
            replaceOften { held in request.setCleanup { _, _ in withExtendedLifetime(held) {} } }
            replaceOften { held in request.setPrint { _ in withExtendedLifetime(held) { "" } } }
            replaceOften { held in request.setCallback { _ in withExtendedLifetime(held) {} } }
        }
    }

    func testADescriptorIsClosedAlsoIfATraceOfTheEndSaysSo() throws {
        try onBothBackends { events, _ in
            let reader = try pipe().reader
            events.setFDTrace { event, point in if point == .detach { event.setAutoClose() } }
            try events.addFD(reader, .read) { _, _ in }.free()
            XCTAssertEqual(fcntl(reader, F_GETFD), -1)
        }
    }

    func testNoEventNamesAContextThatIsBeingFreed() throws {
        for backend in EventContext.backends {
            let events = try EventContext(backend: backend, clock: ManualClock())
            let root = try TallocContext()
            let timers = try (0..<2).map { _ in try events.addTimer(after: .zero, under: root) { _, _ in } }
            var contexts: [EventContext?] = []
            events.setTimerTrace { _, point in
                if point == .detach { contexts += timers.map(\.context) }
            }
            events.free()
            XCTAssertEqual(contexts, [nil, nil, nil, nil])
            root.free()
        }
    }

    // MARK: Conformances

    /// Frees something when it is asked for its handle, and then returns another one.
    private struct Liar: TallocObject {
        let victim: TallocContext
        let named: TallocContext

        var tallocHandle: TallocHandle {
            if !victim.isFreed { victim.free() }
            return named.tallocHandle
        }
    }

    func testMovingUnderAParentThatFreesWhatIsMoved() throws {
        let result = try runInChild(self) {
            let (victim, named) = (try TallocContext(), try TallocContext())
            victim.move(under: Liar(victim: victim, named: named))
        }
        assertTrapped(result, saying: "TallocContext.move(under:) was called on a freed TallocContext")
    }

    func testAnInboxUnderAParentThatFreesTheContext() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            let liar = Liar(victim: events.tallocContext, named: try TallocContext())
            _ = try ThreadInbox(on: events, under: liar)
        }
        assertTrapped(result, saying: "EventContext.init(on:under:) was called on a freed EventContext")
    }

    func testAThreadedImmediateUnderAParentThatFreesTheContext() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            let liar = Liar(victim: events.tallocContext, named: try TallocContext())
            _ = try ThreadedImmediate(on: events, under: liar) { _, _ in }
        }
        assertTrapped(result, saying: "EventContext.init(on:under:) was called on a freed EventContext")
    }

    /// Yields more bytes than its count.
    private struct MoreThanCounted: Collection {
        var startIndex: Int { 0 }
        var endIndex: Int { 3 }
        var count: Int { 1 }
        func index(after index: Int) -> Int { index + 1 }
        subscript(index: Int) -> UInt8 { UInt8(index) }
    }

    func testACollectionThatCountsWrongIsWrittenAsItGives() throws {
        let pipe = try pipe()
        XCTAssertEqual(try SystemIO.write(pipe.writer, MoreThanCounted()), 3)
        XCTAssertEqual(try SystemIO.read(pipe.reader), .bytes([0, 1, 2]))
    }

    // MARK: Numbers

    func testANumberThatIsTheBackendsOwnByNowLeavesTheLoopAlone() throws {
        let events = try EventContext(backend: "epoll")
        defer { events.free() }
        let (closed, ready) = (try SystemIO.pipe(), try pipe())
        _ = opened(closed.writer)
        try events.addFD(closed.reader, .read) { _, _ in }
        SystemIO.close(closed.reader)
        // The new descriptor of the backend gets the lowest number.
        try events.reinitialise()
        XCTAssertEqual(target(of: closed.reader), "anon_inode:[eventpoll]")
        write(ready.writer)
        var calls = 0
        try events.addFD(ready.reader, .read) { event, _ in
            calls += 1
            event.free()
        }
        XCTAssertThrowsError(try events.loopOnce()) {
            XCTAssertEqual($0 as? TeventError, .badDescriptor(closed.reader))
        }
        XCTAssertEqual(try events.loopWait(), .noEvents)
        XCTAssertEqual(calls, 1)
    }
}
