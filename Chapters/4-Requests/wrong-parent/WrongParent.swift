import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// A subrequest that outlives the request it works for, and one that does not.
@main
struct WrongParent: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "wrong-parent",
        abstract: "Give up a request whose subrequest still waits: which parent does the subrequest need?",
        discussion: """
            With --wrong its parent is the event context. Then it calls back into a request that was freed, and the \
            program ends with a message that says so.
            """)

    @Flag(help: "Make the subrequest under the context; the program ends with a trap.")
    var wrong = false

    @OptionGroup var loop: LoopOptions

    func run() throws {
        SystemIO.printLineByLine()
        // snippet: run
        let program = try TallocContext(named: "program")
        defer { program.free() }
        let events = try loop.makeContext(under: program)
        let client = try TallocContext(under: program, named: "client")
        try Call.send(on: events, under: client, isWrong: wrong)
        print(client.report().drawing(.names))

        print("The client goes away, and its request with it.")
        client.free()
        print("The loop: \(try events.loopWait())")
        // snippet-end: run
    }
}

// snippet: call
/// A call that takes a millisecond.
struct Call {
    @discardableResult
    static func send(
        on events: EventContext, under parent: some TallocObject, isWrong: Bool
    ) throws(TeventError) -> Request<Call> {
        let request = try Request(Call(), under: parent)
        let wakeup = request.attempt {
            isWrong
                ? try Wakeup.send(after: .milliseconds(1), on: events, under: events)
                : try Wakeup.send(after: .milliseconds(1), on: events, under: request)
        }
        guard let wakeup else { return request.post(on: events) }
        wakeup.setCallback { wakeup in
            wakeup.free()
            request.finish()
        }
        return request
    }
}
// snippet-end: call
