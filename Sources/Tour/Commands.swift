import ArgumentParser

/// `tour run`: runs some examples, or all.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the named examples, or all of them.")

    @Argument(help: "Names of examples, as `tour list` shows them.")
    var names: [String] = []

    @OptionGroup var options: RunOptions

    func run() throws {
        let repository = try Repository.find()
        let manifest = try repository.manifest()
        let stops = names.isEmpty ? manifest.stops : try names.map(manifest.stop(named:))
        if names.isEmpty {
            let faults = repository.faults(of: manifest)
            for fault in faults { say(fault.description) }
            if !faults.isEmpty { throw ExitCode.failure }
        }
        try Guide(repository: repository, options: options).show(stops)
    }
}

/// `tour chapter`: runs the examples of one chapter.
struct ChapterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chapter", abstract: "Run the examples of one chapter.")

    @Argument(help: "The number or the title of the chapter.")
    var chapter: String

    @OptionGroup var options: RunOptions

    func run() throws {
        let repository = try Repository.find()
        let manifest = try repository.manifest()
        let chapter = try manifest.chapter(named: chapter)
        try Guide(repository: repository, options: options)
            .show(manifest.stops.filter { $0.chapter.number == chapter.number })
    }
}

/// `tour list`: lists the chapters and examples.
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the chapters and their examples.")

    func run() throws {
        let manifest = try Repository.find().manifest()
        let width = manifest.stops.map(\.example.name.count).max() ?? 0
        for chapter in manifest.chapters {
            say("\(chapter.number) \(chapter.title)  (\(chapter.text), about \(chapter.minutes) minutes)")
            for example in chapter.examples {
                say("    " + example.name.padded(to: width) + "  " + example.summary)
            }
        }
    }
}

/// `tour record`: records what an example prints now as its expected output.
struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record", abstract: "Record what the named examples print now as their expected output.")

    @Argument(help: "Names of examples, as `tour list` shows them.")
    var names: [String]

    @OptionGroup var options: RunOptions

    func run() throws {
        let repository = try Repository.find()
        let manifest = try repository.manifest()
        let stops = try names.map(manifest.stop(named:))
        try Guide(repository: repository, options: options).record(stops)
    }
}

/// `tour text`: updates the code and the output that the tutorial shows.
struct TextCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "text", abstract: "Bring the code and the output shown in the tutorial up to date.")

    @Flag(help: "Change nothing; fail if anything is out of date, missing, unused or linked to nothing.")
    var check = false

    func run() throws {
        let repository = try Repository.find()
        let manifest = try repository.manifest()
        var text = try TutorialText(repository: repository, manifest: manifest)
        if !check {
            for path in try text.rewrite() { say("rewritten: \(path)") }
        }
        let faults = text.faults()
        for fault in faults { say(fault.description) }
        say(faults.isEmpty ? "The text is in order." : "\(faults.count) to fix.")
        if !faults.isEmpty { throw ExitCode.failure }
    }
}

/// The options of every command that runs examples.
struct RunOptions: ParsableArguments {
    @Option(help: "Run the programs found in this folder, as they are, instead of building first.")
    var programs: String?

    @Option(help: "Seconds after which an example that does not end is killed.")
    var timeout = 30.0

    @Option(help: "Record each run as well, into this folder: a page to step through in a browser.")
    var recordings: String?

    func validate() throws {
        guard timeout > 0 else { throw ValidationError("--timeout must be more than 0 seconds.") }
    }
}
