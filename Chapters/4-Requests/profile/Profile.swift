import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// Two requests side by side inside a third, and where the time goes.
@main
struct Profile: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "Make tea and toast at the same time, and print when each request began and ended.",
        discussion: "The clock is moved by hand, so the program takes no time, and the times are the same each time.")

    @OptionGroup var loop: LoopOptions

    func run() throws {
        // snippet: run
        let clock = ManualClock()
        let events = try loop.makeContext(clock: clock)
        defer { events.free() }
        let request = try Breakfast.send(on: events, under: events)
        guard let profile = request.profile else { return }
        request.setCallback { $0.free() }
        clock.advance(by: .seconds(1))
        print("After a second:\n\(profile)\n")
        while try events.loopWait() == .timedOut { clock.advance(by: .seconds(1)) }
        print("In the end, although the request is freed (\(request.isFreed)):\n\(profile)")
        // snippet-end: run
    }
}

// snippet: breakfast
/// Tea and toast at the same time, done when both are done.
struct Breakfast {
    var waitsFor = 2

    static func send(on events: EventContext, under parent: some TallocObject) throws(TeventError) -> Request<Breakfast>
    {
        let request = try Request(Breakfast(), under: parent)
        request.startProfile(on: events)
        let started: Void? = request.attempt {
            try Tea.send(on: events, under: request).setCallback { tea in
                partDone(of: request) { try tea.receive() }
            }
            try Toast.send(on: events, under: request).setCallback { toast in
                partDone(of: request) { try toast.receive() }
            }
        }
        return started == nil ? request.post(on: events) : request
    }

    private static func partDone(of request: Request<Breakfast>, _ receive: () throws -> Void) {
        guard request.attempt(receive) != nil else { return }
        request.state.waitsFor -= 1
        if request.state.waitsFor == 0 { request.finish() }
    }
}
// snippet-end: breakfast

/// Tea takes three seconds.
struct Tea {
    static func send(on events: EventContext, under parent: some TallocObject) throws(TeventError) -> Request<Tea> {
        let request = try Request(Tea(), under: parent)
        let wakeup = request.attempt { try Wakeup.send(after: .seconds(3), on: events, under: request) }
        guard let wakeup else { return request.post(on: events) }
        wakeup.setCallback { wakeup in
            guard request.attempt({ try wakeup.receive() }) != nil else { return }
            wakeup.free()
            request.finish()
        }
        return request
    }
}

extension Request<Tea> {
    func receive() throws { try receive { _ in } }
}

/// Toast takes two seconds, and one more, because the first slice is burnt.
struct Toast {
    static func send(on events: EventContext, under parent: some TallocObject) throws(TeventError) -> Request<Toast> {
        let request = try Request(Toast(), under: parent)
        toastSlice(burnsAfter: .seconds(2), for: request, on: events)
        return request.isInProgress ? request : request.post(on: events)
    }

    private static func toastSlice(burnsAfter time: Duration?, for request: Request<Toast>, on events: EventContext) {
        let slice = request.attempt {
            let slice = try Wakeup.send(after: .seconds(3), on: events, under: request)
            if let time { try slice.setEndTime(after: time, on: events) }
            return slice
        }
        slice?.setCallback { slice in
            let isBurnt = slice.status == .timedOut
            slice.free()
            if isBurnt { toastSlice(burnsAfter: nil, for: request, on: events) } else { request.finish() }
        }
    }
}

extension Request<Toast> {
    func receive() throws { try receive { _ in } }
}
