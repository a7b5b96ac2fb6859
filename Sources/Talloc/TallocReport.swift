import CTalloc

/// A picture of a talloc tree at one moment, for printing and for looking into.
///
/// ```swift
/// _ = try TallocChunk([1, 2, 3], under: memory, named: "numbers")
/// print(memory.report().drawing(.names))
/// for entry in memory.report().entries where entry.size > 1000 { print(entry.name) }
/// ```
///
/// The corresponding C functions are `talloc_report_full()` and `talloc_report_depth_cb()`.
public struct TallocReport: CustomStringConvertible {
    /// One chunk of the tree.
    public struct Entry: Sendable {
        /// The chunk's name.
        public let name: String
        /// What the chunk holds besides, where the name does not say it: the type of a request's state.
        public let contents: String?
        /// How far below the report's root it lies; the root is at 0.
        public let depth: Int
        /// Bytes of this chunk alone.
        public let size: Int
        /// Chunks below this one, itself included.
        public let blocks: Int
    }

    /// The chunks, parents before children, siblings in the order they came.
    public let entries: [Entry]

    /// Which columns the printed tree has.
    public enum Columns: Sendable {
        /// Names alone, the same on every machine.
        case names
        /// Names, bytes and blocks.
        case sizes
    }

    init(of root: UnsafeMutableRawPointer) {
        let steps = walkTree(from: root)
        entries = zip(steps, totals(of: steps) { _, below in 1 + below }).map { step, blocks in
            let name = nameOfChunk(step.chunk)
            return Entry(
                name: name, contents: name == RequestLayout.name ? typeOfState(in: step.chunk) : nil,
                depth: step.depth, size: talloc_get_size(step.chunk), blocks: blocks)
        }
    }

    /// The tree drawn with names, bytes and blocks, one chunk a line.
    public var description: String { drawing(.sizes) }

    /// The tree drawn with lines, one chunk a line, without a line break at the end.
    ///
    /// From a depth of 64 on, the depth itself stands in place of the lines.
    ///
    /// - Complexity: O(*n*) in the number of chunks.
    public func drawing(_ columns: Columns) -> String {
        let labels = zip(branches, entries).map { branch, entry in
            branch + entry.name + (entry.contents.map { ": \($0)" } ?? "")
        }
        guard columns == .sizes else { return labels.joined(separator: "\n") }
        let width = labels.map(\.count).max() ?? 0
        return zip(labels, entries).map { label, entry in
            let gap = String(repeating: " ", count: width - label.count + 2)
            return "\(label)\(gap)\(entry.size) bytes, \(entry.blocks) block\(entry.blocks == 1 ? "" : "s")"
        }.joined(separator: "\n")
    }

    /// The lines before each name, found from the last entry to the first: an elder sibling's branch goes on.
    private var branches: [String] {
        var goesOn: [Bool] = []
        var result: [String] = []
        for depth in entries.reversed().map(\.depth) {
            goesOn.append(contentsOf: repeatElement(false, count: max(0, depth + 1 - goesOn.count)))
            if depth < Self.deepestLines {
                let lines = (1..<max(depth, 1)).map { goesOn[$0] ? "│  " : "   " }.joined()
                result.append(depth == 0 ? "" : lines + (goesOn[depth] ? "├─ " : "└─ "))
            } else {
                result.append("\(depth) deep: ")
            }
            goesOn.removeSubrange((depth + 1)...)
            goesOn[depth] = true
        }
        return result.reversed()
    }

    private static let deepestLines = 64
}

/// Where the record of a request keeps what knows its state, and whether that lies in the request: then there is a 0.
///
/// Requests are the engine's, but reports are here, and a tree of requests says little without the types of their states.
package enum RequestLayout {
    static let name = "struct tevent_req"
    package static let storage = 56
    package static let statePlace = 72
}

private func typeOfState(in chunk: UnsafeMutableRawPointer) -> String? {
    guard let slot = HandleSlotPointer.find(forObjectAt: chunk, size: talloc_get_size(chunk)), slot.isOf(.request),
        chunk.load(fromByteOffset: RequestLayout.statePlace, as: UInt8.self) == 0
    else { return nil }
    let storage = chunk.load(fromByteOffset: RequestLayout.storage, as: (any ValueStorage.Type).self)
    return "\(storage.valueType)"
}

extension TallocObject {
    /// A picture of the object and everything below it, as it is now.
    ///
    /// - Complexity: O(*n*) in the number of chunks below.
    ///
    /// The corresponding C function is `talloc_report_full()`.
    public func report() -> TallocReport { TallocReport(of: chunk()) }
}
