import Talloc
import TeventTasks

// Two things at once, with async let and with two tasks.

func pause(on events: EventContext) async throws -> Int {
    try await events.sleep(for: .seconds(1))
    return 1
}

func wrong(on events: EventContext) async throws {
    async let one = pause(on: events)  // error: sending 'events' risks causing data races
    print(try await one)  // without
}

func right(on events: EventContext, under memory: TallocContext) async throws -> Int {
    let one = try events.task(under: memory) { try await pause(on: events) }
    let two = try events.task(under: memory) { try await pause(on: events) }
    return try await one.value + two.value
}
