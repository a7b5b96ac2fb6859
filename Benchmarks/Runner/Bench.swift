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

    @Option(help: ArgumentHelp("Write a chart of how costs grow here, as SVG.", valueName: "file"))
    var growthSVG: String?

    @Flag(help: "Name the workloads, and end.")
    var list = false

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("--rounds must be at least 1, not \(rounds).") }
        _ = try Selection(only)
    }

    func run() throws {
        let chosen = try Selection(only)
        if list {
            for workload in chosen.workloads { print(pad(workload.name, 24) + workload.title) }
            for growth in chosen.growths { print(pad(growth.name, 24) + growth.title) }
            return
        }
        Interruption.prepare()
        let measurement = try Measurement(rounds: rounds)
        let results = try measurement.measure(chosen)
        print(Table(results: results).text)
        if let json { try results.json.write(toFile: json, atomically: true, encoding: .utf8) }
        if let svg { try Chart(results: results).svg.write(toFile: svg, atomically: true, encoding: .utf8) }
        if let growthSVG {
            try GrowthChart(rows: results.growth).svg.write(toFile: growthSVG, atomically: true, encoding: .utf8)
        }
    }
}
