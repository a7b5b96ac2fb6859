import Foundation

/// What all peers did at one workload.
struct Row: Codable {
    let name: String
    let title: String
    let unit: String
    /// By the names of the peers; one that cannot do this work is missing.
    var figures: [String: Figures]
    /// Whether the figures of a peer lay so far apart that they say little.
    var isNoisy: Bool { figures.values.contains { $0.spread > Row.tolerance } }

    /// How far the middle half of the figures may lie apart.
    static let tolerance = 0.15

    /// The engine's median in proportion to a peer's.
    func ratio(to peer: String) -> Double? {
        guard let own = figures[Peer.engine.name], let other = figures[peer] else { return nil }
        return own.median / other.median
    }
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
            let verdict = ratio <= bar.times ? "reached" : "missed"
            return "\(String(format: "%.2f", ratio)) × \(bar.peer), at most \(bar.times): \(verdict)"
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
