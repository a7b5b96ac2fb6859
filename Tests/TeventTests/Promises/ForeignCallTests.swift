import CTestSupport
import Glibc
import Talloc
import XCTest

@testable import Tevent

/// Every place where the engine calls foreign code, each with the worst that such code can do.
///
/// Sources/SAFE-API.md lists the places, and what the engine looks up again after each.
final class ForeignCallTests: EngineTestCase {
    /// What foreign code does in the middle of the engine's work.
    private enum Deed: CaseIterable {
        case nothing, freeSubject, freeParent, freeContext, freeAll, move, moveToRoot, nestLoop, schedule, updateAll,
            dropHooks, freeChildren, sendAway, fork
    }

    /// A small program whose parts the foreign code can reach.
    private final class Scene {
        let root: TallocContext
        let heir: TallocContext
        let parent: TallocContext
        let events: EventContext
        let clock = ManualClock()
        /// A descriptor that is never ready.
        let quiet: Int32
        let alive = SharedCount()
        /// The object that foreign code is called about.
        var subject: TallocContext?
        var deed = Deed.nothing
        var hasActed = false

        init(_ backend: String, quiet: Int32) throws {
            self.quiet = quiet
            root = try TallocContext(named: "root")
            heir = try TallocContext(under: root, named: "heir")
            let outer = try TallocContext(under: root, named: "outer")
            events = try EventContext(under: outer, backend: backend, clock: clock)
            parent = try TallocContext(under: events, named: "parent")
            events.allowNesting()
        }

        /// An object to capture whose deinitialisation is counted.
        func cargo() -> Cargo { Cargo(alive) }

        /// Runs the foreign code; only the first call in a scene does anything, since it might recurse without end.
        func act() {
            guard !hasActed else { return }
            hasActed = true
            switch deed {
            case .nothing: break
            case .freeSubject: free(subject)
            case .freeParent: free(subject.flatMap { $0.isFreed ? nil : $0.parent } ?? parent)
            case .freeContext: free(events.tallocContext)
            case .freeAll: free(root)
            case .move: if let subject, !subject.isFreed, !heir.isFreed { subject.move(under: heir) }
            case .moveToRoot: moveAllToRoot()
            case .nestLoop: if !events.isFreed { for _ in 0..<5 { _ = try? events.loopOnce() } }
            case .schedule: schedule()
            case .updateAll: if !events.isFreed { updateAll() }
            case .dropHooks: if !events.isFreed { dropHooks() }
            case .freeChildren: for memory in [parent, heir] where !memory.isFreed { memory.freeChildren() }
            case .sendAway: sendAway()
            case .fork: forkAndServe()
            }
        }

        private func free(_ memory: TallocContext?) { if let memory, !memory.isFreed { memory.free() } }

        private func moveAllToRoot() {
            guard !parent.isFreed else { return }
            parent.moveToRoot()
            if let subject, !subject.isFreed, !root.isFreed { subject.move(under: root) }
            if !root.isFreed { parent.move(under: root) }
        }

        private func schedule() {
            guard !events.isFreed, !root.isFreed else { return }
            let cargo = cargo()
            _ = try? events.addTimer(at: .zero, under: root) { _, _ in withExtendedLifetime(cargo) {} }
            _ = try? ImmediateEvent(under: root).schedule(on: events) { _, _ in withExtendedLifetime(cargo) {} }
            for _ in 0..<100 { _ = try? events.addFD(quiet, .read, under: root) { _, _ in } }
        }

        private func updateAll() {
            for timer in events.timers { timer.update(at: .zero) }
            // The flags of an event that serves a request belong to that request.
            for event in events.descriptors where event.parent.flatMap(AnyRequest.init) == nil {
                let flags = event.flags
                event.flags = []
                event.flags = flags
            }
            for immediate in events.immediates { immediate.cancel() }
        }

        private func dropHooks() {
            events.setLoopTrace(nil)
            events.setTimerTrace(nil)
            events.setImmediateTrace(nil)
            events.setFDTrace(nil)
            events.setSignalTrace(nil)
            events.setQueueTrace(nil)
            events.setNestingHook(nil)
            events.setDebug(nil)
        }

        private func sendAway() {
            let thread: Void? = try? ForeignCallTests.freeOnAnotherThread()
            XCTAssertNotNil(thread)
        }

