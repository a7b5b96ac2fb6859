import ArgumentParser
import Chapter1ContextAndLoops
import Chapter3AccessingData
import Talloc
import Tevent

/// The two kinds of data of a request: the state of its work, and the data that its caller wants back in the callback.
@main
struct RequestData: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "request-data",
        abstract: "Read a request's state, and the data given with its callback, typed and untyped.",
        discussion: """
            The state belongs to the request. The data passed with the callback belongs to the caller; the request \
            only hands it back.
            """)

    // snippet: extra
    /// What the caller needs again when the work is done.
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
