import ArgumentParser
import Chapter1ContextAndLoops

/// Stands in for the chapter's first example until it is written.
@main
struct CreateContext: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create-context",
        abstract: "Create an event context under a talloc parent.")

    func run() {
        // snippet: greeting
        print("placeholder: \(contextGreeting)")
        // snippet-end: greeting
    }
}
