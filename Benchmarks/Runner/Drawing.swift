/// What the charts share: a page that suits light and dark backgrounds, and text.
struct Drawing {
    let width: Double
    let height: Double
    let title: String
    var fontSize = 11.0
    let body: [String]

    var svg: String { ([head] + body + ["</svg>"]).joined(separator: "\n") + "\n" }

    static func text(_ words: String, x: Double, y: Double, _ style: String) -> String {
        #"<text class="\#(style)" x="\#(short(x))" y="\#(short(y))">\#(words)</text>"#
    }

    /// A number with one decimal if it needs one.
    static func short(_ value: Double) -> String {
        let rounded = (value * 10).rounded() / 10
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }

    private var head: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.short(width)) \(Self.short(height))" \
        width="\(Self.short(width))" height="\(Self.short(height))" role="img" aria-labelledby="title">
        <title id="title">\(title)</title>
        <style>
        text { font: \(Self.short(fontSize))px system-ui, "DejaVu Sans", sans-serif; fill: #1f2328 }
        .title { font-weight: 600; font-size: \(Self.short(fontSize + 1))px } .note { fill: #59636e }
        .end { text-anchor: end } .middle { text-anchor: middle; fill: #59636e } .own { font-weight: 600 }
        .page { fill: #ffffff } .grid { stroke: #d1d9e0; fill: none } .line { fill: none; stroke-width: 1.5 }
        .engine { fill: #e5502b; stroke: #e5502b } .libtevent { fill: #57606a; stroke: #57606a }
        .libuv { fill: #0969da; stroke: #0969da } .libevent { fill: #1a7f37; stroke: #1a7f37 }
        .libev { fill: #8250df; stroke: #8250df } .nio { fill: #9a6700; stroke: #9a6700 }
        .floor { fill: #8c959f; stroke: #8c959f }
        rect { stroke: none } .line { fill: none } .line.engine { stroke-width: 3 } .bar { fill-opacity: 0.65 }
        .line.libtevent { stroke-dasharray: 8 3 } .line.libuv { stroke-dasharray: 2 3 }
        .line.libevent { stroke-dasharray: 8 3 2 3 } .line.libev { stroke-dasharray: 4 4 }
        .line.nio { stroke-dasharray: 12 4 } .line.floor { stroke-dasharray: 1 5 }
        .bar.engine { fill-opacity: 1 }
        @media (prefers-color-scheme: dark) {
        .page { fill: #0d1117 } text { fill: #e6edf3 } .note, .middle { fill: #9198a1 } .grid { stroke: #3d444d }
        .engine { fill: #ff7b54; stroke: #ff7b54 } .libtevent { fill: #afb8c1; stroke: #afb8c1 }
        .libuv { fill: #58a6ff; stroke: #58a6ff } .libevent { fill: #3fb950; stroke: #3fb950 }
        .libev { fill: #bc8cff; stroke: #bc8cff } .nio { fill: #d29922; stroke: #d29922 }
        .floor { fill: #6e7781; stroke: #6e7781 } .line { fill: none }
        }
        </style>
        <rect class="page" width="100%" height="100%" rx="8" style="stroke: none"/>
        """
    }
}