        private func forkAndServe() {
            let child = test_fork()
            guard child != 0 else {
                alarm(20)
                if !events.isFreed { for _ in 0..<5 { _ = try? events.loopOnce() } }
                _exit(0)
            }
            var status: Int32 = -1
            XCTAssertEqual(waitpid(child, &status, 0), child)
            XCTAssertEqual(status, 0, "the child did not end by itself")
        }
    }

    private static func freeOnAnotherThread() throws {
        let memory = try TallocContext()
        _ = try TallocChunk([1], under: memory)
        try SystemThread(named: "other") { _ = memory.free() }.join()
    }

    /// Runs what calls foreign code, with each deed and on each backend, and then checks what is left.
    private func withEachDeed(
        _ place: String, line: UInt = #line, _ setUp: (_ scene: Scene) throws -> Void
    ) throws {
        try onEachBackend { backend in
            let quiet = try pipe().reader
            for deed in Deed.allCases {
                let scene = try Scene(backend, quiet: quiet)
                scene.deed = deed
                try setUp(scene)
                for _ in 0..<20 where !scene.events.isFreed {
                    guard try scene.events.loopOnce() == .handled else {
                        scene.clock.advance(by: .seconds(1))
                        continue
                    }
                }
                XCTAssertTrue(scene.hasActed, "\(place) was never called", line: line)
                if !scene.root.isFreed { scene.root.free() }
                scene.subject = nil
                XCTAssertTrue(scene.events.isFreed, "\(place), \(deed)", line: line)
                XCTAssertEqual(scene.alive.value, 0, "\(place), \(deed): something was kept", line: line)
                XCTAssertEqual(test_disposition(SIGUSR1), 0, "\(place), \(deed)", line: line)
            }
        }
    }

    /// An object whose deinit acts.
    private final class Bomb {
        let scene: Scene
        init(_ scene: Scene) { self.scene = scene }
        deinit { scene.act() }
    }

    /// An error whose description acts.
    private struct Failure: Error, CustomStringConvertible {
        nonisolated(unsafe) let scene: Scene
        var description: String {
            scene.act()
            return "described"
        }
    }

    // MARK: Talloc

    func testADestructorOfMemory() throws {
        try withEachDeed("a destructor") { scene in
            let memory = try TallocContext(under: scene.parent)
            for _ in 0..<3 { _ = try TallocChunk(scene.cargo(), under: memory) }
            scene.subject = memory
            memory.setDestructor { _ in
                scene.act()
                return .allow
            }
            try TallocContext(under: scene.parent).setDestructor { _ in .allow }
            scene.parent.freeChildren()
        }
    }

    func testADestructorThatRefuses() throws {
        try withEachDeed("a destructor that refuses") { scene in
            let middle = try TallocContext(under: scene.parent)
            let memory = try TallocContext(under: middle)
            scene.subject = memory
            memory.setDestructor { _ in
                guard !scene.hasActed else { return .allow }
                scene.act()
                return .refuse
            }
            _ = try TallocChunk(scene.cargo(), under: middle)
            middle.free()
            if !memory.isFreed { memory.free() }
        }
    }

    func testTheDeinitOfAValue() throws {
        try withEachDeed("the deinit of a value") { scene in
            let chunk = try TallocChunk(Bomb(scene) as AnyObject, under: scene.parent)
            scene.subject = chunk.tallocContext
            chunk.value = scene.cargo()
        }
        try withEachDeed("the deinit of a value that is freed") { scene in
            let chunk = try TallocChunk(Bomb(scene), under: scene.parent)
            scene.subject = chunk.tallocContext
            _ = try TallocChunk(scene.cargo(), under: chunk)
            chunk.free()
        }
    }

    func testTheDeinitOfADestructor() throws {
        try withEachDeed("the deinit of what a destructor holds") { scene in
            let memory = try TallocContext(under: scene.parent)
            scene.subject = memory
            do {
                let bomb = Bomb(scene)
                memory.setDestructor { _ in withExtendedLifetime(bomb) { .allow } }
            }
            memory.free()
        }
    }

    // MARK: Handlers

