import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// An event context under a parent: its memory, its lists, and its end.
@main
struct CreateContext: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "create-context",
        abstract: "Make an event context under a talloc parent, register events, and free the parent.",
        discussion: """
            Prints the memory tree and the context's lists of events: with nothing in them, with events of every kind, \
            and after parts of the tree were freed. No loop is run. With --svg it prints the same tree and lists as a \
            picture.
            """)

    @OptionGroup var loop: LoopOptions

    @Flag(help: "Print a picture of the tree and the lists, in SVG, instead.")
    var svg = false

    func run() throws {
        // snippet: create
        let program = try TallocContext(named: "program")
        let events = try loop.makeContext(under: program, clock: ManualClock())
        // snippet-end: create
        show("A context under a parent:", program, events)

        // snippet: events
        let session = try TallocContext(under: program, named: "session")
        let timer = try events.addTimer(after: .seconds(5)) { _, _ in }
        try events.addTimer(after: .seconds(2), under: session) { _, _ in }
        let immediate = try ImmediateEvent(under: session)
        immediate.schedule(on: events) { _, _ in }
        try events.addSignal(.interrupt) { _, _ in }
        try events.addFD(SystemIO.standardInput, .read) { _, _ in }
        // snippet-end: events
        if svg { print(ContextPicture(of: events, below: program).svg) }
        show("With events:", program, events)

        // snippet: free
        session.free()
        // snippet-end: free
        show("The session is freed:", program, events)

        // snippet: end
        program.free()
        say("The program is freed.\nIs the context freed? \(events.isFreed). Its timer? \(timer.isFreed).")
        // snippet-end: end
    }

    /// Prints `title`, then the memory below `program` and the lists of `events`.
    private func show(_ title: String, _ program: TallocContext, _ events: EventContext) {
        // snippet: show
        say(title)
        say(program.report().drawing(.names))
        say("\(EventLists(of: events))\n")
        // snippet-end: show
    }

    /// Prints a text, unless only the picture was requested.
    private func say(_ text: String) {
        if !svg { print(text) }
    }
}
