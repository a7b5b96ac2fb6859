import Talloc
import Tevent

extension Kind {
    /// Queues, and requests that wait in them.
    static let queues: [Kind] = [
        Kind("queue", "q{a} = a queue under {c@}", share: 2) { world, step in
            let queue = try RequestQueue(label: "queue \(step.number)", under: world.requestParent(step.c))
            world.allQueues.append(queue)
            world.registers.queues[step.a % Register.count] = queue
        },
        Kind("add", "n{b} = r{a} in q{c}, {d:at once if it can|later}, with e{d}, whose trigger does:", share: 6, .kept)
        {
            world, step in
            guard let model = world.request(step.a), world.queue(step.c) != nil else { return }
            try world.addEntry(World.valueTypes[model.type], model, step)
        },
        Kind(
            "add-new", "n{b} = a new r{a} in q{c}, {d:at once if it can|later}, with e{d}, whose trigger does:",
            share: 6, .kept
        ) {
            world, step in
            guard world.queue(step.c) != nil else { return }
            let request = try Request(PlainNumber.make(Foreign(world, step)), under: world.requestParent(step.c))
            let model = RequestModel(AnyRequest(request), type: 0)
            world.allRequests.append(model)
            world.registers.requests[step.a % Register.count] = model
            try world.addEntry(PlainNumber.self, model, step)
        },
        Kind("add-blocker", "n{b} = {a:r{a}|x{a}} in q{c} as a blocker, with e{d}", share: 2) { world, step in
            guard let queue = world.queue(step.c), let events = world.context(step.d) else { return }
            guard let request = world.anyRequest(step.a) else { return }
            world.keep(try queue.addBlocker(request, on: events), step, events)
        },
        Kind("queue-wait", "x{a} = a QueueWait in q{c} with e{b}, which {d:…|receives|is freed} and:", share: 2, .kept)
        {
            world, step in
            guard let queue = world.queue(step.c), let events = world.context(step.b) else { return }
            let request = try QueueWait.send(in: queue, on: events, under: world.requestParent(step.c / 4))
            world.keep(request, step) { try $0.receive() }
        },
        Kind("start-queue", "start q{a}", share: 3) { world, step in world.queue(step.a)?.start() },
        Kind("stop-queue", "stop q{a}") { world, step in world.queue(step.a)?.stop() },
        Kind("untrigger", "take the trigger of n{a} back") { world, step in
            guard let entry = world.entry(step.a) else { return }
            guard world.isCareless || (entry.isTriggered && entry.queue?.isRunning == false) else { return }
            entry.untrigger()
        },
        Kind("free-entry", "free n{a}") { world, step in
            if let entry = world.entry(step.a) { world.free(entry.tallocContext) }
        },
        Kind("move-entry", "move n{a} under {c@}", share: 1) { world, step in
            guard let entry = world.entry(step.a)?.tallocContext else { return }
            let parent = world.requestParent(step.c)
            if world.mayMove(entry, under: parent) { entry.move(under: parent) }
        },
        Kind("free-queue", "free q{a}", share: 1) { world, step in
            if let queue = world.queue(step.a) { world.free(queue.tallocContext) }
        },
        Kind("free-active", "free the request whose turn it is in q{a}", share: 5) { world, step in
            guard let request = world.queue(step.a)?.entries.first?.request, !request.isFreed else { return }
            world.free(request.tallocContext)
        },
        Kind("look-at-queue", "look at q{a}", share: 1) { world, step in
            guard let queue = world.queue(step.a) else { return }
            world.expect(queue.entries.allSatisfy { $0.queue == queue && !$0.isFreed }, "a queue has a wrong entry")
            world.expect(queue.entries.count == queue.length, "a queue miscounts its entries")
            world.expect(queue.label.hasPrefix("queue ") && !queue.origin.isEmpty, "a queue has lost its label")
        },
    ]
}

extension World {
    fileprivate func addEntry<Value: ProgramValue>(
        _ type: Value.Type, _ model: RequestModel, _ step: Operation
    ) throws {
        guard let queue = queue(step.c), let events = context(step.d) else { return }
        let request = model.request.request(expecting: type)
        let foreign = Foreign(self, step)
        let trigger = { [unowned self] (request: Request<Value>) in
            expect(!request.isFreed && request.isInProgress, "a trigger is called for a request that has ended")
            foreign.run()
        }
        let entry =
            try step.d % 2 == 0
            ? queue.addOrStart(request, on: events, trigger: trigger)
            : queue.add(request, on: events, trigger: trigger)
        keep(entry, step, events)
    }

    fileprivate func keep(_ entry: RequestQueue.Entry, _ step: Operation, _ events: EventContext) {
        // A trace, or its trigger, may have freed it.
        guard !entry.isFreed else { return }
        entryCount += 1
        entry.tag = entryCount
        contextsOfEntries[entryCount] = events
        registers.entries[step.b % Register.count] = entry
    }
}