    func testHandlers() throws {
        try withEachDeed("a timer's handler") { scene in
            let cargo = scene.cargo()
            scene.subject = try scene.events.addTimer(at: .zero, under: scene.parent) { _, _ in
                withExtendedLifetime(cargo) { scene.act() }
            }.tallocContext
        }
        try withEachDeed("an immediate's handler") { scene in
            let immediate = try ImmediateEvent(under: scene.parent)
            let cargo = scene.cargo()
            scene.subject = immediate.tallocContext
            immediate.schedule(on: scene.events) { _, _ in withExtendedLifetime(cargo) { scene.act() } }
        }
        try withEachDeed("a descriptor's handler") { scene in
            let cargo = scene.cargo()
            scene.subject = try scene.events.addFD(readyDescriptor(), .read, under: scene.parent) { _, _ in
                withExtendedLifetime(cargo) { scene.act() }
            }.tallocContext
            for _ in 0..<3 { try scene.events.addFD(readyDescriptor(), .read, under: scene.parent) { _, _ in } }
        }
        try withEachDeed("a signal's handler") { scene in
            let cargo = scene.cargo()
            scene.subject = try scene.events.addSignal(.user1, wantsInfo: true, under: scene.parent) { event, _ in
                withExtendedLifetime(cargo) { scene.act() }
            }.tallocContext
            try scene.events.addSignal(.user1, under: scene.parent) { _, _ in }
            Signal.user1.raise()
        }
        try withEachDeed("a threaded immediate's handler") { scene in
            let cargo = scene.cargo()
            let immediate = try ThreadedImmediate(on: scene.events, under: scene.parent) { _, _ in
                withExtendedLifetime(cargo) { scene.act() }
            }
            scene.subject = immediate.tallocContext
            try immediate.trigger.schedule()
        }
        try withEachDeed("a message's handler") { scene in
            let inbox = try ThreadInbox(on: scene.events, under: scene.parent)
            scene.subject = inbox.tallocContext
            let own = Own(scene)
            try inbox.proxy.schedule { _ in own.value.act() }
            try inbox.proxy.schedule { _ in }
        }
    }

    func testTheDeinitOfWhatAHandlerHolds() throws {
        try withEachDeed("the deinit of a timer's handler") { scene in
            let bomb = Bomb(scene)
            scene.subject = try scene.events.addTimer(at: .zero, under: scene.parent) { _, _ in
                withExtendedLifetime(bomb) {}
            }.tallocContext
        }
        try withEachDeed("the deinit of an immediate's handler") { scene in
            let immediate = try ImmediateEvent(under: scene.parent)
            scene.subject = immediate.tallocContext
            let bomb = Bomb(scene)
            immediate.schedule(on: scene.events) { _, _ in withExtendedLifetime(bomb) {} }
            immediate.cancelIfThere()
        }
        try withEachDeed("the deinit of a descriptor's handler") { scene in
            let bomb = Bomb(scene)
            let event = try scene.events.addFD(readyDescriptor(), .read, under: scene.parent) { event, _ in
                withExtendedLifetime(bomb) { _ = event.free() }
            }
            scene.subject = event.tallocContext
        }
        try withEachDeed("the deinit of a payload") { scene in
            let inbox = try ThreadInbox(on: scene.events, under: scene.parent)
            scene.subject = inbox.tallocContext
            nonisolated(unsafe) let bomb = Bomb(scene)
            try inbox.proxy.schedule(bomb) { _, _ in }
            nonisolated(unsafe) let cargo = scene.cargo()
            try inbox.proxy.schedule(cargo) { _, _ in }
            if scene.deed == .nothing { inbox.free() }
        }
    }

    func testACloseFunction() throws {
        try withEachDeed("a close function") { scene in
            let event = try scene.events.addFD(readyDescriptor(), .read, under: scene.parent) { event, _ in event.free()
            }
            scene.subject = event.tallocContext
            event.setCloseFunction { _ in scene.act() }
            _ = try TallocChunk(scene.cargo(), under: event)
        }
    }

    // MARK: Hooks

    func testTheLoopTrace() throws {
        for point in [LoopTracePoint.beforeLoopOnce, .beforeWait, .afterWait, .afterLoopOnce] {
            try withEachDeed("\(point)") { scene in
                scene.subject = try scene.events.addTimer(after: .seconds(2), under: scene.parent) { _, _ in }
                    .tallocContext
                for _ in 0..<3 {
                    try scene.events.addFD(readyDescriptor(), .read, under: scene.parent) {
                        $0.free(); _ = $1
                    }
                }
                scene.events.setLoopTrace { if $0 == point { scene.act() } }
            }
        }
    }

