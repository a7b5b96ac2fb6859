import Talloc

/// When a request and its subrequests began and ended.
///
/// ```swift
/// let request = try Request("work", under: memory)
/// let profile = request.startProfile(on: events)
/// let pause = try Wakeup.send(after: .milliseconds(5), on: events, under: request)
/// pause.setCallback(for: request) { _, request in request.finish() }
/// try request.poll(on: events)
/// print(profile)
/// ```
///
/// A profile is an object of its own, which outlives the request for as long as you keep a reference to it.
///
/// The corresponding C type is `struct tevent_req_profile`.
public final class RequestProfile: CustomStringConvertible {
    /// The name of the type of the request's state.
    ///
    /// The corresponding C function is `tevent_req_profile_get_name()`.
    public let name: String
    /// When profiling began, on the clock of its context.
    ///
    /// The corresponding C function is `tevent_req_profile_get_start()`.
    public let start: EventInstant
    /// The line that made the request.
    public let origin: String
    /// When the request ended, or was freed in progress; nil until then.
    ///
    /// The corresponding C function is `tevent_req_profile_get_stop()`.
    public private(set) var stop: EventInstant?
    /// The line that ended the request; nil while it is in progress, and if it was freed or a timer ended it.
    public private(set) var finishOrigin: String?
    /// How the request ended; a request that was freed in progress is ``RequestStatus/received``.
    ///
    /// The corresponding C function is `tevent_req_profile_get_status()`.
    public private(set) var status = RequestStatus.inProgress
    /// The error that the request failed with; nil unless it failed.
    public private(set) var error: (any Error)?
    /// The profiles of its subrequests, in the order they were made.
    ///
    /// The corresponding C functions are `tevent_req_profile_get_subprofiles()` and `tevent_req_profile_next()`.
    public private(set) var subprofiles: [RequestProfile] = []

    private let clock: ManualClock?
    private var now: EventInstant { clock?.now ?? .now }

    init(of request: RequestPointer, clock: ManualClock?) {
        name = request.stateName
        origin = request.origin
        self.clock = clock
        start = clock?.now ?? .now
    }

    deinit {
        // Otherwise each level would be released inside the one above it, and there is no limit to the number of
        // levels.
        var rest = subprofiles
        subprofiles = []
        while var profile = rest.popLast() {
            guard isKnownUniquelyReferenced(&profile) else { continue }
            rest += profile.subprofiles
            profile.subprofiles = []
        }
    }

    /// A profile of a request that was just made as part of the work this one describes.
    fileprivate func makeSubprofile(of request: RequestPointer) -> RequestProfile {
        let profile = RequestProfile(of: request, clock: clock)
        subprofiles.append(profile)
        return profile
    }

    func stop(_ request: RequestPointer) {
        guard stop == nil else { return }
        stop = now
        status = request.pointee.status
        error = request.pointee.owned.failure.error
        if request.pointee.finishFile != nil { finishOrigin = request.finishOrigin }
    }

    /// How long the request took; nil while it is in progress.
    public var duration: Duration? { stop.map { start.duration(to: $0) } }

    /// The tree of profiles, one line each, with the milliseconds from the first beginning to each end.
    ///
    /// From a depth of 64 on, a number in place of the indent says how deep the request is.
    ///
    /// The corresponding C function is `tevent_req_profile_print()`.
    public var description: String {
        var lines: [String] = []
        var next = [(profile: self, depth: 0)]
        while let (profile, depth) = next.popLast() {
            lines.append(profile.line(since: start, depth: depth))
            next += profile.subprofiles.reversed().map { ($0, depth + 1) }
        }
        return lines.joined(separator: "\n")
    }

    private static let deepestIndent = 64

    private func line(since origin: EventInstant, depth: Int) -> String {
        let indent = depth < Self.deepestIndent ? String(repeating: "  ", count: depth) : "\(depth) deep: "
        let from = Self.milliseconds(origin.duration(to: start))
        let to = stop.map { Self.milliseconds(origin.duration(to: $0)) } ?? "…"
        let reason = error.map { ", \($0)" } ?? ""
        return "\(indent)\(name): \(from) to \(to) ms, \(status)\(reason)"
    }

    /// Milliseconds with three digits after the point.
    private static func milliseconds(_ duration: Duration) -> String {
        let microseconds = duration.wholeNanoseconds / 1000
        let rest = String(microseconds % 1000)
        return "\(microseconds / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }
}

@available(*, unavailable)
extension RequestProfile: Sendable {}

extension RequestProtocol {
    /// Begins to record when the request, and each subrequest made under it from now on, begins and ends.
    ///
    /// A request that is profiled already, by itself or as a subrequest, keeps its profile.
    ///
    /// - Parameter events: The context whose clock is read.
    /// - Returns: The profile, which grows as the work goes on.
    ///
    /// The corresponding C function is `tevent_req_set_profile()`.
    @discardableResult
    public func startProfile(on events: EventContext) -> RequestProfile {
        let request = record("startProfile(on:)")
        if let profile = request.pointee.owned.extras?.profile { return profile }
        let profile = RequestProfile(of: request, clock: events.record("startProfile(on:)").pointee.manualClock)
        if request.pointee.status != .inProgress { profile.stop(request) }
        request.extras.profile = profile
        return profile
    }

    /// The request's profile; nil if it is not profiled.
    ///
    /// The corresponding C functions are `tevent_req_get_profile()` and `tevent_req_move_profile()`.
    public var profile: RequestProfile? { record().pointee.owned.extras?.profile }
}

extension RequestPointer {
    /// Begins to profile a new request if the request it was made under is profiled.
    @inline(__always)
    func joinProfile(of parent: UnsafeMutableRawPointer) {
        let parent = parent.assumingMemoryBound(to: RequestRecord.self)
        if parent.pointee.owned.extras != nil { joinProfile(ofOneWithExtras: parent) }
    }

    @inline(never)
    private func joinProfile(ofOneWithExtras parent: RequestPointer) {
        guard let profile = parent.pointee.owned.extras?.profile else { return }
        extras.profile = profile.makeSubprofile(of: self)
    }
}
