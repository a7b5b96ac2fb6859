import ChildProcess
import Foundation

/// One run of an example, and its result.
struct Run {
    let stop: Stop
    let output: String
    let errors: String
    /// Why the example failed, or nil if it ended by itself with exit code 0.
    let failure: String?
}

/// Runs examples as a user would, one at a time.
struct Runner {
    let programs: Programs
    let timeout: Double
    /// The folder for a recording of each run; nil to make none.
    let recordings: String?
    let interruption: Interruption

    /// Runs an example, passing on its output line by line while it runs.
    func run(_ stop: Stop, eachLine: (Substring) -> Void) throws -> Run {
        let name = stop.example.name
        guard programs.has(name) else {
            return Run(
                stop: stop, output: "", errors: "",
                failure: "there is no program '\(name)' in \(programs.folder); is it in Package.swift?")
        }
        var environment = ProcessInfo.processInfo.environment
        environment["SWIFT_BACKTRACE"] = "enable=no"
        var arguments = stop.example.arguments ?? []
        if let recordings {
            try FileManager.default.createDirectory(atPath: recordings, withIntermediateDirectories: true)
            arguments += ["--record", "\(recordings)/\(name).html"]
        }
        let child = try ChildProcess(programs.path(of: name), arguments: arguments, environment: environment)
        child.wakeUp = interruption.descriptor
        child.send(stop.example.input ?? "")
        child.closeInput()

        let deadline = ContinuousClock.now + .seconds(timeout)
        var shown = 0
        var progress = ChildProcess.Progress.done
        while progress == .done, !child.isFinished {
            progress = child.pump(until: deadline) { child.isFinished || child.output[shown...].contains(newline) }
            if let end = child.output[shown...].lastIndex(of: newline) {
                for line in String(decoding: child.output[shown..<end], as: UTF8.self).lines { eachLine(line) }
                shown = end + 1
            }
        }
        if shown < child.output.count { eachLine(Substring(decoding: child.output[shown...], as: UTF8.self)) }
        if progress == .done { progress = child.wait(until: deadline) }
        if progress != .done { child.stop() }
        if progress == .interrupted { interruption.yield() }

        return Run(
            stop: stop, output: String(decoding: child.output, as: UTF8.self),
            errors: String(decoding: child.errors, as: UTF8.self),
            failure: progress == .timedOut
                ? "killed: it did not end within \(timeout.formatted) s" : failure(child.ending))
    }

    private func failure(_ ending: Ending?) -> String? {
        switch ending {
        case .exited(0), nil: nil
        case .exited(let code): "it ended with exit code \(code)"
        case .signalled(let number): "it was ended by signal \(number) (\(String(cString: strsignal(number))))"
        }
    }
}

private let newline = UInt8(ascii: "\n")
