import ArgumentParser
import Chapter1ContextAndLoops
import Chapter3AccessingData
import Talloc
import Tevent

/// Data that a callback captures, and what keeps it alive.
@main
struct CapturedData: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "captured-data",
        abstract: "Let closures capture what they need, and see how long each object lives.",
        discussion: """
            A closure keeps the objects that it captures, and its request keeps the closure. A captured handle keeps \
            nothing. Each object of the program reports when it is deinitialised.
            """)

    func run() throws {
        try withTallocContext(named: "main") { memory in
            print("The callback is called:")
            try call(under: memory)
            print("\nThe request is freed instead:")
            try free(under: memory)
            print("\nAnother callback is set:")
            try replace(under: memory)
            print("\nA handle is captured:")
            try captureHandle(under: memory)
        }
    }

    // snippet: callback
    private func callback(showing y: Int) -> (Request<Foo>) -> Void {
        let witness = Witness("the witness")
        return { request in print("x is \(request.state.x), y is \(y), and \(witness.name) is there") }
    }
    // snippet-end: callback

    // snippet: called
    private func call(under memory: TallocContext) throws {
        let request = try Foo.send(under: memory)
        request.setCallback(callback(showing: 9))
        request.finish()
        print("finish has returned")
        request.free()
    }
    // snippet-end: called

    // snippet: freed
    private func free(under memory: TallocContext) throws {
        let request = try Foo.send(under: memory)
        request.setCallback(callback(showing: 9))
        request.free()
        print("free has returned")
    }
    // snippet-end: freed

    // snippet: replaced
    private func replace(under memory: TallocContext) throws {
        let request = try Foo.send(under: memory)
        request.setCallback(callback(showing: 9))
        request.setCallback { _ in }
        print("setCallback has returned")
        request.free()
    }
    // snippet-end: replaced

    // snippet: handle
    private func captureHandle(under memory: TallocContext) throws {
        let data = try TallocChunk(Witness("the witness in the chunk"), under: memory)
        let request = try Foo.send(under: memory)
        request.setCallback { _ in print("in the callback: is the chunk freed? \(data.isFreed)") }
        data.free()
        request.finish()
        request.free()
    }
    // snippet-end: handle
}
