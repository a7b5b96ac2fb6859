import Foundation

/// The figures of one peer at one workload, one for each round.
struct Figures: Codable {
    private(set) var values: [Double] = []

    init(values: [Double] = []) { self.values = values }

    mutating func add(_ value: Double) { values.append(value) }

    var median: Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    var minimum: Double { values.min() ?? .nan }
    var maximum: Double { values.max() ?? .nan }

    /// How far the middle half of the figures lies apart, in proportion to the median.
    var spread: Double {
        let sorted = values.sorted()
        guard sorted.count >= 4 else { return 0 }
        return (sorted[sorted.count * 3 / 4] - sorted[sorted.count / 4]) / median
    }
}

/// A peer's program could not do its work.
struct PeerFailed: Error, CustomStringConvertible {
    let program: String
    let workload: String
    let reason: String

    var description: String { "\(program) \(workload) failed: \(reason)" }
}

/// Runs the peers' programs, which lie beside this one.
struct Programs {
    private let folder = Bundle.main.bundleURL

    /// The workloads that a peer knows.
    func workloads(of peer: Peer) throws -> Set<String> {
        Set(try run(peer, ["list"]).split(separator: "\n").map(String.init))
    }

    /// Lets a peer do its work once.
    func measure(_ workload: Workload, with peer: Peer) throws -> Double {
        let output = try run(peer, [workload.name], onOneProcessor: workload.onOneProcessor)
        guard let figure = Double(output.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw PeerFailed(program: peer.program, workload: workload.name, reason: "it printed '\(output)'")
        }
        return figure
    }

    private func run(_ peer: Peer, _ arguments: [String], onOneProcessor: Bool = false) throws -> String {
        let program = folder.appendingPathComponent(peer.program)
        let process = Process()
        if onOneProcessor {
            process.executableURL = URL(fileURLWithPath: "/usr/bin/taskset")
            process.arguments = ["-c", "0", program.path] + arguments
        } else {
            process.executableURL = program
            process.arguments = arguments
        }
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw PeerFailed(
                program: peer.program, workload: arguments.joined(separator: " "),
                reason: "it ended with \(process.terminationStatus)")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
