import Tevent

/// Records which function calls which, and which requests exist meanwhile.
///
/// Each call and each return of a function is a step, and moves a clock by one millisecond. Each step therefore has its
/// own time, and the times in a request's profile show between which steps they were noted.
public final class CallTrace {
    /// One call of a function.
    public struct Call: Sendable {
        /// The function, such as "foo send".
        public let name: String
        /// The caller: a function, or the name given for the outside.
        public let caller: String
        /// How many functions are running below it.
        public let depth: Int
        /// The step at which it began.
        public let begin: Int
        /// Which requests existed then.
        public let before: [String]
        /// The step at which it returned.
        public fileprivate(set) var end: Int
        /// Which requests existed then.
        public fileprivate(set) var after: [String] = []
    }

    /// The life of one request.
    public struct Life: Sendable {
        /// The name it is watched by, such as "foo".
        public let name: String
        /// The name of its parent: a request, or other memory.
        public let parent: String
        /// How many requests it is part of.
        public let depth: Int
        /// The step after which it was created.
        public let made: Int
        /// The step after which it ended; nil while it is in progress.
        public let ended: Int?
        /// The step after which it was freed; nil while it exists.
        public let freed: Int?
    }

    private struct Watched {
        let name: String
        let parent: String
        let depth: Int
        let request: AnyRequest
        let profile: RequestProfile
        var freed: Int?
    }

    /// The calls, in the order in which they began.
    public private(set) var calls: [Call] = []
    /// How many functions have begun or returned.
    public var step: Int { times.count - 1 }

    private let clock: ManualClock
    /// The time of each step; the first entry is the start, not a step.
    private var times: [EventInstant]
    private var underWay: [Int] = []
    private var watched: [Watched] = []

    /// Creates an empty trace.
    ///
    /// - Parameter clock: The clock of the context whose requests are watched; other code may move it as well.
    public init(clock: ManualClock) {
        self.clock = clock
        times = [clock.now]
    }

    /// Records that a function begins; follow it with `defer { trace.leave() }`.
    ///
    /// - Parameters:
    ///   - name: The function, with its request's name first.
    ///   - outside: The caller if no other function is running.
    public func enter(_ name: String, from outside: String = "the loop") {
        tick()
        let caller = underWay.last.map { calls[$0].name } ?? outside
        let call = Call(name: name, caller: caller, depth: underWay.count, begin: step, before: alive, end: step)
        underWay.append(calls.count)
        calls.append(call)
    }

    /// Records that the function that began last returns.
    public func leave() {
        tick()
        let call = underWay.removeLast()
        calls[call].end = step
        calls[call].after = alive
    }

    /// Watches a request, including subrequests of a watched one, until it is freed.
    public func watch(_ request: some RequestProtocol, as name: String, on events: EventContext) {
        let above = watched.last { $0.request.tallocHandle == request.parent?.tallocHandle }
        watched.append(
            Watched(
                name: name, parent: above?.name ?? request.parent?.name ?? "nothing",
                depth: above.map { $0.depth + 1 } ?? 0, request: AnyRequest(request),
                profile: request.startProfile(on: events)))
    }

    /// The requests that exist, in the order in which they were created.
    private var alive: [String] { watched.filter { !$0.request.isFreed }.map(\.name) }

    /// Starts the next step; whatever was freed since the last one was freed after that one.
    private func tick() {
        for index in watched.indices where watched[index].freed == nil && watched[index].request.isFreed {
            watched[index].freed = step
        }
        clock.advance(by: .milliseconds(1))
        times.append(clock.now)
    }

    /// The last step at or before a point in time.
    private func step(at instant: EventInstant) -> Int { times.lastIndex { $0 <= instant } ?? 0 }

    /// The lives of the requests, in the order in which they were created.
    public var lives: [Life] {
        watched.map { watched in
            Life(
                name: watched.name, parent: watched.parent, depth: watched.depth,
                made: step(at: watched.profile.start), ended: watched.profile.stop.map { step(at: $0) },
                freed: watched.freed)
        }
    }

    /// The innermost function that was running after a step; nil between two functions that the loop calls.
    public func function(after step: Int) -> String? {
        calls.last { $0.begin <= step && step < $0.end }?.name
    }
}

@available(*, unavailable)
extension CallTrace: Sendable {}
