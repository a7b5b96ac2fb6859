import Chapter4Requests
import Talloc
import Tevent

// snippet: foo
/// The outermost request: its work is to add its name to the result of a bar.
struct Foo {
    let work: Work
    var names = ""

    static func send(_ work: Work, under parent: some TallocObject) throws(TeventError) -> Request<Foo> {
        work.trace.enter("foo send")
        defer { work.trace.leave() }
        let request = try Request(Foo(work: work), under: parent)
        work.trace.watch(request, as: "foo", on: work.events)
        guard let bar = request.attempt({ try Bar.send(work, under: request) }) else {
            return request.post(on: work.events)
        }
        bar.setCallback(for: request, done)
        return request
    }

    private static func done(_ bar: Request<Bar>, of request: Request<Foo>) {
        let trace = request.state.work.trace
        trace.enter("foo done")
        defer { trace.leave() }
        guard let names = request.attempt({ try bar.receive() }) else { return }
        bar.free()
        request.state.names = names + ", foo"
        request.finish()
    }
}

extension Request<Foo> {
    func receive() throws -> String { try receive { $0.names } }
}
// snippet-end: foo
