import Talloc
import TeventTasks

/// What a program knows about a task.
final class TaskModel {
    let words: String
    /// The context on whose loop it runs.
    let events: EventContext
    /// The task that it belongs to, which ends later and whose end it shares.
    private let parent: TaskModel?
    /// The request that it works for; nil for a child of a task.
    var request: AwaitedModel?
    /// Whether everything that it waits for must end by itself, since the program waits for the task.
    let isBounded: Bool
    /// When it is cancelled, if it has not ended by then.
    var deadline: EventInstant?
    var wasCancelled = false
    /// Whether the program does not know when it is cancelled.
    var isUnpredictable: Bool
    private var isAsking = false
    private(set) var hasBegun = false
    var hasEnded = false
    /// What it waits for.
    var wait: WaitModel?

    init(_ words: String, on events: EventContext, parent: TaskModel? = nil, isBounded: Bool = false) {
        self.words = words
        self.events = events
        self.parent = parent
        self.isBounded = isBounded || parent?.isBounded == true
        isUnpredictable = self.isBounded
    }

    func begin() { hasBegun = true }

    /// Whether it must stop waiting for anything that can be cancelled.
    var isCancelled: Bool {
        // A task may wait for one that waits for it.
        guard !isAsking else { return false }
        isAsking = true
        defer { isAsking = false }
        if wasCancelled || parent?.isCancelled == true { return true }
        // A cancelled task cancels what it waits for.
        if let request, request.isGone || request.request.isInProgress && request.waiter?.isCancelled == true {
            return true
        }
        return deadline.map { !events.isFreed && $0 <= events.now } == true
    }

    /// Whether it must begin, if it has not.
    var mustBegin: Bool { !events.isFreed && request.map { !$0.isGone && $0.request.isInProgress } != false }
}

/// What a task waits for.
final class WaitModel {
    let words: String
    /// Whether there is still something to wait for when all loops have come to rest.
    let isRight: () -> Bool

    init(_ words: String, while isRight: @escaping () -> Bool) {
        self.words = words
        self.isRight = isRight
    }
}

/// What a program knows about a request that a task may wait for.
final class AwaitedModel {
    let request: AnyRequest
    let number: Int
    /// Whether it ends when it is cancelled.
    let isCancellable: Bool
    /// Whether the release of its state does something.
    let hasFarewell: Bool
    /// The task whose work it is.
    var worker: TaskModel?
    /// The task that waits for it.
    var waiter: TaskModel?
    /// The waiting task's place in its loop, once the request has ended.
    var place: RunOrder.Place?
    /// What its cleanup function was told, in order.
    private(set) var statuses: [RequestStatus] = []
    /// What it ended with, in words.
    private(set) var error: String?
    /// Waits for it, receives it and frees it.
    let value: () async throws -> Int

    init(
        _ request: AnyRequest, _ step: Operation, isCancellable: Bool, value: @escaping () async throws -> Int
    ) {
        hasFarewell = !step.farewell.isEmpty
        self.request = request
        number = step.number
        self.isCancellable = isCancellable
        self.value = value
    }

    /// Whether it was freed or received.
    var isGone: Bool { request.isFreed || request.status == .received }

    /// Whether its result can be taken.
    var hasEnded: Bool { !isGone && !request.isInProgress }

    /// Called by its cleanup function.
    func note(_ status: RequestStatus) {
        if statuses.isEmpty { error = request.error.map { "\($0)" } }
        statuses.append(status)
    }
}

/// The state of a request that tasks wait for.
struct Wanted {
    let number: Int
    let foreign: Foreign
}

/// The same, with a result of its own.
struct Sought: ReceivableState {
    let number: Int
    let foreign: Foreign

    static func receive(_ request: Request<Sought>) throws -> Int { try request.receive { $0.number } }
}
