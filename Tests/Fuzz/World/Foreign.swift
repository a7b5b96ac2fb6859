import Talloc
import Tevent

/// What a program knows about a piece of its foreign code, for as long as the program needs it.
final class ForeignModel {
    let words: String
    /// Whether it counts as lost if it is released without having been called.
    let mustBeCalled: Bool
    /// The context whose loop must call it.
    let context: EventContext?
    var calls = 0
    /// Whether it has been cancelled.
    var isExcused = false

    init(_ words: String, mustBeCalled: Bool, context: EventContext?) {
        self.words = words
        self.mustBeCalled = mustBeCalled
        self.context = context
    }
}

/// A piece of foreign code, held only by the closure or value that was given to the engine.
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

    /// Runs its script, the first few times.
    func run() {
        model.calls += 1
        if model.calls <= 4 { world.perform(operation.script) }
    }

    /// Runs one part of its script at a time, for code that is called very often.
    func runPart() {
        model.calls += 1
        let script = operation.script
        guard !script.isEmpty, model.calls <= 64, model.calls % 2 == 0 else { return }
        world.perform([script[model.calls / 2 % script.count]])
    }
}

extension World {
    /// Called first by each handler: makes sure that no loop runs forever.
    func handlerRuns(in events: EventContext?) {
        handlerCount += 1
        if let events, handlerCount % 20 == 0, !events.isFreed { events.stop() }
    }
}
