import Glibc
import Synchronization
import Talloc
import XCTest

@testable import Tevent

/// Receivers that are freed, anywhere and at any time: nothing is lost, and later senders learn about it.
final class ThreadEndTests: EngineTestCase {
    /// What can be freed.
    private enum Victim: CaseIterable {
        case inbox, context, parent
    }

    /// A context with two inboxes and some messages; one thread uses it, inside and outside handlers.
    private final class Scene: @unchecked Sendable {
        let parent: TallocContext
        let events: EventContext
        let inbox: ThreadInbox
        let proxy: ThreadProxy
        let other: ThreadProxy
        let victim: Victim
        let alive = SharedCount()
        let log = SharedLog()

        init(backend: String, victim: Victim) throws {
            parent = try TallocContext()
            events = try EventContext(under: parent, backend: backend, clock: ManualClock())
            inbox = try ThreadInbox(on: events)
            proxy = inbox.proxy
            other = try ThreadInbox(on: events).proxy
            self.victim = victim
        }

        func freeVictim() {
            log.add("free")
            switch victim {
            case .inbox: if !inbox.isFreed { inbox.free() }
            case .context: events.free()
            case .parent: parent.free()
            }
        }

        /// Sends three objects that must not arrive, and a message to the other inbox between them.
        func sendMore() {
            for number in 0..<3 {
                proxy.send(Cargo(number, alive)) { _, _ in XCTFail("an object came to a freed receiver") }
                if number == 1 { other.send { [log] _ in log.add("other") } }
            }
        }
    }

    /// Runs a body with each victim; afterwards all objects are released, and only another inbox still gets its
    /// message.
    private func withEachVictim(line: UInt = #line, _ body: (Scene) throws -> Void) throws {
        try onEachBackend { backend in
            for victim in Victim.allCases {
                let scene = try Scene(backend: backend, victim: victim)
                try body(scene)
                if victim == .inbox { XCTAssertEqual(try scene.events.loopWait(), .timedOut, line: line) }
                XCTAssertEqual(scene.log.all, victim == .inbox ? ["free", "other"] : ["free"], "\(victim)", line: line)
                XCTAssertEqual(scene.alive.value, 0, "\(victim)", line: line)
                XCTAssertTrue(scene.inbox.isFreed, "\(victim)", line: line)
                XCTAssertTrue(scene.proxy.isClosed, "\(victim)", line: line)
                XCTAssertEqual(scene.other.isClosed, victim != .inbox, "\(victim)", line: line)
                XCTAssertThrowsError(try scene.proxy.schedule { _ in }, line: line)
                if !scene.parent.isFreed { scene.parent.free() }
            }
        }
    }

    private func run(_ scene: Scene, line: UInt = #line) {
        XCTAssertEqual(
            try scene.events.loopWait(), scene.victim == .inbox ? .timedOut : .contextFreed, "\(scene.victim)",
            line: line)
    }

    // MARK: Where

    func testInTheHandlerOfAMessageOfItsOwn() throws {
        try withEachVictim { scene in
            try scene.proxy.schedule { _ in scene.freeVictim() }
            scene.sendMore()
            run(scene)
        }
    }

    func testInTheHandlerOfAMessageWithMemory() throws {
        try withEachVictim { scene in
            nonisolated(unsafe) let memory = try makeTree(chunks: 2, scene.alive)
            try scene.proxy.schedule(memory: memory) { _, memory in
                scene.freeVictim()
                memory.free()
            }
            scene.sendMore()
            run(scene)
            XCTAssertTrue(memory.isFreed)
        }
    }

    func testInTheHandlerOfAnotherInboxesMessage() throws {
        try withEachVictim { scene in
            try scene.other.schedule { _ in scene.freeVictim() }
            scene.sendMore()
            run(scene)
        }
    }

