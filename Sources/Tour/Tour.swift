import ArgumentParser
import Tevent

/// The guided tour through the chapters, and the keeper of the tutorial's text.
@main
struct Tour: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tour",
        abstract: "Run the examples of the tutorial and compare what they print with what it shows.",
        discussion: """
            Without a subcommand, builds the examples, then runs every one in order. Each stands under a heading that \
            tells the chapter, the file and the command to run it alone. The exit code is 0 if all went as expected, \
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

    /// Puts the name of a command before the options, where it may stand after them as well.
    private static func commandFirst(_ arguments: [String]) -> [String] {
        let commands = configuration.subcommands.compactMap { $0.configuration.commandName }
        var index = 0
        while index < arguments.count, arguments[index].hasPrefix("-") {
            index += ["--programs", "--timeout"].contains(arguments[index]) ? 2 : 1
        }
        guard index < arguments.count, commands.contains(arguments[index]) else { return arguments }
        return [arguments[index]] + arguments[..<index] + arguments[(index + 1)...]
    }
}
