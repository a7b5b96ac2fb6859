import ArgumentParser
import Foundation

/// Runs the peers' programs, which are in the same folder as this one.
struct Programs {
    private let folder = Bundle.main.bundleURL

    /// The path of a peer's program.
    func path(of peer: Peer) throws -> String {
        let path = folder.appendingPathComponent(peer.program).path
        guard FileManager.default.isExecutableFile(atPath: path) else { throw PeerMissing(program: peer.program) }
        return path
    }

    /// The workloads that a peer knows.
    func workloads(of peer: Peer) throws -> Set<String> {
        Set(try Programs.run([path(of: peer), "list"]).split(separator: "\n").map(String.init))
    }

    /// Has a peer do its work once, with its own number of operations or with `count`.
    ///
    /// The wrapper is a program, with arguments, that runs the peer's program.
    func measure(_ workload: String, _ wrapper: [String], _ peer: Peer, count: Int? = nil) throws -> Double {
        let command = try wrapper + [path(of: peer), workload] + (count.map { [String($0)] } ?? [])
        let output = try Programs.run(command)
        guard let figure = Double(output.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw PeerFailed(command: command, reason: "it printed '\(output)', which is no figure")
        }
        return figure
    }

    /// Runs a command to its end, and returns what it printed.
    static func run(_ command: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try Interruption.check()
        try process.run()
        Interruption.child = process.processIdentifier
        // Errors are a line or two, which fit into the pipe.
        let printed = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        Interruption.child = 0
        try Interruption.check()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            let words = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            throw PeerFailed(
                command: command, reason: words.isEmpty ? "it ended with \(process.terminationStatus)" : words)
        }
        return String(decoding: printed, as: UTF8.self)
    }
}

/// Ctrl-C ends the running program, and then this one in the usual way, which leaves nothing behind.
enum Interruption {
    /// The running program, which leads its own process group; 0 if there is none.
    nonisolated(unsafe) static var child: pid_t = 0
    nonisolated(unsafe) private static var isInterrupted: sig_atomic_t = 0

    /// From now on, SIGINT and SIGTERM end the running program, and `check()` throws.
    static func prepare() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { _ in
                Interruption.isInterrupted = 1
                if Interruption.child > 0 { kill(-Interruption.child, SIGKILL) }
            }
        }
    }

    /// Throws an error that ends this program as Ctrl-C does.
    static func check() throws {
        if isInterrupted != 0 { throw ExitCode(130) }
    }
}

/// A peer's program has not been built.
struct PeerMissing: Error, CustomStringConvertible {
    let program: String

    var description: String {
        "\(program) is not built; 'make bench' builds all peers, 'swift build -c release --product \(program)' this one."
    }
}

/// A program could not do its work.
struct PeerFailed: Error, CustomStringConvertible {
    let command: [String]
    let reason: String

    var description: String { "'\(command.joined(separator: " "))' failed: \(reason)" }
}