    func testInTheDeinitOfAnObjectThatArrived() throws {
        try withEachVictim { scene in
            try scene.proxy.schedule(Cargo(0, scene.alive) { scene.freeVictim() }) { _, _ in }
            scene.sendMore()
            run(scene)
        }
    }

    func testInTheDeinitOfAnObjectThatIsReleasedBecauseTheReceiverIsFreed() throws {
        try withEachVictim { scene in
            try scene.proxy.schedule(Cargo(0, scene.alive) { scene.freeVictim() }) { _, _ in XCTFail("it arrived") }
            scene.sendMore()
            scene.inbox.free()
        }
    }

    func testInTheDestructorOfMemoryThatIsFreedBecauseTheReceiverIsFreed() throws {
        try withEachVictim { scene in
            let memory = try TallocContext()
            memory.setDestructor { _ in
                scene.freeVictim()
                return .allow
            }
            nonisolated(unsafe) let given = memory
            try scene.proxy.schedule(memory: given) { _, _ in XCTFail("it arrived") }
            scene.sendMore()
            scene.inbox.free()
        }
    }

    func testWhileMessagesWaitAmongTheImmediates() throws {
        try withEachVictim { scene in
            schedule(on: scene.events) { scene.freeVictim() }
            scene.sendMore()
            run(scene)
        }
    }

    func testWhileMessagesWaitInTheChannel() throws {
        try withEachVictim { scene in
            scene.sendMore()
            scene.freeVictim()
        }
    }

    func testWhileSomeMessagesWaitHereAndSomeThere() throws {
        try withEachVictim { scene in
            schedule(on: scene.events) {
                for number in 0..<3 {
                    scene.proxy.send(Cargo(number, scene.alive)) { _, _ in XCTFail("it arrived") }
                }
                scene.freeVictim()
            }
            scene.sendMore()
            run(scene)
        }
    }

    func testMessagesOfAFreedReceiverAreReleasedWhenTheyAreTakenFromTheChannel() throws {
        try withEachVictim { scene in
            let (handle, channel) = (scene.inbox.tallocHandle, scene.events.record().pointee.channel!)
            // What a thread sends that has just found the inbox, and is held up for a moment.
            let opening = MessageOpening { message, events in
                XCTAssertNil(events)
                message.freeMessage(contentSize: 0)
                if scene.victim != .inbox { scene.freeVictim() }
            }
            let message = MessagePointer.make(for: handle, contentSize: 0, opening: opening)
            scene.inbox.free()
            if scene.victim == .inbox { scene.log.add("free") }
            scene.other.send { [log = scene.log] _ in log.add("other") }
            if scene.victim == .inbox { XCTAssertTrue(channel.send(message)) }
            guard scene.victim != .inbox else { return }
            XCTAssertTrue(channel.send(message))
            run(scene)
        }
    }

    func testInATraceOfTheContextsEnd() throws {
        try onEachBackend { backend in
            let scene = try Scene(backend: backend, victim: .inbox)
            schedule(on: scene.events) {}
            let immediate = try ImmediateEvent(under: scene.parent)
            immediate.schedule(on: scene.events) { _, _ in XCTFail("the immediate ran") }
            scene.sendMore()
            // Now the messages have joined the immediates, after the one that is left.
            XCTAssertEqual(try scene.events.loopOnce(), .handled)
            var successors: [ImmediateEvent] = []
            scene.events.setImmediateTrace { _, _ in
                scene.freeVictim()
                // One of them gets the slot that the inbox had, and must not receive its messages.
                successors = (0..<4).map { _ in sure { try ImmediateEvent(under: scene.parent) } }
            }
            scene.events.free()
            XCTAssertTrue(successors.contains { $0.tallocHandle.slot == scene.inbox.tallocHandle.slot })
            XCTAssertEqual(scene.log.all, ["free"])
            XCTAssertEqual(scene.alive.value, 0)
            scene.parent.free()
        }
    }

    // MARK: What a sender learns

