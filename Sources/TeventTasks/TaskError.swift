/// Why a task could not wait for what it awaited.
///
/// ```swift
/// func pause(on events: EventContext, under memory: TallocContext) async throws {
///     do {
///         try await Wakeup.send(after: .seconds(1), on: events, under: memory).value
///     } catch TaskError.freed { print("the memory of the request was freed meanwhile") }
/// }
/// ```
public enum TaskError: Error, Equatable, CustomStringConvertible {
    /// It was freed while the task waited, or other code received its result.
    case freed
    /// The context whose loop the task runs on was freed.
    case loopEnded
    /// The loop of another thread has ended, or will end before it answers.
    case unanswered

    /// A readable sentence.
    public var description: String {
        switch self {
        case .freed: "what the task waited for was freed, or other code received its result"
        case .loopEnded: "the context whose loop the task runs on was freed"
        case .unanswered: "there will be no answer: the loop that was asked has ended"
        }
    }
}
