import ArgumentParser
import Tevent

// snippet: example-program
/// A program of this tutorial: a command that answers for what it prints.
///
/// Its exit code is 0 only if all its output was written. If it was not, the program prints one line on standard error and
/// ends with exit code 1. If the reader has gone away, `SIGPIPE` ends it without a message, as it ends other tools.
public protocol ExampleProgram: ParsableCommand {}

extension ExampleProgram {
    /// Runs the command as `ParsableCommand` does, under the guard of `SystemIO.guardStandardStreams()`.
    public static func main() {
        SystemIO.guardStandardStreams()
        main(nil)
    }
}
// snippet-end: example-program
