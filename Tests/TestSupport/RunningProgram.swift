import ChildProcess

/// A running program: write to it, read its lines, send it signals, wait for its end.
///
/// Every wait has a limit; a running program is killed when its `RunningProgram` is released.
public final class RunningProgram {
    private let command: String
    private let child: ChildProcess

    init(path: String, arguments: [String], environment: [String: String], directory: String?) throws {
        command = ([path] + arguments).joined(separator: " ")
        child = try ChildProcess(path, arguments: arguments, environment: environment, directory: directory)
    }

    /// The process ID.
    public var processID: Int32 { child.processID }

    /// Writes text to the program's standard input.
    public func send(_ text: String) { child.send(text) }

    /// Closes the program's standard input.
    public func closeInput() { child.closeInput() }

    /// Stops reading the program's standard output; from then on it writes into a broken pipe.
    public func closeOutput() { child.closeOutput() }

    /// Sends the program a signal.
    public func signal(_ number: Int32) { child.signal(number) }

    /// The next line of standard output without its newline; nil when output ends or time is up.
    public func readLine(timeout: Duration = .seconds(60)) -> String? {
        child.readLine(until: .now + timeout)
    }

    /// Waits until the program has ended, and kills it when time is up.
    public func wait(timeout: Duration = .seconds(60)) throws -> ProgramResult {
        let progress = child.wait(until: .now + timeout)
        let stdout = String(decoding: child.output, as: UTF8.self)
        let stderr = String(decoding: child.errors, as: UTF8.self)
        guard progress == .done else {
            child.stop()
            throw ProgramTimeout(command: command, timeout: timeout, stdout: stdout, stderr: stderr)
        }
        return switch child.ending {
        case .exited(let code): ProgramResult(stdout: stdout, stderr: stderr, exitCode: code, signal: nil)
        case .signalled(let number): ProgramResult(stdout: stdout, stderr: stderr, exitCode: nil, signal: number)
        case nil: fatalError("a child that was waited for has an ending")
        }
    }
}
