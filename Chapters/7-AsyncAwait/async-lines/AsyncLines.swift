import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import TeventTasks

/// Lines out of pieces that do not end where the lines end.
@main
struct AsyncLines: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "async-lines",
        abstract: "Read a pipe line by line, with a for.",
        discussion: """
            A piece comes at each second. The clock is moved by hand, so the program takes no time; the first column is \
            what the clock shows.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let clock = ManualClock()
        let program = try TallocContext(named: "program")
        defer { program.free() }
        let events = try loop.makeContext(under: program, clock: clock)
        let log = EventLog(clock: clock)
        let pipe = try SystemIO.pipe()
        defer { SystemIO.close(pipe.reader) }
        try writePieces(into: pipe.writer, on: events, log)
        try events.run { try await readLines(from: pipe.reader, on: events, log, under: program) }
        print(log)
    }

    // snippet: lines
    /// Logs each line as it comes.
    private func readLines(
        from descriptor: Int32, on events: EventContext, _ log: EventLog, under memory: TallocContext
    ) async throws {
        for try await line in events.lines(from: descriptor, under: memory) {
            log.add("task", "a line: '\(line)'")
        }
        log.add("task", "the end")
    }
    // snippet-end: lines

    // snippet: pieces
    /// Writes a piece at each second, then closes the pipe.
    private func writePieces(into descriptor: Int32, on events: EventContext, _ log: EventLog) throws {
        for (second, piece) in [(1, "one\ntw"), (2, "o\nthree")] {
            try events.addTimer(after: .seconds(second)) { _, _ in
                log.add("timer", "writes \(piece.debugDescription)")
                _ = try? SystemIO.write(descriptor, piece.utf8)
            }
        }
        try events.addTimer(after: .seconds(3)) { _, _ in
            log.add("timer", "closes")
            SystemIO.close(descriptor)
        }
    }
    // snippet-end: pieces
}
