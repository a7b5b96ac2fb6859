import ArgumentParser
import Foundation

/// Counts what an operation takes: the same in every run, even on a busy machine.
struct Counts: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Count instructions, mallocs, talloc chunks and system calls per operation.",
        discussion: """
            With --write the engine's counts become the bounds; with --check it is an error if a count exceeds its \
            bound. It needs valgrind and strace.
            """)

    @Option(help: ArgumentHelp("Only workloads whose names contain this.", valueName: "part"))
    var only: String?

    @Option(help: ArgumentHelp("Compare this engine with the bounds in this file.", valueName: "file"))
    var check: String?

    @Option(help: ArgumentHelp("Write this engine's counts to this file, as bounds.", valueName: "file"))
    var write: String?

    func validate() throws { _ = try Selection(only) }

    func run() throws {
        Interruption.prepare()
        let programs = Programs()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bench-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        var counters = [try Counter(.engine, programs: programs, folder: folder)]
        // A comparison for the reader; the bounds are for this engine.
        if check == nil, (try? programs.path(of: .libtevent)) != nil {
            counters.append(try Counter(.libtevent, programs: programs, folder: folder))
        }
        let counts = try count(with: counters, programs)
        guard let check else {
            print(CountTable(peers: counters.map(\.peer), counts: counts).text)
            if let write { try Bounds(counts[Peer.engine.name] ?? [:]).write(to: write) }
            return
        }
        try Bounds(file: check).compare(counts[Peer.engine.name] ?? [:], complete: only == nil)
    }

    /// The counts, by the names of the peers and of the workloads.
    private func count(with counters: [Counter], _ programs: Programs) throws -> [String: [String: Count]] {
        var counts: [String: [String: Count]] = [:]
        let progress = Progress()
        defer { progress.end() }
        for workload in try Selection(only).workloads where workload.counting != .nothing {
            progress.begin("counting \(workload.name)")
            for counter in counters where try programs.workloads(of: counter.peer).contains(workload.name) {
                counts[counter.peer.name, default: [:]][workload.name] = try counter.count(workload)
            }
        }
        return counts
    }
}

/// The counts of several peers side by side, for a terminal of 120 columns.
struct CountTable {
    let peers: [Peer]
    let counts: [String: [String: Count]]

    var text: String {
        let kinds = Count.Kind.all
        var lines = [
            "per operation: " + peers.map(\.title).joined(separator: " / "),
            pad("", Self.titleWidth) + kinds.map { pad($0.name, Self.width, atEnd: false) }.joined(),
        ]
        for workload in Workload.all {
            let row = peers.map { counts[$0.name]?[workload.name] }
            guard row.contains(where: { $0 != nil }) else { continue }
            let cells = kinds.map { kind in
                let counts = row.map { $0?[keyPath: kind.path].map(Self.number) }
                guard counts.contains(where: { $0 != nil }) else { return pad("", Self.width) }
                return pad(counts.map { $0 ?? "–" }.joined(separator: " / "), Self.width, atEnd: false)
            }
            lines.append(pad(workload.title, Self.titleWidth) + cells.joined())
        }
        return lines.joined(separator: "\n")
    }

    private static let titleWidth = 49
    private static let width = 14

    static func number(_ value: Double) -> String {
        value == value.rounded() ? String(Int(value)) : String(format: "%.2f", value)
    }
}

/// Pads a text with spaces, at its end or at its beginning.
func pad(_ words: String, _ width: Int, atEnd: Bool = true) -> String {
    let spaces = String(repeating: " ", count: max(width - words.count, 0))
    return atEnd ? words + spaces : spaces + words
}
