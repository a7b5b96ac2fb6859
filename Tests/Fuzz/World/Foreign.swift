import Talloc
import Tevent

/// What a program knows of a piece of its foreign code, for as long as it wants.
final class ForeignModel {
    let words: String
    /// Whether it is lost if it is released without having been called.
    let mustBeCalled: Bool
    /// Whose loop is to call it.
    let context: EventContext?
    var calls = 0
    /// Whether it has been taken back.
    var isExcused = false

    init(_ words: String, mustBeCalled: Bool, context: EventContext?) {
        self.words = words
        self.mustBeCalled = mustBeCalled
        self.context = context
    }
}

/// A piece of foreign code, held by nothing but the closure or value that the engine was given.
final class Foreign {
    let world: World
    let model: ForeignModel
    private let operation: Operation

    init(
        _ world: World, _ operation: Operation, mustBeCalled: Bool = false, context: EventContext? = nil
    ) {
        self.world = world
        self.operation = operation
        model = ForeignModel(
            "#\(operation.number) (\(operation.kind.name))", mustBeCalled: mustBeCalled, context: context)
        world.foreignBegan()
    }

    deinit { world.foreignEnded(model, operation.farewell) }

    /// Does what its script says, the first few times.
    func run() {
        model.calls += 1
        if model.calls <= 4 { world.perform(operation.script) }
    }

    /// Does a part of its script at a time, for what is called very often.
    func runPart() {
        model.calls += 1
        let script = operation.script
        guard !script.isEmpty, model.calls <= 64, model.calls % 2 == 0 else { return }
        world.perform([script[model.calls / 2 % script.count]])
    }
}

extension World {
    /// What each handler does first: it sees to it that no loop runs forever.
    func handlerRuns(in events: EventContext?) {
        handlerCount += 1
        if let events, handlerCount % 20 == 0, !events.isFreed { events.stop() }
    }
}
