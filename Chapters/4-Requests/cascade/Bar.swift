import Chapter4Requests
import Talloc
import Tevent

/// The request in the middle: its work is to add its name to the result of a test.
struct Bar {
    let work: Work
    var names = ""

    static func send(_ work: Work, under parent: some TallocObject) throws(TeventError) -> Request<Bar> {
        work.trace.enter("bar send")
        defer { work.trace.leave() }
        let request = try Request(Bar(work: work), under: parent)
        work.trace.watch(request, as: "bar", on: work.events)
        guard let test = request.attempt({ try Test.send(work, under: request) }) else {
            return request.post(on: work.events)
        }
        test.setCallback(for: request, done)
        return request
    }

    private static func done(_ test: Request<Test>, of request: Request<Bar>) {
        let trace = request.state.work.trace
        trace.enter("bar done")
        defer { trace.leave() }
        guard let names = request.attempt({ try test.receive() }) else { return }
        test.free()
        request.state.names = names + ", bar"
        request.finish()
    }
}

extension Request<Bar> {
    func receive() throws -> String { try receive { $0.names } }
}
