import CTalloc
import CTevent
import Glibc
import Synchronization
import Talloc
import Tevent

// A C profile is a separate chunk, which programs may also create, fill and read themselves. The profile of a request
// is below the request. The profile of a subrequest is in the list of the request that it works for from the start, and
// becomes that request's when the subrequest ends.

typealias ProfilePointer = UnsafeMutablePointer<Profile>

struct Profile {
    var name: UnsafePointer<CChar>?
    var start = Moment()
    var stop = Moment()
    var process: pid_t = 0
    var state = TEVENT_REQ_INIT
    var error: UInt64 = 0
    /// The profile whose list contains it.
    var parent: ProfilePointer?
    var first: ProfilePointer?
    var last: ProfilePointer?
    var next: ProfilePointer?

    struct Moment {
        var location: UnsafePointer<CChar>?
        var time = timeval.zero
    }
}

enum Profiles {
    private static let used = Atomic(false)

    /// Whether any request of the process has ever been profiled.
    static var areUsed: Bool { used.load(ordering: .relaxed) }
    static func noteUse() { used.store(true, ordering: .relaxed) }
}

extension ProfilePointer {
    static func make(under parent: UnsafeMutableRawPointer?) -> ProfilePointer? {
        let chunk = talloc_named_const(
            parent, MemoryLayout<Profile>.size, StaticString("struct tevent_req_profile").cString)
        guard let chunk else { return nil }
        _talloc_set_destructor(chunk) { chunk in
            chunk!.assumingMemoryBound(to: Profile.self).leaveList()
            return 0
        }
        return chunk.initializeMemory(as: Profile.self, to: Profile())
    }

    /// Replaces a text with a copy of another one, which is freed with the profile.
    fileprivate func set(
        _ text: WritableKeyPath<Profile, UnsafePointer<CChar>?>, _ value: UnsafePointer<CChar>?
    ) -> Bool {
        guard let copy = talloc_strdup(self, value) else { return false }
        if let old = pointee[keyPath: text], let parent = talloc_parent(old), parent == UnsafeMutableRawPointer(self) {
            freeChunk(UnsafeMutableRawPointer(mutating: old))
        }
        pointee[keyPath: text] = UnsafePointer(copy)
        return true
    }

    /// Adds a profile to the end of the list.
    fileprivate func append(_ profile: ProfilePointer) {
        profile.pointee.parent = self
        if let last = pointee.last { last.pointee.next = profile } else { pointee.first = profile }
        pointee.last = profile
    }

    fileprivate func own(_ profile: ProfilePointer) {
        _ = _talloc_steal_loc(self, profile, StaticString("tevent_req_profile").cString)
    }

    /// Takes a profile that is being freed out of its list, and detaches those in its own list.
    private func leaveList() {
        while let first = pointee.first {
            pointee.first = first.pointee.next
            first.pointee.next = nil
            first.pointee.parent = nil
        }
        guard let parent = pointee.parent else { return }
        var before: ProfilePointer?
        var entry = parent.pointee.first
        while let profile = entry, profile != self { (before, entry) = (profile, profile.pointee.next) }
        if let before { before.pointee.next = pointee.next } else { parent.pointee.first = pointee.next }
        if parent.pointee.last == self { parent.pointee.last = before }
    }
}

extension RequestPointer {
    fileprivate func startProfile() -> Bool {
        guard let profile = ProfilePointer.make(under: self) else { return false }
        Profiles.noteUse()
        profile.pointee.name = c.pointee.type
        profile.pointee.start = Profile.Moment(location: madeAt, time: .current)
        c.pointee.profile = profile
        return true
    }

    /// Profiles a new request if the one that it works for is profiled.
    func joinProfile(of owner: RequestPointer) {
        guard let parent = owner.c.pointee.profile, startProfile(), let profile = c.pointee.profile else { return }
        parent.append(profile)
    }

    func stopProfile(_ status: RequestStatus, _ failure: RequestFailure, _ location: UnsafePointer<CChar>?) {
        guard let profile = c.pointee.profile else { return }
        profile.pointee.stop = Profile.Moment(location: location, time: .current)
        profile.pointee.state = tevent_req_state(status)
        if case .code(let code) = failure { profile.pointee.error = code }
        guard let parent = profile.pointee.parent else { return }
        c.pointee.profile = nil
        parent.own(profile)
    }
}

// MARK: Requests

