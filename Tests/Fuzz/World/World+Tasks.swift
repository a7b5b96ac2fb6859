import Talloc
import TeventTasks

extension World {
    /// The order in which things run in a context.
    func order(of events: EventContext) -> RunOrder {
        if let order = orders.first(where: { $0.events == events }) { return order }
        let order = RunOrder(events) { [unowned self] in complain($0) }
        orders.append(order)
        return order
    }

    // MARK: Running

    /// Does what the script of a task says, once its turn has come.
    func run(_ task: TaskModel, _ foreign: Foreign, _ script: [Operation], at place: RunOrder.Place? = nil) async {
        expect(!task.hasBegun, "\(task.words) begins twice")
        expect(task.mustBegin, "\(task.words) begins, although its context or its request is gone")
        task.begin()
        if let place { order(of: task.events).run(place) }
        handlerRuns(in: task.events)
        foreign.model.calls += 1
        await perform(script, in: task)
        task.hasEnded = true
    }

    // MARK: Waiting

    /// Notes what a task waits for while a function waits for it.
    func waiting<Value>(
        _ task: TaskModel, for wait: WaitModel, _ body: () async throws -> Value
    ) async throws -> Value {
        let outer = task.wait
        expect(outer == nil, "\(task.words) waits for two things")
        task.wait = wait
        defer {
            task.wait = outer
            handlerRuns(in: task.events)
        }
        return try await body()
    }

    /// Whether a task may wait for a request: no other one does, and it has a result or will have one.
    func mayWait(_ task: TaskModel, for awaited: AwaitedModel) -> Bool {
        guard awaited.waiter == nil, !awaited.isGone else { return false }
        return !task.isBounded || awaited.hasEnded || awaited.isCancellable && awaited.worker == nil
    }

    /// Has a task wait for a request, and checks the result.
    ///
    /// - Parameter body: Waits, and returns the result if it takes it.
    func wait(
        _ task: TaskModel, for awaited: AwaitedModel, _ words: String, _ body: @escaping () async throws -> Int?
    ) async {
        guard mayWait(task, for: awaited) else { return }
        let mustWait = awaited.request.isInProgress
        if mustWait { awaited.waiter = task }
        let wait = WaitModel(words) {
            guard !awaited.isGone, awaited.request.isInProgress, !task.events.isFreed else { return false }
            guard task.isCancelled else { return true }
            return awaited.worker.map(\.isCancelled) ?? !awaited.isCancellable
        }
        var value: Int?
        var failure: (any Error)?
        do {
            value = try await waiting(task, for: wait, body)
        } catch { failure = error }
        if task.isCancelled { awaited.worker?.isUnpredictable = true }
        awaited.waiter = nil
        if mustWait { checkResumption(task, awaited, words) }
        check(value, failure, of: awaited, task, words)
    }

    private func checkResumption(_ task: TaskModel, _ awaited: AwaitedModel, _ words: String) {
        guard !task.events.isFreed else { return }
        guard let place = awaited.place.take() else {
            return complain("\(words): the task continues, and nothing has ended")
        }
        order(of: task.events).run(place)
    }

    private func check(
        _ value: Int?, _ failure: (any Error)?, of awaited: AwaitedModel, _ task: TaskModel, _ words: String
    ) {
        guard let failure else {
            expect(value == nil || value == awaited.number, "\(words): the result is \(value ?? 0)")
            return expect(value == nil || awaited.statuses.first == .done, "\(words): it was \(awaited.statuses)")
        }
        switch failure {
        case TaskError.freed:
            expect(awaited.isGone && !task.events.isFreed, "\(words): it is not freed")
        case TaskError.loopEnded where task.events.isFreed: break
        default:
            expect(awaited.error == "\(failure)", "\(words): \(failure) instead of \(awaited.error ?? "no error")")
        }
    }

    /// Called by the cleanup function of a request that tasks wait for.
    func ended(_ awaited: AwaitedModel, _ status: RequestStatus) {
        awaited.note(status)
        guard let task = awaited.waiter, awaited.place == nil, !task.events.isFreed else { return }
        // The release of its state may do something before the task is enqueued, or before it says that it continues.
        awaited.place = order(of: task.events).enqueue("the rest of \(task.words)", isLate: awaited.hasFarewell)
    }

    // MARK: Checks

    /// Checks that each task that waits has a reason to, when all loops have come to rest.
    func checkTasks() {
        for task in allTasks where !task.hasEnded {
            guard task.hasBegun else {
                expect(!task.mustBegin, "\(task.words) has not begun")
                if task.events.isFreed, let request = task.request {
                    expect(!request.request.isFreed ? !request.request.isInProgress : true, "\(task.words) hangs")
                }
                continue
            }
            guard let wait = task.wait else {
                complain("\(task.words) waits for nothing, and has not ended")
                continue
            }
            expect(wait.isRight(), "\(task.words) still waits in vain: \(wait.words)")
        }
        for order in orders where !order.events.isFreed {
            if let left = order.leftover { complain("\(left.words) was not run") }
        }
        checkLife()
        allTasks.removeAll { $0.hasEnded }
    }

    /// Checks that a loop has something to wait for exactly if one of its tasks lives, or there are events.
    private func checkLife() {
        for events in allContexts where !events.isFreed && !orders.isEmpty && !allTasks.isEmpty {
            let hasTasks = allTasks.contains { $0.events == events && $0.hasBegun && !$0.hasEnded }
            let hasOthers = !events.timers.isEmpty || !events.descriptors.isEmpty || !events.signals.isEmpty
            expect(events.hasEvents == (hasTasks || hasOthers), "a loop miscounts its tasks")
        }
    }

    /// Checks that no task is left when everything was freed.
    func checkTasksAtTheEnd() {
        for task in allTasks where task.hasBegun && !task.hasEnded {
            complain("\(task.words) has not ended, although everything was freed")
        }
    }
}
