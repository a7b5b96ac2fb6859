import Talloc
import TeventTasks

// Nothing takes the handles of a task to another thread.

func inATaskOfSwift(_ events: EventContext) async throws {
    Task { print(events.now) }  // error: passing closure as a 'sending' parameter risks causing data races
}

func inADetachedTask(_ events: EventContext) async throws {
    Task.detached { print(events.now) }  // error: passing closure as a 'sending' parameter risks causing data races
}

func inAChildOfSwift(_ events: EventContext) async {
    await withTaskGroup(of: Void.self) { group in
        group.addTask { print(events.now) }  // error: passing closure as a 'sending' parameter risks causing data races
    }
}

@concurrent func off(_ events: EventContext) async { print(events.now) }

func inAConcurrentFunction(_ events: EventContext) async {
    await off(events)  // error: sending 'events' risks causing data races
}

actor Stranger {
    func use(_ events: EventContext) { print(events.now) }
}

func inAnActor(_ events: EventContext) async {
    await Stranger().use(events)  // error: sending 'events' risks causing data races
}

func onTheMainActor(_ events: EventContext) async {
    await MainActor.run { print(events.now) }  // error: sending 'events' risks causing data races
}

func asChild(_ events: EventContext) async {
    async let time = events.now  // error: sending 'events' risks causing data races
    print(await time)  // without
}
