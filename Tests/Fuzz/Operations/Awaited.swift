import Talloc
import TeventTasks

extension Kind {
    /// Requests that tasks wait for, what ends them, and what runs beside the tasks.
    static let awaited: [Kind] = [
        Kind(
            "awaited",
            "w{a} = a request under {c@} that {b:ends when it is cancelled|refuses to be cancelled|cannot be cancelled}, {d:without|with} a kind of result, and does:",
            share: 8, .kept
        ) { world, step in
            try world.makeAwaited(step, under: world.parent(step.c))
        },
        Kind("finish-awaited", "finish w{a}", share: 6) { world, step in
            guard let awaited = world.awaited(step.a), awaited.request.isInProgress else { return }
            world.releasing { awaited.request.finish() }
        },
        Kind("fail-awaited", "let w{a} fail with {b:code 7|lack of memory}", share: 3) { world, step in
            guard let awaited = world.awaited(step.a), awaited.request.isInProgress else { return }
            world.releasing {
                if step.b % 2 == 0 {
                    awaited.request.fail(code: 7)
                } else {
                    awaited.request.fail(TallocError.outOfMemory(name: "something"))
                }
            }
        },
        Kind("cancel-awaited", "cancel w{a}", share: 2) { world, step in
            guard let awaited = world.awaited(step.a), !awaited.isGone else { return }
            _ = world.releasing { awaited.request.cancel() }
        },
        Kind("progress-awaited", "let w{a} report progress", share: 2) { world, step in
            guard let awaited = world.awaited(step.a), !awaited.isGone else { return }
            awaited.request.notify()
        },
        Kind("post-awaited", "post w{a} on e{b}", share: 1) { world, step in
            guard let awaited = world.awaited(step.a), awaited.hasEnded, let events = world.context(step.b) else {
                return
            }
            awaited.request.post(on: events)
        },
        Kind("defer-awaited", "let the loop of e{b} call the callback of w{a}", share: 1) { world, step in
            guard let awaited = world.awaited(step.a), awaited.request.isInProgress,
                let events = world.context(step.b)
            else { return }
            awaited.request.deferCallback(on: events)
        },
        Kind("end-time-awaited", "let w{a} time out in {c:0|1|2|5|-1} ns on e{b}", share: 2) { world, step in
            guard let awaited = world.awaited(step.a), awaited.request.isInProgress,
                let events = world.context(step.b)
            else { return }
            try awaited.request.setEndTime(after: .nanoseconds([0, 1, 2, 5, -1][step.c % 5]), on: events)
        },
        Kind("discard-awaited", "release what is in w{a}", share: 2) { world, step in
            guard let awaited = world.awaited(step.a), world.mayFree(awaited.request) else { return }
            world.releasing { awaited.request.discard() }
        },
        Kind("free-awaited", "free w{a}", share: 3) { world, step in
            if let awaited = world.awaited(step.a) { world.free(awaited.request.tallocContext) }
        },
        Kind("move-awaited", "move {a:w{b}|k{b}} under {c@}", share: 2) { world, step in
            guard let object = (step.a % 2 == 0 ? world.awaited(step.b) : world.task(step.b))?.request.tallocContext
            else { return }
            let parent = world.parent(step.c)
            if world.mayMove(object, under: parent) { object.move(under: parent) }
        },
        Kind(
            "ordered-immediate", "i{a} = an immediate under {c@}, scheduled on e{b}, whose handler does:", share: 5,
            .kept
        ) { world, step in
            guard let events = world.context(step.b) else { return }
            try world.scheduleInOrder(step, on: events)
        },
        Kind(
            "ordered-timer", "t{a} = a timer of e{b} under {c@}, due in {d:0|1|2|3|5|-1} ns, whose handler does:",
            share: 6, .kept
        ) { world, step in
            guard let events = world.context(step.b) else { return }
            try world.addTimerInOrder(step, on: events)
        },
    ]
}

extension World {
    func awaited(_ number: Int) -> AwaitedModel? {
        let awaited = registers.awaited[number % Register.count]
        return awaited?.request.isFreed != false ? nil : awaited
    }

    func task(_ number: Int) -> AwaitedModel? {
        let task = registers.tasks[number % Register.count]
        return task?.request.isFreed != false ? nil : task
    }

    fileprivate func makeAwaited(_ step: Operation, under parent: TallocContext) throws {
        let foreign = Foreign(self, step)
        let awaited: AwaitedModel
        if step.d % 2 == 0 {
            let request = try Request(Wanted(number: step.number, foreign: foreign), under: parent)
            awaited = keepAwaited(request, step) { try await request.value.number }
        } else {
            let request = try Request(Sought(number: step.number, foreign: foreign), under: parent)
            awaited = keepAwaited(request, step) { try await request.value }
        }
        registers.awaited[step.a % Register.count] = awaited
    }

    private func keepAwaited<State>(
        _ request: Request<State>, _ step: Operation, value: @escaping () async throws -> Int
    ) -> AwaitedModel {
        let awaited = AwaitedModel(
            AnyRequest(request), step, isCancellable: step.b % 3 == 0, value: value)
        request.setCleanup { [unowned self] _, status in ended(awaited, status) }
        guard step.b % 3 < 2 else { return awaited }
        request.setCancel { request in
            if step.b % 3 == 0 { request.fail(RequestError.cancelled) }
            return step.b % 3 == 0
        }
        return awaited
    }

    fileprivate func scheduleInOrder(_ step: Operation, on events: EventContext) throws {
        let event = try ImmediateEvent(under: parent(step.c))
        registers.immediates[step.a % Register.count] = ImmediateModel(event)
        let foreign = Foreign(self, step)
        let order = order(of: events)
        let place = order.enqueue("the immediate \(foreign.model.words)") { event.isFreed }
        event.schedule(on: events) { [unowned self] event, events in
            order.run(place)
            ran(foreign, event, in: events)
            if !event.isFreed { event.free() }
        }
    }

    fileprivate func addTimerInOrder(_ step: Operation, on events: EventContext) throws {
        let foreign = Foreign(self, step)
        let order = order(of: events)
        var time: RunOrder.Time?
        let timer = try events.addTimer(after: .nanoseconds([0, 1, 2, 3, 5, -1][step.d % 6]), under: parent(step.c)) {
            [unowned self] timer, _ in
            if let time = time.take() { order.reach(time) }
            ran(foreign, timer, in: timer.context)
        }
        guard let deadline = timer.deadline else { return complain("a new timer is due at no time") }
        time = order.addTime("the timer \(foreign.model.words)", at: deadline, isTimer: true) { timer.isFreed }
        registers.timers[step.a % Register.count] = timer
    }
}
