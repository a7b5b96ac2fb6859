import Tevent

/// Writes down which function calls which, and which requests exist meanwhile.
///
/// Each beginning and each return of a function is a step, and moves a clock by one millisecond. So each step has a time
/// of its own, and the times that the engine notes in a request's profile tell between which steps they were.
public final class CallTrace {
    /// One call of a function.
    public struct Call: Sendable {
        /// The function, such as "foo send".
        public let name: String
        /// Who called it: a function, or what was given as the outside.
        public let caller: String
        /// How many functions are under way below it.
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
        /// The name it was watched as, such as "foo".
        public let name: String
        /// The name of what it is under: a request, or other memory.
        public let parent: String
        /// How many requests it is part of.
        public let depth: Int
        /// The step after which it was made.
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
    /// When each step was; the first is not a step, but the beginning.
    private var times: [EventInstant]
    private var underWay: [Int] = []
    private var watched: [Watched] = []

    /// Makes an empty trace.
    ///
    /// - Parameter clock: The clock of the context whose requests are watched; others may move it, too.
    public init(clock: ManualClock) {
        self.clock = clock
        times = [clock.now]
    }

    /// Notes that a function begins; to be followed by `defer { trace.leave() }`.
    ///
    /// - Parameters:
    ///   - name: The function, its request's name first.
    ///   - outside: Who calls it if no other function is under way.
    public func enter(_ name: String, from outside: String = "the loop") {
        tick()
        let caller = underWay.last.map { calls[$0].name } ?? outside
        let call = Call(name: name, caller: caller, depth: underWay.count, begin: step, before: alive, end: step)
        underWay.append(calls.count)
        calls.append(call)
    }

    /// Notes that the function that began last returns.
    public func leave() {
        tick()
        let call = underWay.removeLast()
        calls[call].end = step
        calls[call].after = alive
    }

    /// Watches a request from now on until it is freed, subrequests of a watched one included.
    public func watch(_ request: some RequestProtocol, as name: String, on events: EventContext) {
        let above = watched.last { $0.request.tallocHandle == request.parent?.tallocHandle }
        watched.append(
            Watched(
                name: name, parent: above?.name ?? request.parent?.name ?? "nothing",
                depth: above.map { $0.depth + 1 } ?? 0, request: AnyRequest(request),
                profile: request.startProfile(on: events)))
    }

    /// The requests that exist, in the order in which they were made.
    private var alive: [String] { watched.filter { !$0.request.isFreed }.map(\.name) }

    /// Goes on to the next step; what was freed since the last one was freed after that.
    private func tick() {
        for index in watched.indices where watched[index].freed == nil && watched[index].request.isFreed {
            watched[index].freed = step
        }
        clock.advance(by: .milliseconds(1))
        times.append(clock.now)
    }

    /// The last step at or before a point in time.
    private func step(at instant: EventInstant) -> Int { times.lastIndex { $0 <= instant } ?? 0 }

    /// The lives of the requests, in the order in which they were made.
    public var lives: [Life] {
        watched.map { watched in
            Life(
                name: watched.name, parent: watched.parent, depth: watched.depth,
                made: step(at: watched.profile.start), ended: watched.profile.stop.map { step(at: $0) },
                freed: watched.freed)
        }
    }

    /// The function that was under way after a step, the innermost of all; nil between two of the loop's.
    public func function(after step: Int) -> String? {
        calls.last { $0.begin <= step && step < $0.end }?.name
    }
}

@available(*, unavailable)
extension CallTrace: Sendable {}
