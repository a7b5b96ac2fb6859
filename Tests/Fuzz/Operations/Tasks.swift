import Talloc
import TeventTasks

extension Kind {
    /// Tasks, and what ends them.
    static let tasks: [Kind] = [
        Kind(
            "task", "k{a} = a task of e{b} under {c@} that {d:returns|returns|returns|throws|is cancelled} after:",
            share: 12, .task
        ) { world, step in
            guard let events = world.context(step.b) else { return }
            try world.beginTask(step, on: events, under: world.parent(step.c))
        },
        Kind("cancel-task", "cancel k{a}", share: 4) { world, step in
            guard let task = world.task(step.a), !task.isGone else { return }
            let isInProgress = task.request.isInProgress
            world.expect(task.request.cancel() == isInProgress, "a task that lives cannot be cancelled, or another can")
            if isInProgress { task.worker?.wasCancelled = true }
        },
        Kind("free-task", "free k{a}", share: 4) { world, step in
            if let task = world.task(step.a) { world.free(task.request.tallocContext) }
        },
        Kind("discard-task", "release what is in k{a}", share: 1) { world, step in
            guard let task = world.task(step.a), world.mayFree(task.request) else { return }
            world.releasing { task.request.discard() }
        },
        Kind("fail-task", "let k{a} fail with code 7", share: 1) { world, step in
            guard let task = world.task(step.a), task.request.isInProgress else { return }
            world.releasing { _ = task.request.fail(code: 7) }
        },
        Kind("end-time-task", "let k{a} time out in {c:0|1|2|5|-1} ns on e{b}", share: 1) { world, step in
            guard let task = world.task(step.a), task.request.isInProgress, let events = world.context(step.b) else {
                return
            }
            try task.request.setEndTime(after: .nanoseconds([0, 1, 2, 5, -1][step.c % 5]), on: events)
        },
        Kind("run", "run on the loop of e{a} for {b#} ns at most:", share: 3, .task) { world, step in
            guard let events = world.context(step.a) else { return }
            try world.runToTheEnd(step, on: events)
        },
        Kind("new-queue", "q{a} = a queue under {c@}", share: 2) { world, step in
            try Kind.named("queue").perform(world, step)
        },
        Kind("stop-turns", "{b:stop|start|start|free} q{a}", share: 2) { world, step in
            guard let queue = world.queue(step.a) else { return }
            switch step.b % 4 {
            case 0: queue.stop()
            case 3: world.free(queue.tallocContext)
            default: queue.start()
            }
        },
    ]
}

extension World {
    fileprivate func beginTask(_ step: Operation, on events: EventContext, under parent: TallocContext) throws {
        let foreign = Foreign(self, step)
        let model = TaskModel("the task \(foreign.model.words)", on: events)
        var place: RunOrder.Place?
        let request = try events.task(under: parent) {
            await foreign.world.run(model, foreign, step.script, at: place)
            switch step.d % 5 {
            case 3: throw RequestError.code(5)
            case 4: throw CancellationError()
            default: return step.number
            }
        }
        let awaited = AwaitedModel(AnyRequest(request), step, isCancellable: true) {
            try await request.value
        }
        request.setCleanup { [unowned self] _, status in ended(awaited, status) }
        awaited.worker = model
        model.request = awaited
        place = order(of: events).enqueue(model.words) { !model.mustBegin }
        allTasks.append(model)
        registers.tasks[step.a % Register.count] = awaited
    }

    /// Runs a function that ends by itself.
    fileprivate func runToTheEnd(_ step: Operation, on events: EventContext) throws {
        guard loops < 3, changing.isEmpty else { return }
        loops += 1
        defer { loops -= 1 }
        let foreign = Foreign(self, step)
        let model = TaskModel("the function \(foreign.model.words)", on: events, isBounded: true)
        let number = try events.run {
            model.begin()
            if !events.isFreed {
                _ = try? await withDeadline(after: .nanoseconds(step.b), on: events) {
                    await self.perform(step.script, in: model)
                }
            }
            model.hasEnded = true
            return step.number
        }
        expect(model.hasEnded && number == step.number, "\(model.words) returned without its end")
    }
}
