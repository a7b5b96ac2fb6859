import Talloc
import Tevent

// An actor, too, receives only what its caller gives away, and gives out nothing that it keeps.

actor Keeper {
    var events: EventContext?
    let queue: RequestQueue

    init(_ queue: sending RequestQueue) { self.queue = queue }

    func use(_ object: any TallocObject) { object.free() }
    func keep(_ events: sending EventContext) { self.events = events }
    func context() -> EventContext? { events }
    func run(_ body: () -> Void) { body() }
    func with<Result>(_ body: (EventContext?) -> Result) -> Result { body(events) }
    func runElsewhere() {
        Task.detached { [queue] in queue.stop() }  // error: passing closure as a 'sending' parameter risks causing data
    }
    func passOn(_ other: Keeper) async {
        await other.use(queue)  // error: sending 'self.queue' risks causing data races
    }
}

func giveAnActorWhatIsKept(_ keeper: Keeper, _ events: EventContext) async {
    await keeper.use(events)  // error: sending 'events' risks causing data races
}

func keepWhatAnActorKeeps(_ keeper: Keeper) async throws {
    let events = try EventContext()
    await keeper.keep(events)  // error: sending 'events' risks causing data races
    events.free()
}

func makeAnActorOfWhatIsKept(_ queue: RequestQueue) {
    _ = Keeper(queue)  // error: sending 'queue' risks causing data races
}

func takeOutOfAnActor(_ keeper: Keeper) async {
    _ = await keeper.context()  // error: non-Sendable 'EventContext?'-typed result can not be returned
}

func writeIntoAnActor(_ keeper: isolated Keeper, _ other: Keeper, _ events: EventContext) async {
    keeper.events = events
    await other.use(events)  // error: sending 'events' risks causing data races
}

func letAnActorRun(_ keeper: Keeper, _ timer: TimerEvent) async {
    await keeper.run { timer.free() }  // error: sending value of non-Sendable type
}

func takeOutByAFunction(_ keeper: Keeper) async {
    _ = await keeper.with { $0 }  // error: non-Sendable
}

@MainActor final class Window {
    var events: EventContext?

    deinit { events?.free() }  // error: cannot access property 'events' with a non-Sendable type

    func stopElsewhere(_ keeper: Keeper) async {
        guard let events else { return }
        await keeper.use(events)  // error: sending 'events' risks causing data races
    }

    @concurrent nonisolated func run(_ events: EventContext) async { events.stop() }

    func runBeside() async {
        if let events { await run(events) }  // error: sending 'events' risks causing data races
    }
}

func runOnTheMainActor(_ events: EventContext) async {
    await MainActor.run { events.stop() }  // error: sending 'events' risks causing data races
}
