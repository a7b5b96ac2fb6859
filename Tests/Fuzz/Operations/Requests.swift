import Talloc
import Tevent

extension Kind {
    /// Requests, and the functions and data that they are given.
    static let requests: [Kind] = [
        Kind(
            "request",
            "r{a} = a request under {c@} with {d:no room|room for one subrequest|room for three subrequests} and a state of type {b#} that does:",
            share: 6, .kept
        ) {
            world, step in
            let type = step.b % World.valueTypes.count
            let parent = world.requestParent(step.c)
            let room = [0, 1, 3][step.d % 3]
            let request = try world.makeRequest(World.valueTypes[type], Foreign(world, step), under: parent, room)
            let model = RequestModel(request, type: type)
            world.allRequests.append(model)
            world.registers.requests[step.a % Register.count] = model
        },
        Kind(
            "callback",
            "the callback of r{a}, set {b:alone|with an owner, r{b}|with data, {c@}}, {d:does nothing more|receives|frees it} and does:",
            share: 6, .kept
        ) { world, step in
            guard let model = world.request(step.a), world.mayEnd(model.request) else { return }
            world.setCallback(World.valueTypes[model.type], of: model, step)
        },
        Kind("cleanup", "the cleanup function of r{a} does:", share: 4, .kept) { world, step in
            guard let model = world.request(step.a) else { return }
            world.setCleanup(World.valueTypes[model.type], of: model, step)
        },
        Kind("cancel-function", "the cancel function of r{a} {b:ends it|does not end it} and does:", share: 2, .kept) {
            world, step in
            guard let model = world.request(step.a) else { return }
            world.setCancel(World.valueTypes[model.type], of: model, step)
        },
        Kind("print-function", "the print function of r{a} does:", share: 1, .kept) { world, step in
            guard let model = world.request(step.a) else { return }
            world.setPrint(World.valueTypes[model.type], of: model, step)
        },
        Kind("no-functions", "take cancel, cleanup and print function of r{a} away", share: 1) { world, step in
            guard let model = world.request(step.a) else { return }
            world.takeFunctions(World.valueTypes[model.type], of: model)
        },
        Kind("end-time", "let r{a} time out in {c:0|1|2|5|-1} ns on e{b}", share: 3) { world, step in
            guard let request = world.anyRequest(step.a), let events = world.context(step.b) else { return }
            try request.setEndTime(after: .nanoseconds([0, 1, 2, 5, -1][step.c % 5]), on: events)
        },
        Kind("no-end-time", "take the end time of r{a} away", share: 1) { world, step in
            world.anyRequest(step.a)?.resetEndTime()
        },
        Kind("state", "change the state of r{a}, and meanwhile:", share: 3, .inside) { world, step in
            guard let model = world.request(step.a), world.mayUseState(of: model) else { return }
            world.changeState(World.valueTypes[model.type], of: model, step)
        },
        Kind("set-state", "give r{a} another state, which does:", share: 2, .kept) { world, step in
            guard let model = world.request(step.a), world.mayUseState(of: model) else { return }
            world.setState(World.valueTypes[model.type], of: model, Foreign(world, step))
        },
        Kind("state-chunk", "v{b} = the state of r{a} as a chunk", share: 2) { world, step in
            guard let model = world.request(step.a), world.mayUseState(of: model) else { return }
            let chunk = try world.stateChunk(World.valueTypes[model.type], of: model)
            model.stateChunk = chunk
            world.everything.append(chunk)
            world.registers.values[step.b % Register.count] = ValueRegister(chunk: chunk, type: model.type)
        },
        Kind("profile", "begin a profile of r{a} on e{b}", share: 1) { world, step in
            guard let request = world.anyRequest(step.a), let events = world.context(step.b) else { return }
            world.registers.profiles[step.b % Register.count] = request.startProfile(on: events)
        },
        Kind("look-at-request", "look at r{a} from all sides", share: 2) { world, step in
            if let request = world.anyRequest(step.a) { world.lookAt(request) }
            if let profile = world.registers.profiles[step.b % Register.count] {
                world.expect(!profile.description.isEmpty, "a profile says nothing")
            }
        },
    ]
}

extension World {
    /// The parent of a new request: another request, or memory.
    func requestParent(_ number: Int) -> TallocContext {
        if number % 3 == 0, let request = request(number) { return request.request.tallocContext }
        return parent(number)
    }

    fileprivate func makeRequest<Value: ProgramValue>(
        _ type: Value.Type, _ foreign: Foreign, under parent: TallocContext, _ subrequests: Int
    ) throws -> AnyRequest {
        AnyRequest(try Request(Value.make(foreign), under: parent, subrequests: subrequests))
    }

    /// Whether a request may be ended, or given a callback.
    func mayEnd(_ request: AnyRequest) -> Bool { isCareless || request.isInProgress }

    /// Notes that the state of a request is being changed, so that neither may be freed, wherever the state is.
    func changing(_ model: RequestModel, _ body: () -> Void) {
        let objects = [model.request.tallocContext] + (model.stateChunk.map { [$0] } ?? [])
        changing += objects
        body()
        changing.removeLast(objects.count)
    }

