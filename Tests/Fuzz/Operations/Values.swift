import Talloc
import Tevent

extension Kind {
    /// Chunks that hold values of all kinds.
    static let values: [Kind] = [
        Kind("chunk", "v{a} = a chunk of type {b#} under {c@}, whose value does:", share: 4, .kept) { world, step in
            let type = step.b % World.valueTypes.count
            let foreign = Foreign(world, step)
            let chunk = try world.makeChunk(World.valueTypes[type], foreign, under: world.parent(step.c))
            world.everything.append(chunk)
            world.registers.values[step.a % Register.count] = ValueRegister(chunk: chunk, type: type)
        },
        Kind("change", "change the value of v{a}, and meanwhile:", share: 4, .inside) { world, step in
            guard let value = world.value(step.a), world.mayUse(value.chunk) else { return }
            world.change(World.valueTypes[value.type], in: value.chunk, step)
        },
        Kind("get-value", "look at the value of v{a}") { world, step in
            guard let value = world.value(step.a), world.mayUse(value.chunk) else { return }
            world.look(World.valueTypes[value.type], in: value.chunk)
        },
        Kind("set-value", "give v{a} another value, which does:", share: 3, .kept) { world, step in
            guard let value = world.value(step.a), world.mayUse(value.chunk) else { return }
            world.replace(World.valueTypes[value.type], in: value.chunk, Foreign(world, step))
        },
        Kind(
            "chunk-destructor",
            "the destructor of v{a} {b:allows|refuses|refuses at first|is taken away} and does:", share: 2, .kept
        ) { world, step in
            guard let value = world.value(step.a) else { return }
            world.setDestructor(World.valueTypes[value.type], of: value.chunk, Foreign(world, step), step.b % 4)
        },
        Kind("rename-chunk", "give v{a} the name 'value {b#}'", share: 1) { world, step in
            guard let value = world.value(step.a) else { return }
            try world.rename(World.valueTypes[value.type], value.chunk, "value \(step.b)")
        },
        Kind("wrong-type", "ask {a@} for values of types that it does not hold", share: 1) { world, step in
            guard let object = world.object(step.a) else { return }
            world.expect(object.chunk(of: String.self) == nil, "a chunk is taken for another type")
            world.expect(object.chunk(of: (@Sendable () -> Void).self) == nil, "a chunk is taken for another type")
        },
    ]
}

extension World {
    func makeChunk<Value: ProgramValue>(
        _ type: Value.Type, _ foreign: Foreign, under parent: TallocContext
    ) throws -> TallocContext {
        try TallocChunk(Value.make(foreign), under: parent).tallocContext
    }

    /// Whether the value of a chunk may be used, because it is not being changed.
    func mayUse(_ chunk: TallocContext) -> Bool { isCareless || !changing.contains(chunk) }

    func change<Value: ProgramValue>(_ type: Value.Type, in chunk: TallocContext, _ step: Operation) {
        guard let chunk = chunk.chunk(of: type) else { return complain("a chunk has lost its type") }
        changing.append(chunk.tallocContext)
        chunk.value.change { perform(step.script) }
        changing.removeLast()
        expect(chunk.value.isSound, "a value was written over while it was changed")
    }

    func look<Value: ProgramValue>(_ type: Value.Type, in chunk: TallocContext) {
        guard let chunk = chunk.chunk(of: type) else { return complain("a chunk has lost its type") }
        expect(chunk.value.isSound, "a value was written over")
        expect(chunk.tallocContext.chunk(expecting: type) == chunk, "a chunk is not what it is")
    }

    fileprivate func rename<Value: ProgramValue>(_ type: Value.Type, _ chunk: TallocContext, _ name: String) throws {
        try chunk.chunk(expecting: type).setName(name)
        expect(chunk.name == name, "a chunk has another name")
    }

    func replace<Value: ProgramValue>(_ type: Value.Type, in chunk: TallocContext, _ foreign: Foreign) {
        guard let chunk = chunk.chunk(of: type) else { return complain("a chunk has lost its type") }
        chunk.value = .make(foreign)
    }

    func setDestructor<Value: ProgramValue>(
        _ type: Value.Type, of chunk: TallocContext, _ foreign: Foreign, _ choice: Int
    ) {
        guard let chunk = chunk.chunk(of: type) else { return complain("a chunk has lost its type") }
        guard choice < 3 else { return chunk.setDestructor(nil) }
        chunk.setDestructor { [unowned self] chunk in decide(foreign, chunk, choice) }
    }
}
