import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import TeventTasks

/// Tasks in code that belongs to the main actor.
@main
struct WrongMain: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "wrong-main",
        abstract: "Begin a task in a handler of the main actor, which never runs, and one in its place.",
        discussion: """
            With --wrong, an async function runs on the loop in code of the main actor. Then the program ends with a \
            message that says what to do.
            """)

    @Flag(help: "Run an async function in code of the main actor; the program ends with a trap.")
    var wrong = false

    @OptionGroup var loop: LoopOptions

    func run() throws {
        SystemIO.printLineByLine()
        let backend = loop.backend
        if wrong { return try MainActor.assumeIsolated { try WrongProgram.main(backend) } }
        print("A Task in a handler:")
        try MainActor.assumeIsolated { try HandlerWithTask.main(backend) }
        print("A nonisolated main:")
        try RightProgram.main(backend)
    }
}

// snippet: wrong
/// As the compiler sees a `@main` type: its main belongs to the main actor.
@MainActor
enum WrongProgram {
    static func main(_ backend: String) throws {
        let events = try EventContext(backend: backend)
        defer { events.free() }
        try events.run {
            try await events.sleep(for: .milliseconds(1))
            print("a millisecond later")
        }
    }
}
// snippet-end: wrong

// snippet: right
@MainActor
enum RightProgram {
    nonisolated static func main(_ backend: String) throws {
        let events = try EventContext(backend: backend)
        defer { events.free() }
        try events.run {
            try await events.sleep(for: .milliseconds(1))
            print("a millisecond later")
        }
    }
}
// snippet-end: right

// snippet: task-trap
@MainActor
enum HandlerWithTask {
    static func main(_ backend: String) throws {
        let events = try EventContext(backend: backend)
        defer { events.free() }
        let request = try Request("an answer", under: events)
        request.setCallback { request in print("the callback: \(request.status)") }
        try events.addTimer(after: .zero) { _, _ in
            print("the handler begins a Task")
            Task {
                print("the Task finishes the request")
                request.finish()
            }
        }
        print("the loop: \(try events.loopWait())")
        print("the request: \(request.status)")
    }
}
// snippet-end: task-trap
