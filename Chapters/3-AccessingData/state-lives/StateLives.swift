import ArgumentParser
import Chapter1ContextAndLoops
import Chapter3AccessingData
import Talloc
import Tevent

/// The life of a request's state: from its creation until the result has been received.
@main
struct StateLives: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "state-lives",
        abstract: "Look at the memory of a request before and after its result is received.",
        discussion: """
            Receiving the result releases the state and everything made for the work; the request itself stays until \
            the program frees it. The state reports when it is released.
            """)

    // snippet: state
    /// What counting words has to remember from one piece of text to the next.
    struct WordCount {
        var words = 0
        let witness = Witness("the state")
    }

    /// What the caller needs again.
    struct Extra {
        var title: String
    }
    // snippet-end: state

    func run() throws {
        try withTallocContext(named: "main") { memory in try count(under: memory) }
    }

    private func count(under memory: TallocContext) throws {
        print("In progress:")
        // snippet: begin
        let extra = try TallocChunk(Extra(title: "A poem"), under: memory)
        let request = try Request(WordCount(), under: memory)
        request.setCallback(data: extra) { request in
            print("\(request.callbackData(of: Extra.self).value.title) is \(request.status)")
        }
        _ = try TallocChunk([UInt8](), under: request, named: "buffer")
        // snippet-end: begin

        // snippet: change
        request.state.words += 3
        request.state.words += 4
        print(memory.report().drawing(.names))
        // snippet-end: change

        print("\nEnded:")
        // snippet: finish
        request.finish()
        print("words in the state: \(request.state.words)")
        print(memory.report().drawing(.names))
        // snippet-end: finish

        print("\nReceived:")
        // snippet: receive
        let words = try request.receive { count in count.words }
        print("the result: \(words) words")
        print(memory.report().drawing(.names))
        // snippet-end: receive

        print("\nFreed:")
        // snippet: free
        request.free()
        print(memory.report().drawing(.names))
        print("still there: \(extra.value.title)")
        // snippet-end: free
    }
}
