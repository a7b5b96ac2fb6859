import ArgumentParser
import Chapter1ContextAndLoops
import Chapter2Events
import Tevent
import TeventExtras

/// Reads a descriptor line by line.
@main
struct ReadLines: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "read-lines",
        abstract: "Read a pipe, or standard input, line by line.",
        discussion: """
            Without options the program fills a pipe itself, piece by piece, and shows which lines come out. With \
            --stdin it reads standard input until that ends: a terminal, a pipe or a file.
            """)

    @Flag(help: "Read standard input instead of a pipe of its own.")
    var stdin = false

    @Option(parsing: .unconditional, help: "How many bytes of a line to keep at most.")
    var limit = 4096

    @OptionGroup var loop: LoopOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be at least 1 byte, not \(limit).") }
    }

    func run() throws {
        SystemIO.printLineByLine()
        let events = try loop.makeContext()
        defer { events.free() }
        if stdin { try readStandardInput(events) } else { try readPipe(events) }
    }

    // snippet: print
    /// Prints an input of the reader on one line.
    private func show(_ input: LineReader.Input) {
        switch input {
        case .line(let text): print("  line \(text.debugDescription)")
        case .cutLine(let text): print("  cut  \(text.debugDescription)")
        case .end: print("  end")
        case .failed(let error): print("  failed: \(error)")
        }
    }
    // snippet-end: print

    // snippet: pipe
    private func readPipe(_ events: EventContext) throws {
        let pipe = try SystemIO.pipe()
        let closing = LineReader.Closing.call { descriptor in
            print("  close")
            SystemIO.close(descriptor)
        }
        try LineReader(of: pipe.reader, on: events, limit: limit, closing: closing) { _, input in show(input) }

        let pieces = [
            "half a ", "line\n", "two\nin one read\n\nand ", "a line much too long for the limit\n", "no break",
        ]
        for piece in pieces {
            print("write \(piece.debugDescription)")
            _ = try SystemIO.write(pipe.writer, piece.utf8)
            try events.loopOnce()
        }
        print("close the writing end")
        SystemIO.close(pipe.writer)
        print("The loop has ended: \(try events.loopWait())")
    }
    // snippet-end: pipe

    // snippet: stdin
    private func readStandardInput(_ events: EventContext) throws {
        var failure: TeventError?
        try LineReader(of: SystemIO.standardInput, on: events, limit: limit) { _, input in
            show(input)
            if case .failed(let error) = input { failure = error }
        }
        try events.loopWait()
        if let failure { throw failure }
    }
    // snippet-end: stdin
}