    /// Whether a state may be used: it was not released, and is not being changed.
    func mayUseState(of model: RequestModel) -> Bool {
        guard !isCareless else { return true }
        let isChanging = changing.contains { $0 == model.request.tallocContext || $0 == model.stateChunk }
        return model.hasState && !isChanging
    }

    fileprivate func setCallback<Value: ProgramValue>(_ type: Value.Type, of model: RequestModel, _ step: Operation) {
        let request = model.request.request(expecting: type)
        let foreign = Foreign(self, step)
        let callback = foreign.model
        let run = { [unowned self] (request: Request<Value>) in called(foreign, request, model, step) }
        model.callback?.isExcused = true
        model.callback = callback
        let owner = self.request(step.b)?.request.request(of: PlainNumber.self)
        releasing {
            if step.b % 3 == 0 {
                request.setCallback(run)
            } else if step.b % 3 == 1, let owner {
                request.setCallback(for: owner) { [unowned self] (request: Request<Value>, given) in
                    expect(given == owner, "a callback gets another owner")
                    run(request)
                }
            } else {
                request.setCallback(data: object(step.c) ?? root, run)
            }
        }
    }

    private func called<Value: ProgramValue>(
        _ foreign: Foreign, _ request: Request<Value>, _ model: RequestModel, _ step: Operation
    ) {
        expect(!request.isFreed, "a callback is called after its request was freed")
        guard !request.isFreed else { return }
        expect(AnyRequest(request) == model.request, "a callback gets another request")
        expect(request.status != .received, "a callback is called after its request was received")
        foreign.run()
        guard !request.isFreed, !isQuiet else { return }
        switch step.d % 3 {
        case 1: receive(Value.self, request, model)
        case 2: free(request.tallocContext)
        default: break
        }
    }

    fileprivate func setCleanup<Value: ProgramValue>(_ type: Value.Type, of model: RequestModel, _ step: Operation) {
        let foreign = Foreign(self, step)
        model.request.request(expecting: type).setCleanup { [unowned self] request, status in
            expect(!request.isFreed && request.status == status, "a cleanup function gets wrong arguments")
            if model.stateChunk?.isFreed != true, mayUse(model.stateChunk ?? root),
                !changing.contains(request.tallocContext)
            {
                expect(request.state.isSound, "a cleanup function finds the state written over")
            }
            foreign.run()
        }
    }

    fileprivate func setCancel<Value: ProgramValue>(_ type: Value.Type, of model: RequestModel, _ step: Operation) {
        let foreign = Foreign(self, step)
        model.request.request(expecting: type).setCancel { [unowned self] request in
            foreign.run()
            guard !isQuiet, !request.isFreed, request.isInProgress, step.b % 2 == 0 else { return false }
            request.fail(RequestError.cancelled)
            return true
        }
    }

    fileprivate func setPrint<Value: ProgramValue>(_ type: Value.Type, of model: RequestModel, _ step: Operation) {
        let foreign = Foreign(self, step)
        model.request.request(expecting: type).setPrint { request in
            foreign.run()
            return "a request"
        }
    }

    fileprivate func takeFunctions<Value: ProgramValue>(_ type: Value.Type, of model: RequestModel) {
        let request = model.request.request(expecting: type)
        request.setCancel(nil)
        guard !request.isFreed else { return }
        request.setCleanup(nil)
        guard !request.isFreed else { return }
        request.setPrint(nil)
    }

    fileprivate func changeState<Value: ProgramValue>(_ type: Value.Type, of model: RequestModel, _ step: Operation) {
        let request = model.request.request(expecting: type)
        changing(model) { request.state.change { perform(step.script) } }
        expect(request.state.isSound, "a state was written over while it was changed")
    }

    fileprivate func setState<Value: ProgramValue>(_ type: Value.Type, of model: RequestModel, _ foreign: Foreign) {
        let request = model.request.request(expecting: type)
        request.state = .make(foreign)
    }

    fileprivate func stateChunk<Value: ProgramValue>(_ type: Value.Type, of model: RequestModel) throws -> TallocContext
    {
        let chunk = try model.request.request(expecting: type).stateChunk
        expect(try model.request.state == chunk.tallocContext, "a request has two states")
        return chunk.tallocContext
    }

    fileprivate func lookAt(_ request: AnyRequest) {
        expect(!request.origin.isEmpty, "a request has no origin")
        expect(request.isInProgress == (request.status == .inProgress), "a request contradicts itself")
        let hasFailed = [.failed, .timedOut, .noMemory].contains(request.status)
        expect(!hasFailed || request.error != nil, "a request failed for no reason")
        expect(!request.defaultDescription.isEmpty, "a request has no text")
        expect(request.callbackData?.isFreed != nil || request.callbackData == nil, "data for a callback is odd")
        expect(AnyRequest(request.tallocContext) == request, "a request is not what it is")
        expect(request.request(of: String.self) == nil, "a request is taken for another")
        _ = request.endTime
        if let data = request.callbackData, !data.isFreed, let words = data.chunk(of: Words.self) {
            expect(request.callbackData(of: Words.self) == words, "data for a callback is another")
        }
        _ = request.profile?.duration
        // Last, since its print function may free it.
        expect(!request.description.isEmpty, "a request has no text")
    }
}
