import Talloc
import Tevent

extension Kind {
    /// How requests end, and what comes afterwards.
    static let endings: [Kind] = [
        Kind("finish", "finish {a:r{b}|x{b}}", share: 4) { world, step in
            guard let request = world.requestToEnd(step), world.mayEnd(request)
            else { return }
            if step.a % 2 == 1 { world.tampered.append(request) }
            world.releasing { request.finish() }
        },
        Kind("fail", "end {a:r{b}|x{b}} with {c:an error|a code|code 0|lack of memory|a step that throws}", share: 3) {
            world, step in
            guard let request = world.requestToEnd(step), world.mayEnd(request) else { return }
            world.releasing { world.fail(request, step.c) }
        },
        Kind("cancel", "cancel {a:r{b}|x{b}}") { world, step in
            guard let request = world.requestToEnd(step) else { return }
            _ = world.releasing { request.cancel() }
        },
        Kind("post", "post r{a} on e{b}", share: 2) { world, step in
            guard let model = world.request(step.a), let events = world.context(step.b) else { return }
            guard world.isCareless || !model.request.isInProgress else { return }
            model.loops.append(events)
            model.request.post(on: events)
        },
        Kind("defer-callback", "let the loop of e{b} call the callback of r{a}") { world, step in
            guard let model = world.request(step.a), let events = world.context(step.b) else { return }
            model.loops.append(events)
            model.request.deferCallback(on: events)
        },
        Kind("notify", "tell the callback of r{a} of progress") { world, step in
            guard let model = world.request(step.a) else { return }
            world.releasing { model.request.notify() }
        },
        Kind("receive", "receive r{a}", share: 3) { world, step in
            guard let model = world.request(step.a), world.mayReceive(model) else { return }
            world.receive(World.valueTypes[model.type], model)
        },
        Kind("receive-meanwhile", "receive r{a}, and meanwhile:", share: 2, .inside) { world, step in
            guard let model = world.request(step.a), world.mayReceive(model) else { return }
            world.receive(World.valueTypes[model.type], model, meanwhile: step.script)
        },
        Kind("received", "release what is in {a:r{b}|x{b}}", share: 2) { world, step in
            guard let request = world.requestToEnd(step), world.mayFree(request) else { return }
            world.releasing { request.discard() }
        },
        Kind("free-request", "free {a:r{b}|x{b}}", share: 4) { world, step in
            if let request = world.requestToEnd(step) { world.free(request.tallocContext) }
        },
        Kind("poll-request", "run the loop of e{a} until r{b} has ended", share: 1) { world, step in
            guard let events = world.context(step.a), let model = world.request(step.b) else { return }
            try world.loop { try model.request.poll(on: events) }
        },
        Kind("move-request", "move r{a} under {c@}", share: 1) { world, step in
            guard let request = world.request(step.a)?.request.tallocContext else { return }
            let parent = world.requestParent(step.c)
            if world.mayMove(request, under: parent) { request.move(under: parent) }
        },
    ]
}

extension World {
    fileprivate func requestToEnd(_ step: Operation) -> AnyRequest? {
        step.a % 2 == 0 ? request(step.b)?.request : operation(step.b)
    }

    fileprivate func fail(_ request: AnyRequest, _ choice: Int) {
        switch choice % 5 {
        case 0: request.fail(ProgramError(board: board))
        case 1: request.fail(code: 7)
        case 2: expect(!request.fail(code: 0), "no error counts as one")
        case 3: request.fail(TallocError.outOfMemory(name: "something"))
        default: _ = request.attempt { throw ProgramError(board: board) }
        }
    }

    fileprivate func mayReceive(_ model: RequestModel) -> Bool {
        guard !isCareless else { return true }
        let hasEnded = ![.inProgress, .received].contains(model.request.status)
        return hasEnded && mayUseState(of: model) && mayFree(model.request)
    }

    fileprivate func receive<Value: ProgramValue>(
        _ type: Value.Type, _ model: RequestModel, meanwhile script: [Operation] = []
    ) {
        receive(type, model.request.request(expecting: type), model, meanwhile: script)
    }

    func receive<Value: ProgramValue>(
        _ type: Value.Type, _ request: Request<Value>, _ model: RequestModel, meanwhile script: [Operation] = []
    ) {
        guard isCareless || mayReceive(model) else { return }
        let status = request.status
        do {
            let isSound = try releasing {
                try request.receive { state in
                    changing(model) { state.change { perform(script) } }
                    return state.isSound
                }
            }
            expect(isSound && status == .done, "a state was written over")
        } catch {
            expect(status != .done, "a request that is done throws \(error)")
        }
    }
}

/// The program's own error, whose description is foreign code.
struct ProgramError: Error, CustomStringConvertible {
    let board: Board

    var description: String {
        board.proxy(at: 0).map { try? $0.proxy.schedule { _ in } }
        return "an error of the program's own"
    }
}
