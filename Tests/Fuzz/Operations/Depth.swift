import Talloc
import Tevent

extension Kind {
    /// Structures that are thousands of levels deep.
    static let depth: [Kind] = [
        Kind("deep-tree", "m{a} = the top, m{b} = the bottom of a tree {c#} × 200 levels deep", share: 3) {
            world, step in
            let top = try TallocContext(under: world.root)
            var place = top
            for _ in 0..<step.c * 200 { place = try TallocContext(under: place) }
            world.keep(top, at: step.a)
            world.keep(place, at: step.b)
        },
        Kind(
            "deep-values",
            "m{b} = memory with {c#} × 200 chunks below it, each of whose destructors {d:moves its child away|allows}",
            share: 2
        ) {
            world, step in
            let memory = try TallocContext(under: world.root)
            world.keep(memory, at: step.b)
            var place = try TallocChunk(0, under: memory)
            for index in 0..<step.c * 200 {
                let child = try TallocChunk(index, under: place)
                place.setDestructor { _ in
                    if step.d % 2 == 0, !child.isFreed { child.moveToRoot() }
                    return .allow
                }
                world.everything.append(child.tallocContext)
                place = child
            }
        },
        Kind(
            "deep-requests", "r{a} = the top of requests {c#} × 200 deep, {d:profiled|not profiled}; the last one ends",
            share: 4
        ) {
            world, step in
            let top = try Request(PlainNumber.make(Foreign(world, step)), under: world.root)
            guard let events = world.context(step.b) else { return }
            if step.d % 2 == 0 { top.startProfile(on: events) }
            var place = top
            for _ in 0..<step.c * 200 {
                let child = try Request(PlainNumber.make(Foreign(world, step)), under: place)
                child.setCallback(for: place) { request, owner in
                    request.discard()
                    owner.finish()
                }
                place = child
            }
            world.registers.profiles[0] = top.profile
            let model = RequestModel(AnyRequest(top), type: 0)
            world.registers.requests[step.a % Register.count] = model
            place.finish()
            world.expect(top.status == .done, "the end of the last request did not end the first")
        },
        Kind(
            "deep-cleanups",
            "m{a} = memory with requests {c#} × 100 deep, which end each other in their cleanup functions", share: 1
        ) { world, step in
            let memory = try TallocContext(under: world.root)
            world.keep(memory, at: step.a)
            var place = try Request(0, under: memory)
            for index in 0..<step.c * 100 {
                let child = try Request(index, under: place)
                child.setCleanup { [place] _, status in if status == .done { place.finish() } }
                place = child
            }
            place.finish()
        },
        Kind("deep-look", "look at m{a} and at the profile of r{a} from all sides", share: 2) { world, step in
            if let memory = world.memory(step.a), !memory.isFreed {
                let report = memory.report()
                world.expect(report.entries.count == memory.totalBlocks, "a report leaves chunks out")
                world.expect(!report.drawing(.names).isEmpty, "a report says nothing")
            }
            if let profile = world.registers.profiles[0] {
                let lines = profile.description.split(separator: "\n")
                let isRight = lines.enumerated().allSatisfy { depth, line in
                    line.hasPrefix(depth < 64 ? String(repeating: "  ", count: depth) : "\(depth) deep: ")
                }
                world.expect(!lines.isEmpty && isRight, "a profile tells other depths")
            }
        },
        Kind("deep-free", "free m{a}", share: 2) { world, step in
            if let memory = world.memory(step.a), !memory.isFreed { world.free(memory) }
        },
        Kind("deep-move", "move m{a} under m{b}", share: 1) { world, step in
            guard let memory = world.memory(step.a), let parent = world.memory(step.b) else { return }
            if world.mayMove(memory, under: parent) { memory.move(under: parent) }
        },
        Kind("deep-limit", "limit m{a} for as long as it takes to make something below it", share: 1) { world, step in
            guard let memory = world.memory(step.a) else { return }
            // While there is a limit, creating anything takes time proportional to its depth.
            try memory.setMemoryLimit(bytes: step.b * 100_000 + 1)
            defer { try? memory.setMemoryLimit(bytes: nil) }
            _ = try TallocContext(under: memory)
        },
        Kind("deep-timers", "add and free {c#} × 100 timers of e{b}", share: 1) { world, step in
            guard let events = world.context(step.b) else { return }
            let memory = try TallocContext(under: world.root)
            for index in 0..<step.c * 100 {
                try events.addTimer(after: .nanoseconds(index % 7), under: memory) { _, _ in }
            }
            memory.free()
        },
    ]
}
