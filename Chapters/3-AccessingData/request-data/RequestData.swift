import ArgumentParser
import Chapter1ContextAndLoops
import Chapter3AccessingData
import Talloc
import Tevent

/// The two kinds of data that a request carries: the state of the work, and what its caller wants to find again.
@main
struct RequestData: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "request-data",
        abstract: "Read a request's state, and the data given with its callback, typed and untyped.",
        discussion: """
            The state belongs to the request. What is given with the callback stays with whoever gave it; the request \
            only hands it back.
            """)

    // snippet: extra
    /// What the caller wants to find again when the work is done.
    struct Extra {
        var y: Int
    }
    // snippet-end: extra

    // snippet: done
    private static func fooDone(_ request: Request<Foo>) {
        print("state:                  x is \(request.state.x)")

        let typed = request.callbackData(of: Extra.self)
        print("callback data, typed:   y is \(typed.value.y)")

        if let untyped = request.callbackData, let found = untyped.chunk(of: Extra.self) {
            print("callback data, untyped: y is \(found.value.y)")
        }
    }
    // snippet-end: done

    func run() throws {
        // snippet: run
        try withTallocContext(named: "main") { memory in
            let extra = try TallocChunk(Extra(y: 9), under: memory)
            let request = try Foo.send(under: memory)
            request.setCallback(data: extra, Self.fooDone)
            request.finish()
        }
        // snippet-end: run
    }
}
