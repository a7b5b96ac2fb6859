import Talloc
import Tevent

extension Kind {
    /// Memory that is created, moved, named, inspected and freed.
    static let trees: [Kind] = [
        Kind("context", "m{a} = a context under {c@}", share: 4) { world, step in
            world.keep(try TallocContext(under: world.parent(step.c), named: "memory"), at: step.a)
        },
        Kind("root", "m{a} = a context of its own", share: 1) { world, step in
            world.keep(try TallocContext(named: "a root"), at: step.a)
        },
        Kind("pool", "m{a} = a pool for {b#} objects and 32 × {d#} bytes, under {c@}") { world, step in
            let pool = try TallocPool(objects: step.b, bytes: step.d * 32, under: world.parent(step.c))
            world.keep(pool.tallocContext, at: step.a)
        },
        Kind("free", "free {a@}", share: 3) { world, step in
            guard let object = world.object(step.a) else { return }
            world.free(object)
        },
        Kind("free-children", "free what is below {a@}", share: 1) { world, step in
            guard let object = world.object(step.a), world.mayFree(object) else { return }
            world.releasing { object.freeChildren() }
        },
        Kind("move", "move {a@} under {c@}", share: 3) { world, step in
            guard let object = world.object(step.a) else { return }
            let parent = world.parent(step.c)
            if world.mayMove(object, under: parent) { object.move(under: parent) }
        },
        Kind("move-to-root", "move {a@} out of its tree", share: 1) { world, step in
            guard let object = world.object(step.a) else { return }
            world.everything.append(object)
            object.moveToRoot()
        },
        Kind("rename", "give {a@} the name 'name {b#}'", share: 1) { world, step in
            try world.object(step.a)?.setName("name \(step.b)")
        },
        Kind(
            "destructor", "the destructor of m{a} {b:allows|refuses|refuses at first|is taken away} and does:",
            share: 4,
            .kept
        ) { world, step in
            guard let object = world.memory(step.a) else { return }
            guard step.b % 4 < 3 else { return object.setDestructor(nil) }
            let foreign = Foreign(world, step)
            object.setDestructor { [unowned world] object in world.decide(foreign, object, step.b % 4) }
        },
        Kind("look", "look at {a@} from all sides") { world, step in
            guard let object = world.object(step.a) else { return }
            let report = object.report()
            world.expect(report.entries.count == object.totalBlocks, "a report leaves chunks out")
            world.expect(!report.description.isEmpty && !report.drawing(.names).isEmpty, "a report says nothing")
            world.expect(object.totalSize == report.entries.map(\.size).reduce(0, +), "the sizes do not add up")
            world.expect(object.children.allSatisfy { $0.parent == object }, "a child has another parent")
            world.expect(object.chunk(of: Int.self) == nil, "it is taken for another")
        },
        Kind("with-context", "m{a} = a context for as long as this runs:", share: 1, .inside) { world, step in
            guard world.changing.isEmpty else { return }
            try world.releasing {
                try withTallocContext { memory in
                    world.keep(memory, at: step.a)
                    world.perform(step.script)
                }
            }
        },
    ]

    /// Memory limits, which make any allocation fail.
    static let limits: [Kind] = [
        Kind("limit", "limit {a@} to {b#} × 64 bytes more than it has", share: 2) { world, step in
            guard let object = world.object(step.a) else { return }
            try object.setMemoryLimit(bytes: object.totalSize + step.b * 64 + 1)
        },
        Kind("no-limit", "lift the limit of {a@}", share: 1) { world, step in
            try world.object(step.a)?.setMemoryLimit(bytes: nil)
        },
    ]
}

extension World {
    /// Keeps a context in a register, and remembers it for the end.
    func keep(_ memory: TallocContext, at number: Int) {
        everything.append(memory)
        registers.memory[number % Register.count] = memory
    }

    func free(_ object: TallocContext) {
        guard mayFree(object) else { return }
        _ = releasing { object.free() }
    }

    /// What the destructor of an object decides: 0 to allow, 1 to refuse, 2 to refuse at first.
    func decide(_ foreign: Foreign, _ object: some TallocObject, _ choice: Int) -> FreeDecision {
        expect(!object.isFreed, "a destructor is asked after its object was freed")
        foreign.run()
        guard !isOver, choice > 0 else { return .allow }
        return choice == 1 || foreign.model.calls < 2 ? .refuse : .allow
    }
}
