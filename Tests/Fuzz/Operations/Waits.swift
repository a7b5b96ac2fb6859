import Talloc
import TeventTasks

extension Kind {
    /// What tasks wait for.
    static let waits: [Kind] = [
        Kind(waiting: "await-value", "await the value of w{a}", share: 6) { world, step, task in
            guard let awaited = world.awaited(step.a) else { return }
            await world.wait(task, for: awaited, "#\(step.number) awaits a value") { try await awaited.value() }
        },
        Kind(waiting: "await-end", "await the end of w{a}, and {b:leave it|free it}", share: 4) { world, step, task in
            guard let awaited = world.awaited(step.a) else { return }
            let words = "#\(step.number) awaits an end"
            let (mustWait, handlers) = (awaited.request.isInProgress, world.handlerCount)
            await world.wait(task, for: awaited, words) {
                try await awaited.request.ended()
                // Now and then, a task that does not need to wait gives way.
                let hasWaited = handlers != world.handlerCount && !world.hasAwaitedMany
                world.expect(mustWait || !hasWaited, "\(words): it waited for nothing")
                world.expect(awaited.hasEnded, "#\(step.number): a wait is over, and the request has not ended")
                if step.b % 2 == 1 { awaited.request.free() }
                return nil
            }
        },
        Kind(waiting: "await-task", "await the value of k{a}", share: 4) { world, step, task in
            guard let awaited = world.task(step.a) else { return }
            await world.wait(task, for: awaited, "#\(step.number) awaits a task") { try await awaited.value() }
        },
        Kind(waiting: "await-task-end", "await the end of k{a}", share: 2) { world, step, task in
            guard let awaited = world.task(step.a) else { return }
            await world.wait(task, for: awaited, "#\(step.number) awaits a task's end") {
                try await awaited.request.ended()
                world.expect(awaited.hasEnded, "#\(step.number): a wait is over, and the task has not ended")
                return nil
            }
        },
        Kind(waiting: "sleep", "sleep for {c:0|1|2|3|5|-1} ns {d:with the function|with the clock}", share: 6) {
            world, step, task in
            guard !task.events.isFreed else { return }
            try await world.sleep(task, step, on: task.events)
        },
        Kind(waiting: "sleep-elsewhere", "sleep for {c:0|1|2|3|5|-1} ns on e{b}", share: 1) { world, step, task in
            guard let events = world.context(step.b) else { return }
            try await world.sleep(task, step, on: events)
        },
        Kind(waiting: "yield", "let everything else run", share: 3) { world, step, task in
            guard !task.events.isFreed else { return }
            let order = world.order(of: task.events)
            let (place, ready) = order.beginYielding("#\(step.number)")
            defer { order.endYielding(place, ready) }
            do {
                try await world.waiting(task, for: WaitModel("#\(step.number) yields") { false }) {
                    try await task.events.yield()
                }
                world.expect(!task.events.isFreed, "#\(step.number) yielded without an error")
            } catch { world.expect(task.events.isFreed, "#\(step.number) threw \(error)") }
        },
        Kind(waiting: "yield-to-tasks", "let other tasks run", share: 3) { world, step, task in
            // It is enqueued twice, so that its place is not known.
            let order = world.order(of: task.events)
            let earlier = order.waiting
            try await world.waiting(task, for: WaitModel("#\(step.number) yields to tasks") { false }) {
                await Task.yield()
            }
            order.expectOver(earlier, before: "#\(step.number)")
        },
        Kind(waiting: "await-many", "await what has ended 70 times", share: 1) { world, step, task in
            world.hasAwaitedMany = true
            for number in 0..<70 where !task.events.isFreed {
                let request = try Request(number, under: world.root)
                request.finish()
                let value = try await world.waiting(task, for: WaitModel("#\(step.number) awaits many") { false }) {
                    try await request.value
                }
                world.expect(value == number, "#\(step.number) received \(value)")
            }
        },
        Kind(waiting: "turn", "for a turn in q{a}, whose owner is {c@}:", share: 4, .task) { world, step, task in
            guard let queue = world.queue(step.a), !task.events.isFreed else { return }
            try await world.takeTurn(task, step, in: queue)
        },
        Kind(waiting: "deadline", "for {c:0|1|2|3|5|-1} ns at most:", share: 4, .task) { world, step, task in
            guard !task.events.isFreed else { return }
            try await world.performWithDeadline(step, in: task)
        },
        Kind(
            waiting: "group", "{b#} children that each do this, {c:awaited|cancelled|the first awaited}:", share: 4,
            .task
        ) {
            world, step, task in
            guard !task.events.isFreed else { return }
            try await world.performInGroup(step, of: task)
        },
    ]
}

extension World {
    private static let delays: [Duration] = [0, 1, 2, 3, 5, -1].map { .nanoseconds($0) }

