import Foundation

/// The results as bars: for each workload, how long each peer takes relative to this engine.
///
/// The scale is logarithmic, since the peers range from a tenth to a thousand times the engine's figure.
struct Chart {
    let results: Results

    private let columnWidth = 460.0
    private let nameWidth = 78.0
    private let barWidth = 250.0
    private let barHeight = 13.0
    private let top = 58.0
    private let smallest = 0.1
    private let largest = 100.0

    var svg: String {
        let groups = results.rows.filter { $0.figures[Peer.engine.name] != nil }.map { ($0, height(of: $0)) }
        let half = groups.map(\.1).reduce(0, +) / 2
        var ends = [top, top]
        var body: [String] = []
        for (row, height) in groups {
            let column = ends[0] - top < half ? 0 : 1
            body += group(row, left: 14 + Double(column) * columnWidth, top: ends[column])
            ends[column] += height
        }
        return Drawing(
            width: 2 * columnWidth + 20, height: (ends.max() ?? top) + 6,
            title: "What the same work costs with each library, in proportion to this engine", body: head + body
        ).svg
    }

    private var head: [String] {
        [
            Drawing.text("The same work with each library: shorter bars are better", x: 14, y: 24, "title"),
            Drawing.text(
                "Beside each bar: the median, and how many times as much as this engine's. Logarithmic scale; the line is "
                    + "this engine; bars end at a hundred times.", x: 14, y: 42, "note"),
        ]
    }

    private func peers(in row: Row) -> [Peer] { Peer.all.filter { row.figures[$0.name] != nil } }

    private func height(of row: Row) -> Double { 32 + barHeight * Double(peers(in: row).count) }

    private func group(_ row: Row, left: Double, top: Double) -> [String] {
        let peers = peers(in: row)
        let from = left + nameWidth
        let engine = from + length(1)
        let bottom = top + 18 + barHeight * Double(peers.count)
        var lines = [
            Drawing.text(row.title, x: left, y: top + 12, "title"),
            #"<path class="grid" d="M\#(Drawing.short(engine)) \#(top + 17)V\#(bottom)"/>"#,
        ]
        for (index, peer) in peers.enumerated() {
            let y = top + 18 + barHeight * Double(index)
            let isOwn = peer.name == Peer.engine.name
            let slowness = isOwn ? 1 : row.slowness(of: peer.name) ?? .nan
            let width = length(slowness)
            lines.append(Drawing.text(peer.title, x: from - 6, y: y + 9.5, isOwn ? "end own" : "end"))
            lines.append(
                #"<rect class="bar \#(peer.name)" x="\#(from)" y="\#(Drawing.short(y))" width="\#(Drawing.short(width))" "#
                    + #"height="\#(barHeight - 2)"/>"#)
            let value = Table.number(row.figures[peer.name]?.median ?? .nan) + " " + unit(row)
            let times = isOwn ? "" : " · \(Self.times(slowness)) ×"
            lines.append(Drawing.text(value + times, x: from + width + 5, y: y + 9.5, isOwn ? "own" : "note"))
        }
        return lines
    }

    private func length(_ slowness: Double) -> Double {
        let clamped = min(max(slowness, smallest), largest)
        return max(barWidth * log(clamped / smallest) / log(largest / smallest), 2)
    }

    private func unit(_ row: Row) -> String { row.isRate ? "thousand/s" : row.unit }

    private static func times(_ ratio: Double) -> String { String(format: ratio < 10 ? "%.2f" : "%.0f", ratio) }
}
