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
    var growth: [GrowthRow] = []

    init() {
        date = ISO8601DateFormatter().string(from: Date())
        processors = ProcessInfo.processInfo.activeProcessorCount
    }

    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
        }
    }
}
