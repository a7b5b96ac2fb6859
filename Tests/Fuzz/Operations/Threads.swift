import Talloc
import Tevent

extension Kind {
    /// Other threads, which run programs of their own.
    static let threads: [Kind] = [
        Kind("thread", "begin a thread with a program of its own that does:", share: 3, .inside) { world, step in
            guard world.threads.count < 3 else { return }
            world.threads.append(
                try world.board.startThread(step.script, number: step.number, world.programClass, world.mode))
        },
        Kind("loop-thread", "begin a thread that receives what is sent to place {a#} of the board", share: 3) {
            world, step in
            guard world.threads.count < 3 else { return }
            world.threads.append(try world.board.startLoop(at: step.a, step, world.programClass, world.mode))
        },
        Kind("join", "join the thread begun first", share: 2) { world, _ in
            guard !world.threads.isEmpty else { return }
            world.joinThread(world.threads.removeFirst())
        },
        Kind("hand-over", "hand a whole context to a thread, which runs its loop and frees it") { world, step in
            guard world.threads.count < 3 else { return }
            world.threads.append(try world.board.handOver(step.b))
        },
    ]
}

extension Board {
    /// Starts a thread that runs a script, runs its loops for a while, and ends.
    fileprivate func startThread(
        _ script: [Operation], number: Int, _ programClass: ProgramClass, _ mode: Mode
    ) throws -> SystemThread<[String]> {
        try SystemThread(named: "fuzz \(number)") { [self] in
            let world = try World(programClass, mode, self)
            world.perform(programClass.prelude.map { .fixed($0.kind, a: $0.a, b: $0.b) })
            world.perform(script)
            world.perform(script)
            for events in world.allContexts where !events.isFreed {
                for _ in 0..<8 { _ = try? events.loopOnce() }
            }
            world.end()
            return world.complaints
        }
    }

    /// Starts a thread with a loop that lives for a few milliseconds.
    fileprivate func startLoop(
        at place: Int, _ step: Operation, _ programClass: ProgramClass, _ mode: Mode
    ) throws -> SystemThread<[String]> {
        try SystemThread(named: "loop \(place)") { [self] in
            let world = try World(programClass, mode, self)
            world.perform([.fixed("event-context"), .fixed("inbox", d: place)])
            if let events = world.context(0) {
                events.maximumWait = .milliseconds(1)
                for _ in 0..<step.b * 2 where !events.isFreed { _ = try? events.loopOnce() }
            }
            world.end()
            return world.complaints
        }
    }

    /// Creates a context with a few events here, and lets another thread run its loop.
    fileprivate func handOver(_ count: Int) throws -> SystemThread<[String]> {
        let events = try EventContext()
        let counter = try TallocChunk(0, under: events)
        for index in 0..<count {
            try events.addTimer(after: .microseconds(index)) { _, _ in counter.value += 1 }
            let immediate = try ImmediateEvent(under: events)
            immediate.schedule(on: events) { immediate, _ in
                counter.value += 1
                immediate.free()
            }
        }
        return try SystemThread(named: "hand-over") {
            let result = try events.loopWait()
            let called = counter.value
            events.free()
            return result == .noEvents && called == count * 2 ? [] : ["a context handed over called \(called) handlers"]
        }
    }
}
