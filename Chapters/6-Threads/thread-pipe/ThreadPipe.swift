import ArgumentParser
import Chapter1ContextAndLoops
import Chapter2Events
import Tevent
import TeventExtras

/// A pipe between two threads: one writes, and the loop of the other watches.
@main
struct ThreadPipe: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "thread-pipe",
        abstract: "Let a thread write into a pipe that the main thread's loop watches.",
        discussion: """
            The thread has no loop, and knows only a descriptor of the main thread. The loop reads lines until the \
            thread closes its end.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        // snippet: main
        let events = try loop.makeContext()
        defer { events.free() }

        let pipe = try SystemIO.pipe()
        try LineReader(of: pipe.reader, on: events, closing: .close) { _, input in
            print("the main thread reads \(input)")
        }
        let thread = try SystemThread(named: "writer") { try write(to: pipe.writer) }

        print("The loop: \(try events.loopWait())")
        try thread.join()
        // snippet-end: main
    }
}

// snippet: thread
/// Everything that the thread does; the descriptor is its own.
private func write(to descriptor: Int32) throws {
    defer { SystemIO.close(descriptor) }
    for word in ["one", "two", "three"] {
        _ = try SystemIO.write(descriptor, "\(word)\n".utf8)
    }
}
// snippet-end: thread