    func testTheTracesOfEvents() throws {
        for point in [EventTracePoint.attach, .beforeHandler, .detach] {
            try withEachDeed("a timer's \(point)") { scene in
                scene.events.setTimerTrace { timer, found in
                    scene.subject = timer.tallocContext
                    if found == point { scene.act() }
                }
                try scene.events.addTimer(at: .zero, under: scene.parent) { _, _ in }
                if !scene.events.isFreed { try scene.events.addTimer(at: .zero, under: scene.heir) { _, _ in } }
            }
            try withEachDeed("an immediate's \(point)") { scene in
                scene.events.setImmediateTrace { immediate, found in
                    scene.subject = immediate.tallocContext
                    if found == point { scene.act() }
                }
                let immediate = try ImmediateEvent(under: scene.parent)
                let cargo = scene.cargo()
                for _ in 0..<2 where !immediate.isFreed && !scene.events.isFreed {
                    immediate.schedule(on: scene.events) { _, _ in withExtendedLifetime(cargo) {} }
                }
            }
            try withEachDeed("a descriptor's \(point)") { scene in
                scene.events.setFDTrace { event, found in
                    scene.subject = event.tallocContext
                    if found == point { scene.act() }
                }
                for _ in 0..<3 where !scene.events.isFreed && !scene.parent.isFreed {
                    try scene.events.addFD(readyDescriptor(), .read, under: scene.parent) { event, _ in event.free() }
                }
            }
            try withEachDeed("a signal's \(point)") { scene in
                scene.events.setSignalTrace { event, found in
                    scene.subject = event.tallocContext
                    if found == point { scene.act() }
                }
                try scene.events.addSignal(.user1, under: scene.parent) { event, _ in event.free() }
                if !scene.events.isFreed {
                    try scene.events.addSignal(.user1, under: scene.heir) { event, _ in event.free() }
                    Signal.user1.raise()
                }
            }
        }
    }

    func testTheTraceOfQueues() throws {
        for point in [QueueTracePoint.attach, .schedule, .beforeHandler, .detach] {
            try withEachDeed("an entry's \(point)") { scene in
                scene.events.setQueueTrace { entry, found in
                    scene.subject = entry.tallocContext
                    if found == point { scene.act() }
                }
                let queue = try RequestQueue(label: "queue", under: scene.parent)
                for _ in 0..<3 where !scene.events.isFreed && !queue.isFreed && !scene.parent.isFreed {
                    let request = try Request(scene.cargo(), under: scene.parent)
                    try queue.add(request, on: scene.events) { $0.free() }
                }
            }
        }
    }

    func testTheDebugFunctionTheNestingHookAndThePredicate() throws {
        try withEachDeed("the debug function") { scene in
            scene.subject = try scene.events.addTimer(at: .zero, under: scene.parent) { _, _ in }.tallocContext
            scene.events.setDebug { _, _ in scene.act() }
            let file = self.opened(open("/dev/null", O_RDONLY | O_CLOEXEC))
            try scene.events.addFD(file, .read, under: scene.parent) { event, _ in event.free() }
        }
        for begins in [true, false] {
            try withEachDeed("the nesting hook") { scene in
                scene.subject = try scene.events.addTimer(at: .zero, under: scene.parent) { _, _ in }.tallocContext
                scene.events.setNestingHook { _, _, found in
                    if found == begins { scene.act() }
                    return true
                }
            }
        }
        try withEachDeed("the predicate of a loop") { scene in
            scene.subject = try scene.events.addTimer(at: .zero, under: scene.parent) { _, _ in }.tallocContext
            try scene.events.loop {
                scene.act()
                return false
            }
        }
    }

    // MARK: Requests

