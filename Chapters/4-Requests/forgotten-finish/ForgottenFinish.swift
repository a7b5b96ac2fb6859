import ArgumentParser
import Chapter1ContextAndLoops
import Chapter4Requests
import Talloc
import Tevent

/// Requests of which one never ends, and how to find it.
@main
struct ForgottenFinish: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "forgotten-finish",
        abstract: "Ask three questions, one of which is never answered, and find it in the memory.",
        discussion: """
            One way through the work forgets to end the request, so its callback never comes, and nothing says so. \
            The memory tree does.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        // snippet: run
        let program = try TallocContext(named: "program")
        defer { program.free() }
        let events = try loop.makeContext()
        defer { events.free() }

        for question in ["yes", "no", "perhaps"] {
            let request = try Ask.send(question, on: events, under: program)
            request.setPrint { "asking '\($0.state.question)', made at \($0.origin)" }
            request.setCallback { request in
                print("\(request.state.question): \(request.status)")
                request.free()
            }
        }
        print("The loop: \(try events.loopWait())")

        print("\nStill in memory:\n\(program.report().drawing(.names))")
        for request in requestsInProgress(below: program) { print("Never ended: \(request)") }
        // snippet-end: run
    }
}

struct Ask {
    let question: String

    static func send(
        _ question: String, on events: EventContext, under parent: some TallocObject
    ) throws(TeventError) -> Request<Ask> {
        let request = try Request(Ask(question: question), under: parent)
        let timer = request.attempt {
            try events.addTimer(after: .zero, under: request) { _, _ in done(request) }
        }
        return timer == nil ? request.post(on: events) : request
    }

    // snippet: wrong
    private static func done(_ request: Request<Ask>) {
        switch request.state.question {
        case "yes": request.finish()
        case "no": request.fail(AnswerError.refused)
        default: break
        }
    }
    // snippet-end: wrong
}

enum AnswerError: Error { case refused }
