import ArgumentParser
import Foundation

/// The figures of all peers for one workload.
struct Row: Codable {
    let name: String
    let title: String
    let unit: String
    let isRate: Bool
    /// The figures, by peer; peers that cannot do this work are missing.
    var figures: [String: Figures]
    /// Whether the rounds agree about each bar: those on one side are so many more than those on the other.
    func isSettled(_ bars: [Workload.Bar]) -> Bool {
        bars.allSatisfy { bar in
            guard let ratios = ratios(to: bar.peer)?.values else { return true }
            let reached = ratios.count { reaches(bar, $0) }
            return abs(reached - (ratios.count - reached)) >= Row.lead
        }
    }

    static let lead = 3

    init(_ workload: Workload) {
        name = workload.name
        title = workload.title
        unit = workload.unit
        isRate = workload.isRate
        figures = [:]
    }

    /// The engine's figure relative to a peer's: the median of the ratios within each round.
    ///
    /// A machine may be faster in some rounds than in others, and the ratio of the medians would then show a difference
    /// between the peers that does not exist.
    func ratio(to peer: String) -> Double? { ratios(to: peer)?.median }

    /// The engine's figure relative to a peer's, in each round.
    private func ratios(to peer: String) -> Figures? {
        guard let own = figures[Peer.engine.name], let other = figures[peer] else { return nil }
        return Figures(values: zip(own.values, other.values).map { $0 / $1 })
    }

    /// How many times as long as the engine a peer takes.
    func slowness(of peer: String) -> Double? {
        ratio(to: peer).map { isRate ? $0 : 1 / $0 }
    }

    /// Whether the engine reaches its target with this ratio.
    func reaches(_ bar: Workload.Bar, _ ratio: Double) -> Bool { isRate ? ratio >= bar.times : ratio <= bar.times }
}

/// The results of one run of the benchmarks.
struct Results: Codable {
    let date: String
    let processors: Int
    var rows: [Row] = []
    var growth: [GrowthRow] = []

    init() {
        date = ISO8601DateFormatter().string(from: Date())
        processors = ProcessInfo.processInfo.activeProcessorCount
    }

    /// The results of an earlier run.
    init(path: String) throws {
        do {
            self = try JSONDecoder().decode(Results.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch { throw ValidationError("\(path) holds no results of an earlier run: \(error.localizedDescription)") }
    }

    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
        }
    }
}
