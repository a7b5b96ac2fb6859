import Talloc
import TeventTasks

// A function that is to become a task must be escaping.

func wrong(_ body: () async throws -> Void) async throws {
    try await withoutActuallyEscaping(body) { try await $0() }  // error: sending 'body' risks causing data races
}

func right(
    _ body: @escaping () async throws -> Void, on events: EventContext, under memory: TallocContext
) async throws {
    try await events.task(under: memory) { try await body() }.value
}
