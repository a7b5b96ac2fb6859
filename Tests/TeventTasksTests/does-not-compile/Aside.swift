import Talloc
import TeventTasks

// Work aside uses no handles; the compiler finds that before it looks for what is sent.

func aside(_ events: EventContext) async throws {
    try await aside { print(events.now) }  // error: capture of 'events' with non-Sendable type 'EventContext'
}
