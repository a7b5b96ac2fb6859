import Chapter4Requests
import Talloc
import Tevent

// snippet: test
/// The innermost request: its work is to wait for an event.
struct Test {
    let work: Work
    var names = ""

    static func send(_ work: Work, under parent: some TallocObject) throws(TeventError) -> Request<Test> {
        work.trace.enter("test send")
        defer { work.trace.leave() }
        let request = try Request(Test(work: work), under: parent)
        work.trace.watch(request, as: "test", on: work.events)
        if work.usesWakeup { return waitForWakeup(request) }
        let timer = request.attempt {
            try work.events.addTimer(after: .seconds(1), under: request) { _, _ in wrapper(request) }
        }
        return timer == nil ? request.post(on: work.events) : request
    }

    /// The wrapper: the handler with which the loop starts the cascade.
    private static func wrapper(_ request: Request<Test>) {
        let trace = request.state.work.trace
        trace.enter("wrapper")
        defer { trace.leave() }
        done(request)
    }

    private static func done(_ request: Request<Test>) {
        let trace = request.state.work.trace
        trace.enter("test done")
        defer { trace.leave() }
        request.state.names = "test"
        request.finish()
    }
}
// snippet-end: test

// snippet: wakeup
extension Test {
    /// Starts the cascade with another request instead of a bare event.
    private static func waitForWakeup(_ request: Request<Test>) -> Request<Test> {
        let work = request.state.work
        let wakeup = request.attempt { try Wakeup.send(after: .seconds(1), on: work.events, under: request) }
        guard let wakeup else { return request.post(on: work.events) }
        work.trace.watch(wakeup, as: "wakeup", on: work.events)
        wakeup.setCallback(for: request, wrapper)
        return request
    }

    /// The wrapper again: now it is a callback, and must check how the waiting ended.
    private static func wrapper(_ wakeup: Request<Wakeup>, of request: Request<Test>) {
        let trace = request.state.work.trace
        trace.enter("wrapper")
        defer { trace.leave() }
        guard request.attempt({ try wakeup.receive() }) != nil else { return }
        wakeup.free()
        done(request)
    }
}
// snippet-end: wakeup

extension Request<Test> {
    func receive() throws -> String { try receive { $0.names } }
}
