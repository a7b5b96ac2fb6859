import Talloc
import Tevent

extension Kind {
    /// Inboxes and threaded immediates, and messages to them.
    static let messages: [Kind] = [
        Kind("inbox", "b{a} = an inbox of e{b} under {c@}", share: 3) { world, step in
            guard let events = world.context(step.b), world.allInboxes.count < 16 else { return }
            let inbox = try ThreadInbox(on: events, under: world.parent(step.c))
            let number = world.board.makeNumber()
            world.allInboxes.append(InboxModel(inbox.tallocContext, context: events, number: number))
            world.registers.inboxes[step.a % Register.count] = inbox
            world.board.post(inbox.proxy, inbox: number, at: step.d)
        },
        Kind("send", "send to place {a#} of the board a function that does:", share: 4, .inside) { world, step in
            world.board.send(step.script, to: step.a)
        },
        Kind("send-payload", "send to place {a#} of the board a payload, and a function that does:", share: 4, .inside)
        {
            world, step in
            world.board.sendParcel(step.script, to: step.a, sendsOn: step.b % 4 == 0 ? step.c : nil)
        },
        Kind(
            "send-memory",
            "send to place {a#} of the board memory, which is {b:freed|kept|sent on} by a function that does:",
            share: 4, .inside
        ) {
            world, step in
            try world.board.sendMemory(step.script, to: step.a, choice: step.b % 3)
        },
        Kind("free-inbox", "free b{a}", share: 1) { world, step in
            if let inbox = world.inbox(step.a) { world.free(inbox.tallocContext) }
        },
        Kind("trigger", "g{a} = a threaded immediate of e{b} under {c@}, whose handler does:", share: 3, .kept) {
            world, step in
            guard let events = world.context(step.b) else { return }
            let foreign = Foreign(world, step)
            let trigger = try ThreadedImmediate(on: events, under: world.parent(step.c)) {
                [unowned world] trigger, loop in
                world.expect(loop == events, "a threaded immediate runs in another loop")
                world.ran(foreign, trigger, in: loop)
            }
            world.registers.triggers[step.a % Register.count] = trigger
            world.board.post(trigger.trigger, at: step.d)
        },
        Kind("pull", "schedule the threaded immediate at place {a#} of the board", share: 4) { world, step in
            try world.board.trigger(at: step.a)?.schedule()
        },
        Kind("look-at-proxies", "look at what is on the board", share: 1) { world, step in
            guard let (proxy, _) = world.board.proxy(at: step.a) else { return }
            do throws(LoopEndedError<Int>) {
                try proxy.schedule(step.b) { _, _ in }
                world.expect(!proxy.isClosed || world.programClass.hasThreads, "a closed inbox accepts a message")
            } catch {
                world.expect(!error.description.isEmpty, "an error has no text")
                world.expect(error.takePayload() == step.b && error.takePayload() == nil, "a payload came back wrong")
            }
        },
        Kind("free-trigger", "free g{a}", share: 1) { world, step in
            if let trigger = world.trigger(step.a) { world.free(trigger.tallocContext) }
        },
    ]
}

extension Board {
    /// Sends a function that runs a script in the program of the receiving loop.
    func send(_ script: [Operation], to place: Int) {
        guard let (proxy, inbox) = proxy(at: place) else { return }
        note(inbox) { $0.accepted += 1 }
        do {
            try proxy.schedule { [self] events in
                note(inbox) { $0.received += 1 }
                World.of(events)?.received(script, in: events)
            }
        } catch { note(inbox) { $0.accepted -= 1 } }
    }

    /// Sends a payload, which the receiver may send on to another place.
    func sendParcel(_ script: [Operation], to place: Int, sendsOn: Int?) {
        guard let (proxy, inbox) = proxy(at: place) else { return }
        send(Parcel(board: self, inbox: inbox), to: proxy, inbox: inbox, script: script, sendsOn: sendsOn)
    }

    private func send(
        _ parcel: consuming sending Parcel, to proxy: ThreadProxy, inbox: Int, script: [Operation], sendsOn: Int?
    ) {
        note(inbox) { $0.accepted += 1 }
        do throws(LoopEndedError<Parcel>) {
            try proxy.schedule(parcel) { [self] (events, parcel: consuming sending Parcel) in
                let world = World.of(events)
                world?.expect(parcel.isSound, "a payload was written over")
                parcel.receive()
                if let sendsOn, let (proxy, inbox) = self.proxy(at: sendsOn) {
                    send(Parcel(board: self, inbox: inbox), to: proxy, inbox: inbox, script: script, sendsOn: nil)
                }
                world?.received(script, in: events)
            }
        } catch {
            note(inbox) { $0.accepted -= 1 }
            error.takePayload()?.receive(isBack: true)
        }
    }

    /// Sends a small tree of memory; its receiver frees it (0), keeps it (1) or sends it on (2).
    func sendMemory(_ script: [Operation], to place: Int, choice: Int) throws {
        guard let (proxy, inbox) = proxy(at: place) else { return }
        let memory = try TallocChunk(Parcel(board: self, inbox: inbox))
        _ = try TallocChunk("below", under: memory)
        _ = try TallocContext(under: try TallocContext(under: memory))
        note(inbox) { $0.accepted += 1 }
        do throws(LoopEndedError<TallocChunk<Parcel>>) {
            try proxy.schedule(memory: memory) { [self] (events, memory: consuming sending TallocChunk<Parcel>) in
                memory.value.receive()
                World.of(events)?.received(script, in: events)
                if choice == 2 { return relay(memory, from: place) }
                if choice == 1, !events.isFreed { memory.move(under: events) } else { memory.free() }
            }
        } catch {
            note(inbox) { $0.accepted -= 1 }
            guard let memory = error.takePayload() else { return }
            memory.value.receive(isBack: true)
            memory.free()
        }
    }

    /// Sends memory that has arrived to the next place.
    private func relay(_ memory: consuming sending TallocChunk<Parcel>, from place: Int) {
        guard let (proxy, _) = proxy(at: place + 1) else { return _ = memory.free() }
        do throws(LoopEndedError<TallocChunk<Parcel>>) {
            try proxy.schedule(memory: memory) { _, memory in memory.free() }
        } catch { error.takePayload()?.free() }
    }
}

extension World {
    /// What the handler of a message does.
    fileprivate func received(_ script: [Operation], in events: EventContext) {
        expect(!events.isFreed, "a message is received by a loop that was freed")
        handlerRuns(in: events)
        messageCount += 1
        if messageCount < 100 { perform(script) }
    }
}
