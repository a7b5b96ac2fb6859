import Talloc
import TeventTasks

// A handler outside the main actor cannot begin a task of Swift's that uses a handle.

func finishLater(_ request: Request<String>, on events: EventContext) throws {
    try events.addTimer(after: .zero) { _, _ in
        Task { request.finish() }  // error: passing closure as a 'sending' parameter risks causing data races
    }
}
