import Foundation

/// What all peers did at one workload.
struct Row: Codable {
    let name: String
    let title: String
    let unit: String
    let isRate: Bool
    /// By the names of the peers; one that cannot do this work is missing.
    var figures: [String: Figures]
    /// Whether the engine's ratios to a peer lay so far apart that they say little.
    var isNoisy: Bool { figures.keys.contains { (ratios(to: $0)?.spread ?? 0) > Row.tolerance } }

    /// How far the middle half of the ratios may lie apart.
    static let tolerance = 0.15

    init(_ workload: Workload) {
        name = workload.name
        title = workload.title
        unit = workload.unit
        isRate = workload.isRate
        figures = [:]
    }

    /// The engine's figure in proportion to a peer's: the median of the ratios within each round.
    ///
    /// A machine may be faster for some rounds than for others, which the ratio of the medians would take for a
    /// difference between the peers.
    func ratio(to peer: String) -> Double? { ratios(to: peer)?.median }

    /// The engine's figure in proportion to a peer's, in each round.
    private func ratios(to peer: String) -> Figures? {
        guard let own = figures[Peer.engine.name], let other = figures[peer] else { return nil }
        return Figures(values: zip(own.values, other.values).map { $0 / $1 })
    }

    /// How many times as long as the engine a peer takes.
    func slowness(of peer: String) -> Double? {
        ratio(to: peer).map { isRate ? $0 : 1 / $0 }
    }

    /// Whether the engine has reached what it is to reach, given its ratio.
    func reaches(_ bar: Workload.Bar, _ ratio: Double) -> Bool { isRate ? ratio >= bar.times : ratio <= bar.times }
}

/// All that one call of the program measured.
struct Results: Codable {
    let date: String
    let processors: Int
    var rows: [Row] = []

    init() {
        date = ISO8601DateFormatter().string(from: Date())
        processors = ProcessInfo.processInfo.activeProcessorCount
    }

    // MARK: As a table

    /// The table, in Markdown: for each peer its median and how far its figures went, and the engine's ratio to it.
    var table: String {
        let peers = Peer.all
        let head = "| work | " + peers.map(\.title).joined(separator: " | ") + " | bars |"
        let line = "|---|" + String(repeating: "---:|", count: peers.count) + "---|"
        let rows = rows.map { row in
            let cells = peers.map { row.figures[$0.name].map(Self.cell) ?? "" }
            return "| \(row.title)\(row.unit == "ns" ? "" : ", \(row.unit)")\(row.isNoisy ? " (noisy)" : "") | "
                + cells.joined(separator: " | ") + " | \(Self.bars(row)) |"
        }
        return ([head, line] + rows).joined(separator: "\n")
    }

    private static func cell(_ figures: Figures) -> String {
        "\(number(figures.median)) (\(number(figures.minimum))–\(number(figures.maximum)))"
    }

    /// What was to be reached, and what was.
    private static func bars(_ row: Row) -> String {
        let bars = Workload.all.first { $0.name == row.name }?.bars ?? []
        return bars.compactMap { bar in
            guard let ratio = row.ratio(to: bar.peer) else { return nil }
            let verdict = row.reaches(bar, ratio) ? "reached" : "missed"
            let side = row.isRate ? "at least" : "at most"
            return "\(String(format: "%.2f", ratio)) × \(bar.peer), \(side) \(bar.times): \(verdict)"
        }.joined(separator: "; ")
    }

    static func number(_ value: Double) -> String {
        value < 10 ? String(format: "%.1f", value) : String(Int(value.rounded()))
    }

    // MARK: As JSON

    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
        }
    }
}
