import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// What calls the trigger, and when.
@main
struct AddOrStart: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "add-or-start",
        abstract: "Add a request to an empty queue: started by the loop, or at once.")

    @OptionGroup var loop: LoopOptions

    func run() throws {
        // snippet: cases
        try show("add, to an empty queue:") { try Step.send("first", .add, $0) }
        try show("addOrStart, to an empty queue:") { try Step.send("first", .addOrStart, $0) }
        try show("addOrStart, after another entry:") {
            try Step.send("first", .addOrStart, $0)
            try Step.send("second", .addOrStart, $0)
        }
        try show("addOrStart, with the callback set before:") { try Step.send("first", .addOrStart, $0, isHeard: true) }
        // snippet-end: cases
    }

    private func show(_ title: String, _ add: (Work) throws -> Void) throws {
        let events = try loop.makeContext()
        defer { events.free() }
        let log = EventLog()
        try add(Work(queue: try RequestQueue(label: "steps", under: events), events: events, log: log))
        log.add("caller", "runs the loop")
        try events.loopWait()
        print("\(title)\n\(log)")
    }
}

/// What the steps share.
struct Work {
    let queue: RequestQueue
    let events: EventContext
    let log: EventLog
}

// snippet: step
/// Work that is done as soon as its turn comes.
struct Step {
    enum Way { case add, addOrStart }

    let name: String
    let log: EventLog

    static func send(_ name: String, _ way: Way, _ work: Work, isHeard: Bool = false) throws {
        let request = try Request(Step(name: name, log: work.log), under: work.events)
        if isHeard { request.setCallback(ended) }
        _ = request.attempt {
            switch way {
            case .add: try work.queue.add(request, on: work.events, trigger: begin)
            case .addOrStart: try work.queue.addOrStart(request, on: work.events, trigger: begin)
            }
        }
        if !request.isInProgress { request.post(on: work.events) }
        work.log.add(name, "send returns, \(request.status)")
        if !isHeard { request.setCallback(ended) }
    }

    private static func begin(_ request: Request<Step>) {
        request.state.log.add(request.state.name, "the trigger is called")
        request.finish()
    }

    private static func ended(_ request: Request<Step>) {
        request.state.log.add(request.state.name, "the callback is called")
        request.free()
    }
}
// snippet-end: step
