import ArgumentParser
import Foundation

/// Measures this engine beside its peers.
@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure this engine beside libtevent, libuv, libevent, libev, SwiftNIO and the floor.",
        discussion: """
            Every round lets each peer do the same work once, one after the other, so that whatever else the machine does \
            meets them all. The table has medians, the least and the most.
            """)

    @Option(help: ArgumentHelp("Only workloads whose names contain this.", valueName: "part"))
    var only: String?

    @Option(help: "How many rounds at least; an odd number.")
    var rounds = 7

    @Option(help: ArgumentHelp("Write all figures here, as JSON.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write a chart here, as SVG.", valueName: "file"))
    var svg: String?

    @Flag(help: "Name the workloads, and end.")
    var list = false

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("--rounds must be at least 1, not \(rounds).") }
        if chosen.isEmpty {
            throw ValidationError("no workload has '\(only ?? "")' in its name; --list names them all.")
        }
    }

    private var chosen: [Workload] {
        Workload.all.filter { only.map($0.name.contains) ?? true }
    }

    func run() throws {
        if list {
            for workload in Workload.all { print("\(workload.name)  \(workload.title)") }
            return
        }
        let programs = Programs()
        let known = try Dictionary(
            uniqueKeysWithValues: Peer.all.map { ($0.name, try programs.workloads(of: $0)) })
        var results = Results()
        for workload in chosen {
            let peers = Peer.all.filter { known[$0.name]?.contains(workload.name) ?? false }
            results.rows.append(try measure(workload, peers, programs))
        }
        say("")
        print(results.table)
        try write(results)
    }

    /// Takes as many rounds as asked for, and as many again while the figures lie too far apart.
    private func measure(_ workload: Workload, _ peers: [Peer], _ programs: Programs) throws -> Row {
        var row = Row(workload)
        for round in 1...(2 * rounds) {
            if round > rounds {
                guard row.isNoisy else { break }
                if round == rounds + 1 {
                    say("\(workload.name): the machine is noisy, so the rounds are taken again\n")
                }
            }
            for peer in peers {
                say("\r\u{1B}[K\(workload.name), round \(round): \(peer.title)")
                row.figures[peer.name, default: Figures()].add(try programs.measure(workload, with: peer))
            }
        }
        return row
    }

    /// Progress goes where it does not mix with the table.
    private func say(_ words: String) { FileHandle.standardError.write(Data(words.utf8)) }

    private func write(_ results: Results) throws {
        if let json { try results.json.write(toFile: json, atomically: true, encoding: .utf8) }
        if let svg { try Chart(results: results).svg.write(toFile: svg, atomically: true, encoding: .utf8) }
    }
}
