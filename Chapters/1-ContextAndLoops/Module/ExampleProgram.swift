import ArgumentParser
import Talloc
import Tevent

// snippet: example-program
/// A program of this tutorial: a command that fails when its output cannot be written.
///
/// Its exit code is 0 only if all its output was written. Otherwise the program prints one line to standard error and
/// ends with exit code 1. If the reader of its output has exited, `SIGPIPE` ends it without a message, as it ends other
/// tools.
///
/// If it misuses the engine, as some examples do on purpose, it prints one line that says how, and ends with exit code
/// 1; Swift would add a stack trace of a hundred lines.
public protocol ExampleProgram: ParsableCommand {}

extension ExampleProgram {
    /// Runs the command as `ParsableCommand` does, under the guard of `SystemIO.guardStandardStreams()`.
    public static func main() {
        SystemIO.guardStandardStreams()
        TallocLibrary.setAbortHook { reason in Ending.exit(withError: Misuse(description: reason)) }
        RecordedProgram<Self>.main(nil)
    }
}

/// Ends a program as ArgumentParser ends a command.
private struct Ending: ParsableArguments {}

private struct Misuse: Error, CustomStringConvertible {
    let description: String
}
// snippet-end: example-program