@c @implementation
package func tevent_req_set_profile(_ req: OpaquePointer?) -> Bool {
    let request: RequestPointer = record(req, .request)
    let location = StaticString("tevent_req_set_profile").cString
    guard request.c.pointee.profile == nil else {
        _ = _tevent_req_error(req, UInt64(EINVAL), location)
        return false
    }
    guard request.startProfile() else {
        _tevent_req_oom(req, location)
        return false
    }
    return true
}

@c @implementation
package func tevent_req_get_profile(_ req: OpaquePointer?) -> OpaquePointer? {
    (record(req, .request) as RequestPointer).c.pointee.profile.map { OpaquePointer($0) }
}

@c @implementation
package func tevent_req_move_profile(_ req: OpaquePointer?, _ mem_ctx: UnsafeMutableRawPointer?) -> OpaquePointer? {
    let request: RequestPointer = record(req, .request)
    guard let profile = request.c.pointee.profile.take() else { return nil }
    _ = _talloc_steal_loc(mem_ctx, profile, StaticString("tevent_req_move_profile").cString)
    return OpaquePointer(profile)
}

// MARK: Profiles by themselves

private func known(_ profile: OpaquePointer?, _ call: StaticString = #function) -> ProfilePointer {
    guard let profile else { abort("\(cName(call)) was called with NULL instead of a profile") }
    return ProfilePointer(profile)
}

@c @implementation
package func tevent_req_profile_create(_ mem_ctx: UnsafeMutableRawPointer?) -> OpaquePointer? {
    ProfilePointer.make(under: mem_ctx).map { OpaquePointer($0) }
}

@c @implementation
package func tevent_req_profile_set_name(_ profile: OpaquePointer?, _ name: UnsafePointer<CChar>?) -> Bool {
    known(profile).set(\.name, name)
}

@c @implementation
package func tevent_req_profile_get_name(
    _ profile: OpaquePointer?, _ name: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) { name?.pointee = known(profile).pointee.name }

@c @implementation
package func tevent_req_profile_set_start(
    _ profile: OpaquePointer?, _ location: UnsafePointer<CChar>?, _ time: timeval
) -> Bool {
    guard known(profile).set(\.start.location, location) else { return false }
    known(profile).pointee.start.time = time
    return true
}

@c @implementation
package func tevent_req_profile_get_start(
    _ profile: OpaquePointer?, _ location: UnsafeMutablePointer<UnsafePointer<CChar>?>?,
    _ time: UnsafeMutablePointer<timeval>?
) {
    location?.pointee = known(profile).pointee.start.location
    time?.pointee = known(profile).pointee.start.time
}

@c @implementation
package func tevent_req_profile_set_stop(
    _ profile: OpaquePointer?, _ location: UnsafePointer<CChar>?, _ time: timeval
) -> Bool {
    guard known(profile).set(\.stop.location, location) else { return false }
    known(profile).pointee.stop.time = time
    return true
}

@c @implementation
package func tevent_req_profile_get_stop(
    _ profile: OpaquePointer?, _ location: UnsafeMutablePointer<UnsafePointer<CChar>?>?,
    _ time: UnsafeMutablePointer<timeval>?
) {
    location?.pointee = known(profile).pointee.stop.location
    time?.pointee = known(profile).pointee.stop.time
}

@c @implementation
package func tevent_req_profile_set_status(
    _ profile: OpaquePointer?, _ process: pid_t, _ state: tevent_req_state, _ error: UInt64
) {
    let profile = known(profile)
    profile.pointee.process = process
    profile.pointee.state = state
    profile.pointee.error = error
}

@c @implementation
package func tevent_req_profile_get_status(
    _ profile: OpaquePointer?, _ process: UnsafeMutablePointer<pid_t>?,
    _ state: UnsafeMutablePointer<tevent_req_state>?, _ error: UnsafeMutablePointer<UInt64>?
) {
    let profile = known(profile).pointee
    process?.pointee = profile.process
    state?.pointee = profile.state
    error?.pointee = profile.error
}

@c @implementation
package func tevent_req_profile_get_subprofiles(_ profile: OpaquePointer?) -> OpaquePointer? {
    known(profile).pointee.first.map { OpaquePointer($0) }
}

@c @implementation
package func tevent_req_profile_next(_ profile: OpaquePointer?) -> OpaquePointer? {
    known(profile).pointee.next.map { OpaquePointer($0) }
}

@c @implementation
package func tevent_req_profile_append_sub(
    _ parent: OpaquePointer?, _ subprofile: UnsafeMutablePointer<OpaquePointer?>?
) {
    guard let profile = subprofile?.pointee else { return }
    known(parent).append(ProfilePointer(profile))
    known(parent).own(ProfilePointer(profile))
    subprofile?.pointee = nil
}
