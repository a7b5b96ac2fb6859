import Talloc
import Tevent

/// A picture of a context, in SVG: its memory tree, and beside it the lists of its events.
///
/// An event has the same name on both sides, so the picture shows what frees it and when it is served. It suits light
/// and dark pages.
public struct ContextPicture {
    /// One piece of memory of the tree.
    private struct Leaf {
        let depth: Int
        let name: String
        /// The event in this memory, if it is one of the context's.
        let event: EventLists.Entry?
    }

    private let leaves: [Leaf]
    private let lists: EventLists

    /// Takes a snapshot of a context and the memory it belongs to.
    ///
    /// - Parameters:
    ///   - events: The context whose lists are drawn.
    ///   - root: The memory whose tree is drawn; the engine's private memory is omitted.
    public init(of events: EventContext, below root: some TallocObject) {
        let lists = EventLists(of: events)
        self.lists = lists
        leaves = Self.walk(root.tallocContext, depth: 0, lists)
    }

    private static func walk(_ memory: TallocContext, depth: Int, _ lists: EventLists) -> [Leaf] {
        let leaf = Leaf(depth: depth, name: memory.name, event: lists.entries.first { $0.memory == memory })
        return [leaf] + memory.children.flatMap { walk($0, depth: depth + 1, lists) }
    }

    /// The picture, as the text of an SVG file.
    public var svg: String {
        let rows = max(leaves.count, 5)
        let height = Self.top + rows * Self.rowHeight + 12
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" \
            height="\(height)" role="img" aria-labelledby="title desc">
            <title id="title">An event context with its lists, under its memory parent</title>
            <desc id="desc">\(SVG.escaped(words))</desc>
            \(Self.style)
            <rect class="page" width="100%" height="100%" rx="8"/>
            \(tree)
            \(listPanel)
            </svg>
            """
    }

    /// A text alternative for readers who cannot see the picture.
    private var words: String {
        let memory = leaves.map { leaf in "\(leaf.event?.name ?? leaf.name) at depth \(leaf.depth)" }
        let queues = EventLists.Kind.allCases.map { kind in
            let events = lists[kind].map { "\($0.name) (\($0.waitsFor))" }.joined(separator: ", then ")
            return "\(kind.rawValue)s: \(events.isEmpty ? "none" : events)"
        }
        return "The memory tree: \(memory.joined(separator: ", ")). The lists: \(queues.joined(separator: "; "))."
    }

    // MARK: The tree, on the left

    private var tree: String {
        var parts = [text(16, 24, "The memory: who is freed with whom", class: "head")]
        for (row, leaf) in leaves.enumerated() {
            let (x, y) = (16 + leaf.depth * Self.indent, Self.y(row))
            if let parent = leaves[..<row].lastIndex(where: { $0.depth == leaf.depth - 1 }) {
                let from = Self.y(parent) + Self.boxHeight
                let line = "M\(x - Self.indent + 12) \(from)V\(y + Self.boxHeight / 2)H\(x)"
                parts.append("<path class=\"branch\" d=\"\(line)\"/>")
            }
            parts.append(box(x, y, 176, class: leaf.event?.kind.rawValue ?? "plain"))
            parts.append(text(x + 88, y + 17, leaf.event?.name ?? leaf.name, class: "name"))
        }
        return parts.joined(separator: "\n")
    }

    // MARK: The lists, on the right

    private var listPanel: String {
        let left = Self.treeWidth
        var parts = [text(left, 24, "The lists of the context: who is served when", class: "head")]
        for (row, kind) in EventLists.Kind.allCases.enumerated() {
            let y = Self.y(row) + row * 10
            parts.append(text(left, y + 19, "\(row + 1). \(kind.rawValue)s", class: "kind"))
            if lists[kind].isEmpty { parts.append(text(left + 120, y + 19, "none", class: "kind")) }
            for (place, event) in lists[kind].enumerated() {
                let x = left + 120 + place * Self.step
                if place > 0 {
                    parts.append("<path class=\"next\" d=\"M\(x - 24) \(y + 16)h18m-6 -4l6 4l-6 4\"/>")
                }
                parts.append(box(x, y, Self.step - 28, height: 34, class: kind.rawValue))
                let middle = x + (Self.step - 28) / 2
                parts.append(text(middle, y + 14, event.name, class: "name"))
                parts.append(text(middle, y + 28, event.waitsFor, class: "wait"))
            }
        }
        return parts.joined(separator: "\n")
    }

    // MARK: Shapes

    private static let top = 44
    private static let rowHeight = 34
    private static let boxHeight = 26
    private static let indent = 28
    private static let treeWidth = 330
    private static let step = 140

    private var width: Int {
        let longest = EventLists.Kind.allCases.map { lists[$0].count }.max() ?? 0
        return Self.treeWidth + 120 + max(longest, 2) * Self.step
    }

    private static func y(_ row: Int) -> Int { top + row * rowHeight }

    private func box(_ x: Int, _ y: Int, _ width: Int, height: Int = boxHeight, class name: String) -> String {
        SVG.box(x, y, width, height, radius: 5, class: name)
    }

    private func text(_ x: Int, _ y: Int, _ text: String, class name: String) -> String {
        SVG.text(x, y, text, class: name)
    }

    private static let style = """
        <style>
        text { font: 13px system-ui, sans-serif; fill: #1f2328 }
        .head { font-weight: 600 }
        .name, .wait { text-anchor: middle }
        .name { font: 12px ui-monospace, monospace }
        .wait { font-size: 11px }
        rect { stroke-width: 1.5 }
        .page { fill: #ffffff }
        path { fill: none; stroke: #59636e; stroke-width: 1.5 }
        .plain { fill: #f6f8fa; stroke: #59636e }
        .signal { fill: #ffebe9; stroke: #cf222e }
        .immediate { fill: #fbefff; stroke: #8250df }
        .timer { fill: #fff8c5; stroke: #9a6700 }
        .descriptor { fill: #ddf4ff; stroke: #0969da }
        @media (prefers-color-scheme: dark) {
        .page { fill: #0d1117 }
        text { fill: #e6edf3 }
        path { stroke: #9198a1 }
        .plain { fill: #21262d; stroke: #9198a1 }
        .signal { fill: #49181c; stroke: #ff7b72 }
        .immediate { fill: #2e1c53; stroke: #bc8cff }
        .timer { fill: #3b2300; stroke: #d29922 }
        .descriptor { fill: #0c2d6b; stroke: #58a6ff }
        }
        </style>
        """
}
