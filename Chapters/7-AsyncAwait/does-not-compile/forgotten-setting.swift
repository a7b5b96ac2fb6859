import Talloc
import TeventTasks

// In a target without the upcoming feature, an async function of the program's own leaves its caller's thread.

func pause(on events: EventContext) async throws { try await events.sleep(for: .seconds(1)) }

func start(on events: EventContext) throws {
    try events.run { try await events.sleep(for: .seconds(1)) }
    try events.run { try await pause(on: events) }  // error: sending 'events' risks causing data races
}
