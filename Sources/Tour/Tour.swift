import ArgumentParser
import Tevent

/// The guided tour through the chapters, which also keeps the tutorial's text up to date.
@main
struct Tour: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tour",
        abstract: "Run the examples of the tutorial and compare what they print with what it shows.",
        discussion: """
            Without a subcommand, builds the examples, then runs every one in order. Each has a heading with the \
            chapter, the file and the command to run it on its own. The exit code is 0 if everything went as expected, \
            1 if not, 64 for a name that does not exist.
            """,
        subcommands: [
            RunCommand.self, ChapterCommand.self, ListCommand.self, RecordCommand.self, TextCommand.self,
        ],
        defaultSubcommand: RunCommand.self)

    static func main() {
        SystemIO.guardStandardStreams()
        main(commandFirst(Array(CommandLine.arguments.dropFirst())))
    }

    /// Moves the name of a command before the options, since it may also be written after them.
    private static func commandFirst(_ arguments: [String]) -> [String] {
        let commands = configuration.subcommands.compactMap { $0.configuration.commandName }
        var index = 0
        while index < arguments.count, arguments[index].hasPrefix("-") {
            index += ["--programs", "--timeout", "--recordings"].contains(arguments[index]) ? 2 : 1
        }
        guard index < arguments.count, commands.contains(arguments[index]) else { return arguments }
        return [arguments[index]] + arguments[..<index] + arguments[(index + 1)...]
    }
}