    fileprivate func sleep(_ task: TaskModel, _ step: Operation, on events: EventContext) async throws {
        let words = "#\(step.number) sleeps"
        let delay = max(Self.delays[step.c % 6], .zero)
        let deadline = events.now.advanced(by: delay)
        let order = order(of: events)
        let isOwn = events == task.events
        // Freed with what is below the context, as the request of the sleep is.
        let probe = try TallocContext(under: events)
        // Those of other tasks' loops may continue later.
        let time =
            isOwn
            ? order.addTime(words, at: deadline, isTimer: false) { task.isCancelled || task.isUnpredictable } : nil
        let wait = WaitModel(words) {
            !probe.isFreed && !task.events.isFreed && !task.isCancelled && events.now < deadline
        }
        defer { if !probe.isFreed { probe.free() } }
        do {
            try await waiting(task, for: wait) {
                if isOwn, step.d % 2 == 1 {
                    try await Task.sleep(for: delay, clock: try events.clock)
                } else {
                    try await events.sleep(for: delay)
                }
            }
            if let time { order.reach(time) }
            expect(events.isFreed || events.now >= deadline, "\(words) too short")
        } catch {
            if let time { order.reach(time, inTime: false) }
            let isRight =
                switch error {
                case RequestError.cancelled: task.isCancelled || task.isUnpredictable
                case TaskError.loopEnded: task.events.isFreed
                case TaskError.freed: !task.events.isFreed && probe.isFreed
                default: false
                }
            expect(isRight, "\(words): \(error)")
        }
    }

    fileprivate func takeTurn(_ task: TaskModel, _ step: Operation, in queue: RequestQueue) async throws {
        let words = "#\(step.number) waits for a turn"
        let parent = parent(step.c)
        // Freed with what is below its parent, as the turn is.
        let probe = try TallocContext(under: parent)
        defer { if !probe.isFreed { probe.free() } }
        var isWaiting = true
        let wait = WaitModel(words) {
            guard !task.events.isFreed, !task.isCancelled, !probe.isFreed else { return false }
            return queue.isFreed || !queue.isRunning || queue.length > 1
        }
        expect(task.wait == nil, "\(task.words) waits for two things")
        task.wait = wait
        do {
            try await queue.withTurn(on: task.events, under: parent) { turn in
                task.wait = nil
                isWaiting = false
                handlerRuns(in: task.events)
                expect(!turn.isFreed, "\(words): it was freed")
                if !queue.isFreed {
                    expect(queue.entries.first?.request.tallocHandle == turn.tallocHandle, "\(words): it is not first")
                }
                await perform(step.script, in: task)
            }
        } catch {
            guard isWaiting else { return complain("\(words): its function threw \(error)") }
            let isRight =
                switch error {
                case RequestError.cancelled: task.isCancelled || task.isUnpredictable
                case TaskError.loopEnded: task.events.isFreed
                case TaskError.freed: !task.events.isFreed && probe.isFreed
                default: false
                }
            expect(isRight, "\(words): \(error)")
        }
        task.wait = nil
    }

    fileprivate func performWithDeadline(_ step: Operation, in task: TaskModel) async throws {
        let foreign = Foreign(self, step)
        let child = TaskModel("the child \(foreign.model.words)", on: task.events, parent: task)
        allTasks.append(child)
        let delay = Self.delays[step.c % 6]
        let deadline = task.events.now.advanced(by: delay)
        child.deadline = deadline
        let place = order(of: task.events).enqueue(child.words)
        let wait = WaitModel("#\(step.number) has a deadline") { !child.hasEnded }
        do {
            let number = try await waiting(task, for: wait) {
                try await withDeadline(after: delay, on: task.events) {
                    await foreign.world.run(child, foreign, step.script, at: place)
                    if step.d % 3 == 0 { throw RequestError.code(5) }
                    return step.number
                }
            }
            expect(child.hasEnded && number == step.number && step.d % 3 > 0, "\(child.words) returned \(number)")
        } catch {
            let isRight =
                switch error {
                case RequestError.timedOut: task.events.isFreed || task.events.now >= deadline
                case RequestError.code(5): child.hasEnded
                case TaskError.loopEnded: !child.hasBegun && task.events.isFreed
                default: false
                }
            expect(isRight && (child.hasEnded || !child.hasBegun), "\(child.words): \(error)")
        }
    }

    fileprivate func performInGroup(_ step: Operation, of task: TaskModel) async throws {
        let foreign = Foreign(self, step)
        let children = (0...step.b % 3).map { number in
            TaskModel("child \(number) of \(foreign.model.words)", on: task.events, parent: task)
        }
        allTasks += children
        let wait = WaitModel("#\(step.number) has a group") { children.contains { $0.hasBegun && !$0.hasEnded } }
        try await waiting(task, for: wait) {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for (number, child) in children.enumerated() {
                    let place = order(of: task.events).enqueue(child.words) { !child.mustBegin }
                    try group.addTask(on: task.events) {
                        await foreign.world.run(child, foreign, step.script, at: place)
                        return number
                    }
                }
                if step.c % 3 == 1 {
                    for child in children { child.wasCancelled = true }
                    group.cancelAll()
                }
                var results: Set<Int> = []
                do {
                    while let number = try await group.next() {
                        expect(children[number].hasEnded, "\(children[number].words) ends before its end")
                        results.insert(number)
                        guard step.c % 3 == 2 else { continue }
                        for child in children { child.wasCancelled = true }
                        group.cancelAll()
                        return
                    }
                    expect(results.count == children.count, "a group has \(results.count) results")
                } catch {
                    for child in children { child.wasCancelled = true }
                    expect(error as? TaskError == .loopEnded && task.events.isFreed, "a child threw \(error)")
                    throw error
                }
            }
        }
    }
}
