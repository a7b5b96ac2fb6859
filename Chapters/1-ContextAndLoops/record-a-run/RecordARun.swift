import ArgumentParser
import Chapter1ContextAndLoops
import Tevent
import TeventRecording

/// A program that records its own loop, and shows what the recording holds.
@main
struct RecordARun: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "record-a-run",
        abstract: "Record a loop from inside the program, add remarks, and list the steps.",
        discussion: """
            A timer closes a pipe, which makes a descriptor ready, whose handler schedules an immediate. The program \
            records all that and prints the steps without their times, which differ on each run. It writes the \
            recording only if you name a file.
            """)

    @Argument(help: "Where to write the recording, which ends in .html or .json.") var file: String?
    @OptionGroup var loop: LoopOptions

    func run() throws {
        // snippet: record
        let program = try TallocContext(named: "program")
        defer { program.free() }
        let events = try loop.makeContext(under: program)
        let farewell = try ImmediateEvent(under: program)

        let recorder = try EventRecorder(on: events, under: program)
        recorder.note("two events")
        let pipe = try SystemIO.pipe()
        try events.addFD(pipe.reader, .read) { event, _ in
            recorder.note("the pipe has ended")
            event.free()
            farewell.schedule(on: events) { _, _ in recorder.note("good night") }
        }.setAutoClose()
        try events.addTimer(after: .zero) { _, _ in
            recorder.note("the timer closes the pipe")
            SystemIO.close(pipe.writer)
        }
        try events.loopWait()

        let recording = recorder.recording
        recorder.free()
        // snippet-end: record

        // snippet: list
        var depth = 0
        for step in recording.steps {
            if Self.closing.contains(step.what) { depth -= 1 }
            print(String(repeating: "  ", count: depth) + Self.line(step, in: recording))
            if Self.opening.contains(step.what) { depth += 1 }
        }
        // snippet-end: list

        // snippet: write
        if let file { try recording.write(to: file) }
        // snippet-end: write
    }

    // snippet: line
    /// A step without the numbers that differ from run to run.
    private static func line(_ step: EventRecording.Step, in recording: EventRecording) -> String {
        let object = step.object < 0 ? nil : recording.label(of: step.object)
        let text = step.text == 0 ? nil : recording.strings[step.text]
        return ["\(step.what)", object, text].compactMap { $0 }.joined(separator: " ")
    }

    private static let opening: Set<EventRecording.What> = [.turnBegin, .waitBegin, .begin]
    private static let closing: Set<EventRecording.What> = [.turnEnd, .waitEnd, .end]
    // snippet-end: line
}
