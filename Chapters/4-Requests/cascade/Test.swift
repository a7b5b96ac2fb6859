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
        let timer = request.attempt {
            try work.events.addTimer(after: .seconds(1), under: request) { _, _ in wrapper(request) }
        }
        return timer == nil ? request.post(on: work.events) : request
    }

    /// The wrapper: the handler from which the loop sets the cascade off.
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

extension Request<Test> {
    func receive() throws -> String { try receive { $0.names } }
}
