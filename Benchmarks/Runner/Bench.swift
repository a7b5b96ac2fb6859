import ArgumentParser
import Foundation

/// Measures this engine beside its peers, and counts what it does.
@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure this engine beside libtevent, libuv, libevent, libev, SwiftNIO and the floor.",
        subcommands: [Compare.self, Counts.self], defaultSubcommand: Compare.self)
}

/// Measures this engine beside its peers.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let all peers do the same work in turns, and compare (what is done if no subcommand is named).",
        discussion: """
            Every round lets each peer do the same work once, one after the other, so that whatever else the machine does \
            meets them all. Where the figures lie far apart, the rounds are taken again. The table has medians, the least \
            and the most, and the ratios of this engine's figures to those of each peer.
            """)

    @Option(help: ArgumentHelp("Only workloads whose names contain this.", valueName: "part"))
    var only: String?

    @Option(help: "How many rounds at least; an odd number has a round as its median.")
    var rounds = 7

    @Option(help: ArgumentHelp("Write all figures here, as JSON.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write a chart here, as SVG.", valueName: "file"))
    var svg: String?

    @Flag(help: "Name the workloads, and end.")
    var list = false

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("--rounds must be at least 1, not \(rounds).") }
        _ = try Workload.named(only)
    }

    func run() throws {
        let chosen = try Workload.named(only)
        if list {
            for workload in chosen { print(pad(workload.name, 17) + workload.title) }
            return
        }
        Interruption.prepare()
        let programs = Programs()
        let known = try Dictionary(
            uniqueKeysWithValues: Peer.all.map { ($0.name, try programs.workloads(of: $0)) })
        var results = Results()
        let progress = Progress()
        for (index, workload) in chosen.enumerated() {
            let peers = Peer.all.filter { known[$0.name]?.contains(workload.name) ?? false }
            let step = "\(index + 1) of \(chosen.count), \(workload.name)"
            progress.begin(step)
            results.rows.append(try measure(workload, peers, programs, progress, step))
        }
        progress.end()
        print(results.table)
        try write(results)
    }

    /// Takes as many rounds as asked for, and as many again while the figures lie too far apart.
    private func measure(
        _ workload: Workload, _ peers: [Peer], _ programs: Programs, _ progress: Progress, _ step: String
    ) throws -> Row {
        var row = Row(workload)
        for round in 1...(2 * rounds) {
            if round > rounds {
                guard row.isNoisy else { break }
                if round == rounds + 1 {
                    progress.say("\(workload.name): the machine is noisy, so the rounds are taken again")
                }
            }
            for peer in peers {
                progress.show(step, "round \(round), \(peer.title)")
                row.figures[peer.name, default: Figures()].add(try programs.measure(workload, with: peer))
            }
        }
        return row
    }

    private func write(_ results: Results) throws {
        if let json { try results.json.write(toFile: json, atomically: true, encoding: .utf8) }
        if let svg { try Chart(results: results).svg.write(toFile: svg, atomically: true, encoding: .utf8) }
    }
}
