import Chapter1ContextAndLoops

/// A picture of a trace, in SVG: the calls from left to right, and below them the life of each request.
///
/// It suits light and dark pages.
public struct CascadePicture {
    private let calls: [CallTrace.Call]
    private let lives: [CallTrace.Life]
    /// Where each step is drawn, from left to right.
    private let places: [Int]
    /// The steps after which no function is running, so that the loop waits.
    private let idle: [Int]

    /// Draws a trace whose functions have all returned.
    public init(of trace: CallTrace) {
        calls = trace.calls
        lives = trace.lives
        let idle = (1..<max(trace.step, 1)).filter { trace.function(after: $0) == nil }
        self.idle = idle
        places = (0...trace.step).map { step in
            Self.left + (step - 1) * Self.unit + idle.count { $0 < step } * Self.gap
        }
    }

    /// The picture, as the text of an SVG file.
    public var svg: String {
        let width = (places.last ?? 0) + Self.right
        let height = lifeTop + lives.count * Self.row + 40
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" \
            height="\(height)" role="img" aria-labelledby="title desc">
            <title id="title">A cascade of requests: who calls whom, and how long each request lives</title>
            <desc id="desc">\(SVG.escaped(words))</desc>
            \(Self.style)
            <rect class="page" width="100%" height="100%" rx="8"/>
            \((waits + callBoxes + lifeBars + legend).joined(separator: "\n"))
            </svg>
            """
    }

    /// A text alternative for readers who cannot see the picture.
    private var words: String {
        let calls = calls.map { "\($0.caller) calls \($0.name)" }.joined(separator: ", ")
        let lives = lives.map { "\($0.name) under \($0.parent)" }.joined(separator: ", ")
        return "The calls: \(calls). The requests: \(lives)."
    }

    // MARK: The calls

    private var waits: [String] {
        idle.flatMap { step in
            let middle = (places[step] + places[step + 1]) / 2
            return [
                "<path class=\"wait\" d=\"M\(middle) \(Self.top)V\(lifeTop + lives.count * Self.row)\"/>",
                text(middle, Self.top - 6, "the loop waits", class: "middle"),
            ]
        }
    }

    private var callBoxes: [String] {
        [text(16, 24, "The calls: who is inside whom", class: "head")]
            + calls.flatMap { call in
                let (x, y) = (places[call.begin], Self.top + call.depth * Self.row)
                let width = places[call.end] - x
                let fits = call.name.count * 7 + 12 <= width
                return [
                    box(x, y, width, class: color(of: call.name)),
                    text(fits ? x + 6 : x + width + 5, y + 16, call.name, class: "name"),
                ]
            }
    }

    private var lifeTop: Int { Self.top + ((calls.map(\.depth).max() ?? 0) + 1) * Self.row + 44 }

    // MARK: The lives

    private var lifeBars: [String] {
        [text(16, lifeTop - 14, "The requests: how long each lives", class: "head")]
            + lives.enumerated().flatMap { index, life in
                let y = lifeTop + index * Self.row
                let begin = (places[life.made] + places[life.made + 1]) / 2
                let ended = life.ended.map { (places[$0] + places[$0 + 1]) / 2 } ?? places[places.count - 1]
                let freed = life.freed.map { (places[$0] + places[$0 + 1]) / 2 } ?? places[places.count - 1]
                return [
                    box(begin, y, ended - begin, class: color(of: life.name)),
                    box(ended, y, freed - ended, class: "\(color(of: life.name)) over"),
                    text(begin + 8, y + 16, "\(life.name), under \(life.parent)", class: "name"),
                ]
            }
    }

    private var legend: [String] {
        let y = lifeTop + lives.count * Self.row + 20
        return [
            text(
                16, y, "full: from made to ended; dashed: from ended to freed. Time goes from left to right.",
                class: "note")
        ]
    }

    /// The colour of a request and of its functions, by the first word of their names.
    private func color(of name: String) -> String {
        let request = lives.firstIndex { name == $0.name || name.hasPrefix("\($0.name) ") }
        return request.map { "color\($0 % 3)" } ?? "plain"
    }

    // MARK: Shapes

    private static let top = 56
    private static let row = 30
    private static let left = 16
    private static let right = 84
    private static let unit = 44
    private static let gap = 64

    private func box(_ x: Int, _ y: Int, _ width: Int, class name: String) -> String {
        SVG.box(x, y, width, 24, radius: 4, class: name)
    }

    private func text(_ x: Int, _ y: Int, _ text: String, class name: String) -> String {
        SVG.text(x, y, text, class: name)
    }

    private static let style = """
        <style>
        text { font: 13px system-ui, sans-serif; fill: #1f2328 }
        .head { font-weight: 600 }
        .name { font: 12px ui-monospace, monospace }
        .note, .middle { font-size: 12px; fill: #59636e }
        .middle { text-anchor: middle }
        rect { stroke-width: 1.5 }
        .page { fill: #ffffff }
        .wait { fill: none; stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 3 5 }
        .plain { fill: #f6f8fa; stroke: #59636e }
        .color0 { fill: #ddf4ff; stroke: #0969da }
        .color1 { fill: #fbefff; stroke: #8250df }
        .color2 { fill: #fff8c5; stroke: #9a6700 }
        .over { fill-opacity: 0.35; stroke-dasharray: 4 3 }
        @media (prefers-color-scheme: dark) {
        .page { fill: #0d1117 }
        text { fill: #e6edf3 }
        .note, .middle { fill: #9198a1 }
        .wait { stroke: #9198a1 }
        .plain { fill: #21262d; stroke: #9198a1 }
        .color0 { fill: #0c2d6b; stroke: #58a6ff }
        .color1 { fill: #2e1c53; stroke: #bc8cff }
        .color2 { fill: #3b2300; stroke: #d29922 }
        }
        </style>
        """
}
