import Foundation

/// The results as bars: for each workload, how long each peer takes relative to this engine.
///
/// The scale is logarithmic, since the peers range from a tenth to a thousand times the engine's figure.
struct Chart {
    let rows: [Row]
    let layout: Layout

    struct Layout {
        /// The names of the rows; nil for all.
        var rows: [String]?
        let columns: Int
        let fontSize: Double
        let columnWidth: Double

        /// Every row, to zoom into.
        static let full = Layout(columns: 2, fontSize: 11, columnWidth: 460)
        /// A few rows, legible in a page of text.
        static let summary = Layout(rows: Workload.summary, columns: 1, fontSize: 14, columnWidth: 780)

        var barHeight: Double { fontSize + 2 }
        var nameWidth: Double { 7 * fontSize }
        /// Leaves room for the figure beside the longest bar.
        var barWidth: Double { columnWidth - nameWidth - 12 * fontSize }
    }

    private let smallest = 0.1
    private let largest = 100.0
    private var top: Double { 16 + lineHeight * Double(words.count) }

    init(_ results: Results, _ layout: Layout) {
        let chosen = layout.rows?.compactMap { name in results.rows.first { $0.name == name } } ?? results.rows
        rows = chosen.filter { $0.figures[Peer.engine.name] != nil }
        self.layout = layout
    }

    var svg: String {
        let groups = rows.map { ($0, height(of: $0)) }
        let columnHeight = groups.map(\.1).reduce(0, +) / Double(layout.columns)
        var ends = Array(repeating: top, count: layout.columns)
        var column = 0
        var body: [String] = []
        for (row, height) in groups {
            if ends[column] - top >= columnHeight, column + 1 < layout.columns { column += 1 }
            body += group(row, left: 14 + Double(column) * layout.columnWidth, top: ends[column])
            ends[column] += height
        }
        return Drawing(
            width: Double(layout.columns) * layout.columnWidth + 20, height: (ends.max() ?? top) + 6,
            title: "What the same work costs with each library, in proportion to this engine",
            fontSize: layout.fontSize, body: head + body
        ).svg
    }

    private var head: [String] {
        words.enumerated().map { index, words in
            Drawing.text(words, x: 14, y: 6 + lineHeight * Double(index + 1), index == 0 ? "title" : "note")
        }
    }

    private var lineHeight: Double { 1.6 * layout.fontSize }

    private var words: [String] {
        let title = "The same work with each library: shorter bars are better"
        let figures = "Beside each bar: the median, and how many times this engine's that is."
        let scale = "The scale is logarithmic and ends at a hundred times; the line is this engine."
        return layout.columns == 1 ? [title, figures, scale] : [title, figures + " " + scale]
    }

    private func peers(in row: Row) -> [Peer] { Peer.all.filter { row.figures[$0.name] != nil } }

    private func height(of row: Row) -> Double {
        2.5 * layout.fontSize + 4 + layout.barHeight * Double(peers(in: row).count)
    }

    private func group(_ row: Row, left: Double, top: Double) -> [String] {
        let peers = peers(in: row)
        let from = left + layout.nameWidth
        let engine = from + length(1)
        let first = top + 1.5 * layout.fontSize + 2
        let bottom = first + layout.barHeight * Double(peers.count)
        var lines = [
            Drawing.text(row.title, x: left, y: top + layout.fontSize + 1, "title"),
            #"<path class="grid" d="M\#(Drawing.short(engine)) \#(Drawing.short(first - 1))V\#(Drawing.short(bottom))"/>"#,
        ]
        for (index, peer) in peers.enumerated() {
            let y = first + layout.barHeight * Double(index)
            let base = y + layout.fontSize - 1.5
            let isOwn = peer.name == Peer.engine.name
            let slowness = isOwn ? 1 : row.slowness(of: peer.name) ?? .nan
            let width = length(slowness)
            lines.append(Drawing.text(peer.title, x: from - 6, y: base, isOwn ? "end own" : "end"))
            lines.append(
                #"<rect class="bar \#(peer.name)" x="\#(Drawing.short(from))" y="\#(Drawing.short(y))" "#
                    + #"width="\#(Drawing.short(width))" height="\#(Drawing.short(layout.barHeight - 2))"/>"#)
            let value = Table.number(row.figures[peer.name]?.median ?? .nan) + " " + unit(row)
            let times = isOwn ? "" : " · \(Self.times(slowness)) ×"
            lines.append(Drawing.text(value + times, x: from + width + 5, y: base, isOwn ? "own" : "note"))
        }
        return lines
    }

    private func length(_ slowness: Double) -> Double {
        let clamped = min(max(slowness, smallest), largest)
        return max(layout.barWidth * log(clamped / smallest) / log(largest / smallest), 2)
    }

    private func unit(_ row: Row) -> String { row.isRate ? "thousand/s" : row.unit }

    private static func times(_ ratio: Double) -> String { String(format: ratio < 10 ? "%.2f" : "%.0f", ratio) }
}
