import ArgumentParser
import Talloc
import Tevent

// snippet: example-program
/// A program of this tutorial: a command that answers for what it prints.
///
/// Its exit code is 0 only if all its output was written. If it was not, the program prints one line on standard error and
/// ends with exit code 1. If the reader has gone away, `SIGPIPE` ends it without a message, as it ends other tools.
///
/// If it misuses the engine, as some do on purpose, it prints the one line that says how, and ends with exit code 1; Swift
/// would add a stack trace of a hundred lines.
public protocol ExampleProgram: ParsableCommand {}

extension ExampleProgram {
    /// Runs the command as `ParsableCommand` does, under the guard of `SystemIO.guardStandardStreams()`.
    public static func main() {
        SystemIO.guardStandardStreams()
        TallocLibrary.setAbortHook { reason in Ending.exit(withError: Misuse(description: reason)) }
        main(nil)
    }
}

/// Ends a program as ArgumentParser ends a command.
private struct Ending: ParsableArguments {}

private struct Misuse: Error, CustomStringConvertible {
    let description: String
}
// snippet-end: example-program
