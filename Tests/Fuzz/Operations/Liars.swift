import Talloc
import Tevent

/// A conformance that returns another object each time it is asked, and does something first.
struct Liar: TallocObject {
    let world: World
    let step: Operation
    let foreign: Foreign

    var request: LyingRequest { LyingRequest(liar: self) }
    var event: LyingEvent { LyingEvent(liar: self) }

    var tallocHandle: TallocHandle {
        foreign.runPart()
        let choice = [step.a, step.b, step.c, step.d][foreign.model.calls % 4]
        // Sometimes one that was freed: the engine must check what it returns.
        let object = choice % 16 == 0 ? world.anything(choice) : world.object(choice)
        return (object ?? world.root).tallocHandle
    }
}

/// A request that returns another handle each time it is asked.
struct LyingRequest: RequestProtocol {
    let liar: Liar

    var tallocHandle: TallocHandle {
        let handle = liar.tallocHandle
        let choices = [liar.step.a, liar.step.b, liar.step.c]
        let request = liar.world.anyRequest(choices[liar.foreign.model.calls % 3])
        return request?.tallocHandle ?? handle
    }
}

/// An event that returns another handle each time it is asked.
struct LyingEvent: Event {
    let liar: Liar

    var tallocHandle: TallocHandle {
        let handle = liar.tallocHandle
        let (world, number) = (liar.world, liar.step.b)
        switch liar.foreign.model.calls % 4 {
        case 0: return world.timer(number)?.tallocHandle ?? handle
        case 1: return world.immediate(number)?.event.tallocHandle ?? handle
        case 2: return world.descriptor(number)?.event.tallocHandle ?? handle
        default: return world.signal(number)?.tallocHandle ?? handle
        }
    }
}

/// Bytes whose count changes each time it is asked.
struct LyingBytes: Collection {
    let foreign: Foreign

    var startIndex: Int { 0 }
    var endIndex: Int {
        foreign.runPart()
        return foreign.model.calls % 7
    }
    // By two, so that it eventually passes the end, which advances by one.
    func index(after index: Int) -> Int { (index + 2) % 7 }
    subscript(index: Int) -> UInt8 { UInt8(truncatingIfNeeded: index) }
}

extension Kind {
    /// Steps with a liar in place of an object: it names {a@}, {b@}, {c@} and {d@} in turn.
    static let liars: [Kind] = [
        lie("liar-parent", "make an object of any kind under it", share: 6) { world, step, liar in
            try world.makeAnything(under: liar, step)
        },
        lie("liar-free", "free it") { world, _, liar in _ = world.releasing { liar.free() } },
        lie("liar-move", "move it under another one", share: 4) { world, step, liar in
            liar.move(under: Liar(world: world, step: step, foreign: liar.foreign))
        },
        lie("liar-under", "move {b@} under it", share: 4) { world, step, liar in
            if let object = world.object(step.b), world.changing.isEmpty { object.move(under: liar) }
        },
        lie("liar-tree", "look at it as memory", share: 3) { _, _, liar in
            _ = liar.name
            _ = (liar.parent, liar.children, liar.totalSize, liar.totalBlocks)
            _ = liar.report().description
        },
        lie("liar-root", "move it out of its tree, and free what is below it") { world, step, liar in
            world.everything += [step.a, step.b, step.c, step.d].compactMap(world.object)
            liar.moveToRoot()
            world.releasing { liar.freeChildren() }
        },
        lie("liar-value", "use it as a chunk of each type", share: 4) { world, _, liar in
            for type in World.valueTypes { world.use(type, liar) }
        },
        lie("liar-event", "use it as an event", share: 3) { _, step, liar in
            let liar = liar.event
            liar.tag = UInt64(step.b) << 40
            _ = (liar.tag, liar.origin, liar.context)
        },
        lie("liar-request", "use it as a request", share: 4) { _, _, liar in
            let liar = liar.request
            _ = (liar.status, liar.isInProgress, liar.origin, liar.endTime)
            _ = liar.error.map { "\($0)" }
            _ = liar.callbackData?.isFreed
            _ = (liar.description, liar.defaultDescription)
        },
        lie("liar-end", "end it as a request", share: 4) { world, step, liar in
            try world.releasing { try world.end(liar.request, step.b) }
        },
        lie("liar-times", "let it time out, post it, and profile it", share: 3) { world, step, liar in
            guard let events = world.context(step.a) else { return }
            let liar = liar.request
            try liar.setEndTime(after: .nanoseconds(step.b), on: events)
            liar.resetEndTime()
            liar.startProfile(on: events)
            liar.deferCallback(on: events)
        },
        lie("liar-blocker", "add it to q{a} as a blocker", share: 2) { world, step, liar in
            guard let queue = world.queue(step.a), let events = world.context(step.b) else { return }
            _ = try queue.addBlocker(liar.request, on: events)
        },
        lie("liar-data", "give it as data for the callback of r{a}", share: 2) { world, step, liar in
            guard let model = world.request(step.a), world.mayEnd(model.request) else { return }
            world.setCallback(World.valueTypes[model.type], of: model, data: liar)
        },
        lie("liar-poll", "run the loop of e{a} until it ends", share: 1) { world, step, liar in
            guard let events = world.context(step.a) else { return }
            try world.loop { try liar.request.poll(on: events) }
        },
        lie("liar-limit", "limit it") { _, step, liar in try liar.setMemoryLimit(bytes: step.b * 100 + 1) },
        Kind("liar-bytes", "write bytes to d{a} whose number changes while it is asked:", share: 2, .kept) {
            world, step in
            guard let end = world.pipe(step.a)?.writer, end.isOpen else { return }
            _ = try SystemIO.write(end.descriptor, LyingBytes(foreign: Foreign(world, step)))
        },
    ]
}

