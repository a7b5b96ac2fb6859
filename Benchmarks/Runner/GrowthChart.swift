import Foundation

/// How the cost of an operation grows with the size of its surroundings, as lines on logarithmic scales.
struct GrowthChart {
    let rows: [GrowthRow]

    private let panelWidth = 460.0
    private let panelHeight = 270.0
    private let top = 62.0

    var svg: String {
        let body = rows.enumerated().flatMap { index, row in
            Panel(
                row: row, left: 14 + Double(index % 2) * panelWidth, top: top + Double(index / 2) * panelHeight,
                width: panelWidth, height: panelHeight
            ).lines
        }
        return Drawing(
            width: 2 * panelWidth + 20, height: top + Double((rows.count + 1) / 2) * panelHeight,
            title: "How the cost of an operation grows with the number of timers, descriptors and entries",
            body: head + body
        ).svg
    }

    private var head: [String] {
        let peers = Peer.all.filter { peer in rows.contains { $0.points.contains { $0.figures[peer.name] != nil } } }
        return [Drawing.text("How costs grow: lower and flatter lines are better", x: 14, y: 24, "title")]
            + peers.enumerated().flatMap { index, peer in
                let x = 14 + Double(index) * 115
                return [
                    #"<path class="line \#(peer.name)" d="M\#(x) 38h30"/>"#,
                    Drawing.text(peer.title, x: x + 35, y: 42, peer.name == Peer.engine.name ? "own" : ""),
                ]
            }
    }
}

/// One workload of the chart.
private struct Panel {
    let row: GrowthRow
    let left: Double
    let top: Double
    let width: Double
    let height: Double

    private var plot: (left: Double, right: Double, top: Double, bottom: Double) {
        (left + 52, left + width - 30, top + 26, top + height - 44)
    }

    private var values: [Double] { row.points.flatMap { $0.figures.values.map(\.median) } }
    /// Powers of ten around the figures.
    private var lowest: Int { Int(log10(values.min() ?? 1).rounded(.down)) }
    private var highest: Int { max(Int(log10(values.max() ?? 10).rounded(.up)), lowest + 1) }

    private func x(_ size: Int) -> Double {
        let first = log10(Double(row.points.first?.size ?? 1))
        let last = log10(Double(row.points.last?.size ?? 10))
        return plot.left + (plot.right - plot.left) * (log10(Double(size)) - first) / max(last - first, 1)
    }

    private func y(_ value: Double) -> Double {
        plot.bottom - (plot.bottom - plot.top) * (log10(value) - Double(lowest)) / Double(highest - lowest)
    }

    var lines: [String] {
        [Drawing.text("\(row.title), ns", x: left, y: top + 12, "title")] + axes + Peer.all.flatMap(curve)
            + [Drawing.text(row.things, x: (plot.left + plot.right) / 2, y: plot.bottom + 32, "middle")]
    }

    private var axes: [String] {
        let short = Drawing.short
        let levels = (lowest...highest).flatMap { power -> [String] in
            let value = pow(10, Double(power))
            let y = y(value)
            return [
                #"<path class="grid" d="M\#(short(plot.left)) \#(short(y))H\#(short(plot.right))"/>"#,
                Drawing.text(Table.grouped(Int(value)), x: plot.left - 6, y: y + 4, "end note"),
            ]
        }
        return levels
            + row.points.map { Drawing.text(Table.grouped($0.size), x: x($0.size), y: plot.bottom + 16, "middle") }
    }

    private func curve(_ peer: Peer) -> [String] {
        let points = row.points.compactMap { point in
            point.figures[peer.name].map { (x(point.size), y($0.median)) }
        }
        guard let first = points.first else { return [] }
        let short = Drawing.short
        let path = points.dropFirst().reduce("M\(short(first.0)) \(short(first.1))") {
            $0 + "L\(short($1.0)) \(short($1.1))"
        }
        let dots = points.map { #"<circle class="\#(peer.name)" cx="\#(short($0.0))" cy="\#(short($0.1))" r="2.5"/>"# }
        return [#"<path class="line \#(peer.name)" d="\#(path)"/>"#] + dots
    }
}