    func testASenderGetsItsObjectBackOnceAndLearnsWhatToDo() throws {
        try onBothBackends { events, _ in
            let inbox = try ThreadInbox(on: events)
            let (proxy, alive) = (inbox.proxy, SharedCount())
            XCTAssertFalse(proxy.isClosed)
            inbox.free()
            XCTAssertTrue(proxy.isClosed)
            do {
                try proxy.schedule(Cargo(5, alive)) { _, _ in XCTFail("it arrived") }
                XCTFail("nothing was thrown")
            } catch let error as LoopEndedError<Cargo> {
                XCTAssertEqual(alive.value, 1)
                XCTAssertEqual(error.takePayload()?.number, 5)
                XCTAssertNil(error.takePayload())
                XCTAssertEqual(alive.value, 0)
                XCTAssertEqual(
                    "\(error)",
                    "the message was not sent: the loop that should receive it has ended, or its inbox was freed; "
                        + "takePayload() gives back what was to be sent")
            }
        }
    }

    func testAnObjectThatIsNotTakenBackIsReleasedWithTheError() throws {
        try onBothBackends { events, _ in
            let inbox = try ThreadInbox(on: events)
            let (proxy, alive) = (inbox.proxy, SharedCount())
            inbox.free()
            XCTAssertThrowsError(try proxy.schedule(Cargo(alive)) { _, _ in })
            XCTAssertEqual(alive.value, 0)
        }
    }

    func testASenderGetsItsMemoryBackAsARoot() throws {
        try onBothBackends { events, _ in
            let proxy = try ThreadInbox(on: events).proxy
            events.free()
            let (parent, alive) = (try TallocContext(), SharedCount())
            do {
                let tree = try makeTree(chunks: 3, alive)
                tree.move(under: parent)
                nonisolated(unsafe) let given = tree
                try proxy.schedule(memory: given) { _, _ in XCTFail("it arrived") }
                XCTFail("nothing was thrown")
            } catch let error as LoopEndedError<TallocContext> {
                let memory = error.takePayload()
                XCTAssertEqual(memory?.totalBlocks, 4)
                XCTAssertNil(memory?.parent)
                XCTAssertNil(error.takePayload())
                memory?.free()
            }
            XCTAssertEqual(alive.value, 0)
            XCTAssertEqual(parent.totalBlocks, 1)
            parent.free()
        }
    }

    func testOfManyThreadsThatTakeTheObjectBackOneGetsIt() throws {
        let proxy = try withTallocContext { try ThreadInbox(on: EventContext(under: $0)).proxy }
        for _ in 0..<rounds(200) {
            do {
                try proxy.schedule(1) { _, _ in }
            } catch {
                let takers = try (0..<3).map { number in
                    try SystemThread(named: "taker \(number)") { error.takePayload() == nil ? 0 : 1 }
                }
                XCTAssertEqual(try takers.reduce(0) { try $0 + $1.join() }, 1)
            }
        }
    }

    func testAProxyThatIsKeptLongAfterStillKnows() throws {
        try onEachBackend { backend in
            var kept: [ThreadProxy] = []
            var triggers: [ThreadTrigger] = []
            for _ in 0..<200 {
                let events = try EventContext(backend: backend)
                kept.append(try ThreadInbox(on: events).proxy)
                triggers.append(try ThreadedImmediate(on: events) { _, _ in }.trigger)
                events.free()
            }
            // Other objects have their slots, wakers and memory by now.
            let events = try EventContext(backend: backend, clock: ManualClock())
            defer { events.free() }
            let inboxes = try (0..<200).map { _ in try ThreadInbox(on: events) }
            for proxy in kept {
                XCTAssertTrue(proxy.isClosed)
                XCTAssertThrowsError(try proxy.schedule { _ in XCTFail("another loop ran it") })
            }
            for trigger in triggers { XCTAssertThrowsError(try trigger.schedule()) }
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            XCTAssertEqual(inboxes.filter(\.isFreed), [])
        }
    }
}
