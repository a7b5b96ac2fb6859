import ArgumentParser
import Chapter1ContextAndLoops
import Chapter3AccessingData
import Talloc
import Tevent

/// Asks for data by a wrong type: gently, and firmly with --wrong.
@main
struct WrongType: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "wrong-type",
        abstract: "Ask a callback's data for the right type and for a wrong one.",
        discussion: """
            Code that may meet several types asks gently, and gets nil for the wrong one. Code that knows which type \
            it must be insists. With --wrong the program insists on the wrong one, and ends with a message that names \
            both.
            """)

    @Flag(help: "Insist on a type that the data does not have; the program ends with a trap.")
    var wrong = false

    func run() throws {
        try withTallocContext(named: "main") { memory in
            if wrong { try insist(under: memory) } else { try ask(under: memory) }
        }
    }

    // snippet: types
    /// What a caller needs again.
    struct Extra {
        var y: Int
    }

    /// Another type, which looks the same in memory.
    struct Price {
        var cents: Int
    }
    // snippet-end: types

    // snippet: wrong
    private func insist(under memory: TallocContext) throws {
        let request = try Foo.send(under: memory)
        request.setCallback(data: try TallocChunk(Extra(y: 9), under: memory)) { request in
            let price = request.callbackData(of: Price.self)
            print("to pay: \(price.value.cents)")
        }
        request.finish()
    }
    // snippet-end: wrong

    // snippet: right
    private func ask(under memory: TallocContext) throws {
        let everything: [any TallocObject] = [
            try TallocChunk(Extra(y: 9), under: memory),
            try TallocChunk(Price(cents: 250), under: memory),
            try TallocChunk(250, under: memory, named: "Price"),
            try Foo.send(under: memory),
        ]
        for data in everything {
            let request = try Foo.send(under: memory)
            request.setCallback(data: data, look)
            request.finish()
        }
    }

    private func look(_ request: Request<Foo>) {
        guard let data = request.callbackData else { return print("no data") }
        if let extra = data.chunk(of: Extra.self) {
            print("'\(data.name)' is extra: \(extra.value.y)")
        } else if let price = data.chunk(of: Price.self) {
            print("'\(data.name)' is a price: \(price.value.cents)")
        } else {
            print("'\(data.name)' is neither")
        }
    }
    // snippet-end: right
}
