import ArgumentParser
import TeventRecording

/// An example with the option to record its run.
struct RecordedProgram<Program: ExampleProgram>: ParsableCommand {
    static var configuration: CommandConfiguration { Program.configuration }

    @Option(
        help: ArgumentHelp(
            "Record the run: FILE.html to step through in a browser, FILE.json for Perfetto.", valueName: "file"))
    var record: RecordingFile?

    @OptionGroup private var program: Program

    mutating func run() throws {
        try record?.begin()
        try program.run()
    }
}

/// The file of a recording, whose name ends in `.html` or `.json`.
struct RecordingFile: ExpressibleByArgument, Sendable {
    private let path: String

    init?(argument: String) { path = argument }

    // snippet: begin
    /// Begins the recording, before the program makes anything.
    func begin() throws {
        do { try ProgramRecording.begin(writingTo: path) } catch { throw ValidationError("\(error)") }
    }
    // snippet-end: begin
}
