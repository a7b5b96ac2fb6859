import ArgumentParser
import Chapter2Events

/// Stands in for the chapter's first example until it is written.
@main
struct HelloTimer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hello-timer",
        abstract: "Let a timer fire once.")

    @Option(help: "Seconds until the timer fires.")
    var interval = 2.0

    func run() {
        // snippet: greeting
        print("placeholder: \(timerGreeting)")
        // snippet-end: greeting
    }
}