/// A step with a liar.
private func lie(
    _ name: String, _ words: String, share: Int = 2,
    _ act: @escaping @Sendable (World, Operation, Liar) throws -> Void
) -> Kind {
    let words = "with a liar that names {a@}, {b@}, {c@} and {d@} in turn: \(words); before each it does a part of:"
    return Kind(name, words, share: share, .kept) { world, step in
        try act(world, step, Liar(world: world, step: step, foreign: Foreign(world, step)))
    }
}

extension World {
    /// The object in a register, freed or not.
    fileprivate func anything(_ number: Int) -> TallocContext? {
        let register = Register(any: number)
        let index = register.index
        switch register.content {
        case .memory: return registers.memory[index]
        case .value: return registers.values[index]?.chunk
        case .context: return registers.contexts[index]?.tallocContext
        default: return object(number)
        }
    }

    fileprivate func makeAnything(under liar: Liar, _ step: Operation) throws {
        guard let events = context(step.a) else { return }
        let choice = step.b % 14
        switch choice {
        case 0: keep(try TallocContext(under: liar), at: step.a)
        case 1: _ = try TallocChunk(7, under: liar)
        case 2: _ = try TallocPool(objects: 1, bytes: 100, under: liar)
        case 3: _ = try events.addTimer(after: .zero, under: liar) { _, _ in }
        case 4: _ = try ImmediateEvent(under: liar)
        case 5: _ = try events.addSignal(.windowChange, under: liar) { _, _ in }
        case 6:
            guard let end = pipe(step.c)?.reader, end.isOwn else { return }
            _ = try events.addFD(end.descriptor, .read, under: liar) { event, _ in event.free() }
        case 7:
            guard let end = pipe(step.c)?.reader, end.isOwn else { return }
            _ = try events.hold(end.descriptor, under: liar)
        case 8: registers.operations[0] = AnyRequest(try Request("state", under: liar))
        case 9: _ = try RequestQueue(label: "queue", under: liar)
        case 10: _ = try ThreadInbox(on: events, under: liar)
        case 11: _ = try ThreadedImmediate(on: events, under: liar) { _, _ in }
        case 12: _ = try Wakeup.send(after: .zero, on: events, under: liar)
        default: allContexts.append(try EventContext(under: liar, clock: clock))
        }
    }

    fileprivate func use<Value: ProgramValue>(_ type: Value.Type, _ liar: Liar) {
        guard let chunk = liar.chunk(of: type), mayUse(chunk.tallocContext) else { return }
        expect(chunk.value.isSound, "a liar has got at a value of another type")
    }

    fileprivate func end(_ liar: LyingRequest, _ choice: Int) throws {
        switch choice % 6 {
        case 0: liar.finish()
        case 1: liar.fail(RequestError.cancelled)
        case 2: liar.fail(code: 3)
        case 3: liar.cancel()
        case 4: liar.discard()
        default: liar.attempt { throw RequestError.cancelled }
        }
    }

    fileprivate func setCallback<Value: ProgramValue>(_ type: Value.Type, of model: RequestModel, data: Liar) {
        let request = model.request.request(expecting: type)
        request.setCallback(data: data) { _ in }
    }
}
