import ArgumentParser
import Foundation

/// Measures this engine together with its peers, and counts what it does.
@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure this engine together with libtevent, libuv, libevent, libev, SwiftNIO and the floor.",
        subcommands: [Compare.self, Counts.self], defaultSubcommand: Compare.self)
}

/// Measures this engine together with its peers.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let all peers do the same work in turns, and compare (the default).",
        discussion: """
            In each round every peer does the same work once, one after another, so that other load on the machine \
            affects all of them. There are three rounds, and more, at most eleven, while they disagree about whether \
            this engine reaches a target. The table shows medians, the lowest and highest figures, and the ratios of \
            this engine's figures to those of each peer.
            """)

    @Option(help: ArgumentHelp("Only workloads whose names contain this.", valueName: "part"))
    var only: String?

    @Option(help: "The minimum number of rounds; an odd number has a round as its median.")
    var rounds = 3

    @Option(help: ArgumentHelp("Write all figures here, as JSON.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write a chart here, as SVG.", valueName: "file"))
    var svg: String?

    @Option(help: ArgumentHelp("Write a chart of six rows here, as SVG.", valueName: "file"))
    var summarySVG: String?

    @Option(help: ArgumentHelp("Write a chart of how costs grow here, as SVG.", valueName: "file"))
    var growthSVG: String?

    @Option(help: ArgumentHelp("Take the figures of an earlier run from here instead of measuring.", valueName: "file"))
    var from: String?

    @Flag(help: "List the workloads, and end.")
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
        let results = try from.map(Results.init(path:)) ?? measure(chosen)
        print(Table(results: results).text)
        if let json { try results.json.write(toFile: json, atomically: true, encoding: .utf8) }
        if let svg { try Chart(results, .full).svg.write(toFile: svg, atomically: true, encoding: .utf8) }
        if let summarySVG {
            try Chart(results, .summary).svg.write(toFile: summarySVG, atomically: true, encoding: .utf8)
        }
        if let growthSVG {
            try GrowthChart(rows: results.growth).svg.write(toFile: growthSVG, atomically: true, encoding: .utf8)
        }
    }

    private func measure(_ chosen: Selection) throws -> Results {
        Interruption.prepare()
        return try Measurement(rounds: rounds).measure(chosen)
    }
}