    func testTheFunctionsOfARequest() throws {
        try withEachDeed("a callback") { scene in
            let request = try Request(scene.cargo(), under: scene.parent)
            scene.subject = request.tallocContext
            request.setCallback { _ in scene.act() }
            request.finish()
        }
        try withEachDeed("a posted callback") { scene in
            let request = try Request(scene.cargo(), under: scene.parent)
            scene.subject = request.tallocContext
            request.finish()
            request.post(on: scene.events).setCallback { _ in scene.act() }
        }
        try withEachDeed("a callback for progress") { scene in
            let request = try Request(scene.cargo(), under: scene.parent)
            scene.subject = request.tallocContext
            request.setCallback { _ in scene.act() }
            request.notify()
        }
        for status in [RequestStatus.done, .received] {
            try withEachDeed("a cleanup function, \(status)") { scene in
                let request = try Request(scene.cargo(), under: scene.parent)
                scene.subject = request.tallocContext
                request.setCleanup { _, found in if found == status { scene.act() } }
                _ = try TallocChunk(scene.cargo(), under: request)
                if status == .done { request.finish() } else { request.discard() }
            }
        }
        try withEachDeed("a cancel function") { scene in
            let request = try Request(scene.cargo(), under: scene.parent)
            scene.subject = request.tallocContext
            request.setCancel { _ in
                scene.act()
                return true
            }
            request.cancel()
        }
        try withEachDeed("a print function") { scene in
            let request = try Request(scene.cargo(), under: scene.parent)
            scene.subject = request.tallocContext
            request.setPrint { _ in
                scene.act()
                return ""
            }
            _ = request.description
        }
        try withEachDeed("the description of an error") { scene in
            let request = try Request(scene.cargo(), under: scene.parent)
            scene.subject = request.tallocContext
            request.fail(Failure(scene: scene))
            _ = request.description
        }
    }

    func testTheDeinitOfWhatARequestHolds() throws {
        try withEachDeed("the deinit of a state that is freed") { scene in
            let request = try Request(Bomb(scene), under: scene.parent)
            scene.subject = request.tallocContext
            _ = try TallocChunk(scene.cargo(), under: request)
            request.free()
        }
        try withEachDeed("the deinit of a state that is received") { scene in
            let request = try Request(Bomb(scene), under: scene.parent)
            scene.subject = request.tallocContext
            request.finish()
            try request.receive { _ in }
        }
        try withEachDeed("the deinit of a callback that is replaced") { scene in
            let request = try Request(scene.cargo(), under: scene.parent)
            scene.subject = request.tallocContext
            let bomb = Bomb(scene)
            request.setCallback { _ in withExtendedLifetime(bomb) {} }
            request.setCallback { _ in }
        }
        try withEachDeed("the deinit of a function that is replaced") { scene in
            let request = try Request(scene.cargo(), under: scene.parent)
            scene.subject = request.tallocContext
            let bomb = Bomb(scene)
            request.setCleanup { _, _ in withExtendedLifetime(bomb) {} }
            request.setCleanup(nil)
        }
        try withEachDeed("the deinit of an error") { scene in
            struct Holding: Error { nonisolated(unsafe) let bomb: Bomb }
            let request = try Request(scene.cargo(), under: scene.parent)
            scene.subject = request.tallocContext
            request.fail(Holding(bomb: Bomb(scene)))
            request.free()
        }
    }

    func testATrigger() throws {
        for startsAtOnce in [false, true] {
            try withEachDeed("a trigger") { scene in
                let queue = try RequestQueue(label: "queue", under: scene.parent)
                let request = try Request(scene.cargo(), under: scene.parent)
                scene.subject = request.tallocContext
                if startsAtOnce {
                    try queue.addOrStart(request, on: scene.events) { _ in scene.act() }
                } else {
                    try queue.add(request, on: scene.events) { _ in scene.act() }
                }
            }
        }
    }

    func testTheRequestsThatWait() throws {
        for point in [EventTracePoint.attach, .beforeHandler, .detach] {
            try withEachDeed("\(point) of what a Read waits with") { scene in
                scene.events.setFDTrace { event, found in
                    scene.subject = event.isFreed ? nil : event.parent
                    if found == point { scene.act() }
                }
                let reader = try readyDescriptor()
                let read = try Read.send(from: reader, on: scene.events, under: scene.parent)
                guard !read.isFreed, read.isInProgress else { return }
                read.setCallback { if !$0.isFreed { _ = try? $0.receive() } }
            }
        }
    }
}

extension ImmediateEvent {
    fileprivate func cancelIfThere() { if !isFreed { cancel() } }
}
