// snippet: program
import ArgumentParser
import Chapter1ContextAndLoops
import Tevent

/// The smallest program with a loop.
@main
struct FirstLoop: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "first-loop",
        abstract: "Wait for one timer with one loop.",
        discussion: "Makes a context, adds a timer of 20 milliseconds, and runs the loop until nothing is left.")

    func run() throws {
        let events = try EventContext()
        try events.addTimer(after: .milliseconds(20)) { _, _ in print("The kettle boils.") }
        print("The kettle is on.")
        try events.loopWait()
        print("There is nothing left to wait for.")
        events.free()
    }
}
// snippet-end: program
