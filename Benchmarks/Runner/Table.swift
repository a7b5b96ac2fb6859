import Foundation

/// The results as text, for a terminal of 120 columns and for a log.
struct Table {
    let results: Results

    private static let label = 14
    private static let column = 15
    private var peers: [Peer] { Peer.all }

    var text: String {
        let head = pad("", Self.label) + peers.map { pad($0.title, Self.column, atEnd: false) }.joined()
        let blocks = results.rows.map { [head] + block($0) } + results.growth.map { growth($0) }
        return (blocks.map { $0.joined(separator: "\n") } + [summary]).joined(separator: "\n\n")
    }

    // MARK: One work

    /// Each peer's median, the range of its figures, and this engine relative to it; then the target.
    private func block(_ row: Row) -> [String] {
        let workload = Workload.all.first { $0.name == row.name }
        var lines = [
            "\(row.title), \(row.unit)" + (row.isRate ? " (more is better)" : ""),
            line("median", row.figures) { Self.number($0.median) },
            line("least–most", row.figures) { "\(Self.number($0.minimum))–\(Self.number($0.maximum))" },
            pad("  engine/peer", Self.label)
                + cells { $0.name == Peer.engine.name ? nil : row.ratio(to: $0.name).map(Self.ratio) },
        ]
        lines += verdicts(row).map { "  bar: \($0.words)" }
        if let note = workload?.note { lines += wrapped("note: " + note) }
        if let workload, !row.isSettled(workload.bars) { lines.append("  unsettled: the rounds disagree about a bar") }
        return lines
    }

    private func line(_ label: String, _ figures: [String: Figures], _ words: (Figures) -> String) -> String {
        pad("  " + label, Self.label) + cells { figures[$0.name].map(words) }
    }

    private func cells(_ words: (Peer) -> String?) -> String {
        peers.map { pad(words($0) ?? "", Self.column, atEnd: false) }.joined()
    }

    /// Breaks a sentence into indented lines that fit.
    private func wrapped(_ words: String) -> [String] {
        words.split(separator: " ").reduce(into: [" "]) { lines, word in
            if lines[lines.count - 1].count + word.count > 117 { lines.append("   ") }
            lines[lines.count - 1] += " " + word
        }
    }

    // MARK: Targets

    private func verdicts(_ row: Row) -> [(isReached: Bool, words: String)] {
        let bars = Workload.all.first { $0.name == row.name }?.bars ?? []
        return bars.compactMap { bar in
            guard let ratio = row.ratio(to: bar.peer) else { return nil }
            let isReached = row.reaches(bar, ratio)
            let wanted = "\(row.isRate ? "at least" : "at most") \(bar.times) × \(bar.peer)"
            return (isReached, "\(wanted): \(Self.ratio(ratio)), \(isReached ? "reached" : "MISSED")")
        }
    }

    private var summary: String {
        let all = results.rows.flatMap { row in verdicts(row).map { ($0.isReached, "  \(row.title): \($0.words)") } }
        let missed = all.filter { !$0.0 }.map(\.1)
        let reached = "\(all.count - missed.count) of \(all.count) bars reached"
        return ([reached] + missed).joined(separator: "\n")
    }

    // MARK: Growth

    private func growth(_ row: GrowthRow) -> [String] {
        let head = pad(row.things, Self.label) + peers.map { pad($0.title, Self.column, atEnd: false) }.joined()
        let lines = row.points.map { point in
            pad("  " + Self.grouped(point.size), Self.label)
                + cells { point.figures[$0.name].map { Self.number($0.median) } }
        }
        let note = Growth.all.first { $0.name == row.name }?.note
        return ["\(row.title), ns", head] + lines + (note.map { wrapped("note: " + $0) } ?? [])
    }

    // MARK: Numbers

    private static func ratio(_ value: Double) -> String { String(format: value < 0.1 ? "%.3f ×" : "%.2f ×", value) }

    static func number(_ value: Double) -> String {
        if value < 10 { return String(format: "%.1f", value) }
        return value < 100_000 ? grouped(Int(value.rounded())) : grouped(Int((value / 1000).rounded())) + "k"
    }

    /// A whole number with a comma before every three digits.
    static func grouped(_ value: Int) -> String {
        let digits = String(value)
        return String(
            digits.enumerated().flatMap { index, digit in
                index > 0 && (digits.count - index) % 3 == 0 ? [",", digit] : [digit]
            })
    }
}
