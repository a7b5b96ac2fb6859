import Foundation

/// The results as bars: each peer's figure in proportion to the engine's, which is the line at 1.
///
/// The scale is logarithmic, since the peers lie between a tenth and a thousand times of it.
struct Chart {
    let results: Results

    private let left = 300.0
    private let width = 560.0
    private let barHeight = 11.0
    private let smallest = 0.1
    private let largest = 1000.0
    private var peers: [Peer] { Peer.all.filter { $0.name != Peer.engine.name } }

    private func x(_ ratio: Double) -> Double {
        let clamped = min(max(ratio, smallest), largest)
        return left + width * log(clamped / smallest) / log(largest / smallest)
    }

    var svg: String {
        var y = 64.0
        var body: [String] = []
        for row in results.rows where row.figures[Peer.engine.name] != nil {
            body.append(#"<text class="title" x="\#(left - 10)" y="\#(y + 10)">\#(row.title)</text>"#)
            for (index, peer) in peers.enumerated() {
                guard let slowness = row.slowness(of: peer.name) else { continue }
                body.append(bar(index, slowness, y))
                y += barHeight
            }
            y += 12
        }
        return ([head(height: y + 10)] + axis(to: y) + body + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private func bar(_ index: Int, _ ratio: Double, _ y: Double) -> String {
        let from = min(x(1), x(ratio))
        let length = max(abs(x(ratio) - x(1)), 1)
        return
            #"<rect class="p\#(index)" x="\#(round(from))" y="\#(y)" width="\#(round(length))" height="\#(barHeight - 2)"/>"#
    }

    private func axis(to bottom: Double) -> [String] {
        var ratio = smallest
        var lines: [String] = []
        while ratio <= largest {
            lines.append(#"<path class="grid" d="M\#(round(x(ratio))) 50V\#(bottom)"/>"#)
            lines.append(
                #"<text class="tick" x="\#(round(x(ratio)))" y="44">\#(ratio < 1 ? "0.1" : String(Int(ratio))) ×</text>"#
            )
            ratio *= 10
        }
        for (index, peer) in peers.enumerated() {
            let x = left + Double(index) * 95
            lines.append(#"<rect class="p\#(index)" x="\#(x)" y="10" width="10" height="10"/>"#)
            lines.append(#"<text x="\#(x + 15)" y="19">\#(peer.title)</text>"#)
        }
        return lines
    }

    private func head(height: Double) -> String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 \(height)" width="880" height="\(height)" role="img" \
        aria-labelledby="title">
        <title id="title">What the same work costs with each library, in proportion to this engine; to the right is slower</title>
        <style>
        text { font: 12px system-ui, sans-serif; fill: #1f2328 }
        .title { text-anchor: end }
        .tick { text-anchor: middle; fill: #59636e }
        .page { fill: #ffffff }
        .grid { stroke: #d1d9e0 }
        .p0 { fill: #cf222e } .p1 { fill: #0969da } .p2 { fill: #8250df } .p3 { fill: #1a7f37 } .p4 { fill: #bf8700 } .p5 { fill: #59636e }
        @media (prefers-color-scheme: dark) {
        .page { fill: #0d1117 } text { fill: #e6edf3 } .tick { fill: #9198a1 } .grid { stroke: #3d444d }
        .p0 { fill: #ff7b72 } .p1 { fill: #58a6ff } .p2 { fill: #bc8cff } .p3 { fill: #3fb950 } .p4 { fill: #d29922 } .p5 { fill: #9198a1 }
        }
        </style>
        <rect class="page" width="100%" height="100%" rx="8"/>
        """
    }
}
