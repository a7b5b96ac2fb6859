import CLinux
import CTalloc

/// A snapshot of a talloc tree, to print or to inspect.
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
        /// What the chunk holds, where the name does not say so: the type of a request's state.
        public let contents: String?
        /// How far the chunk is below the report's root, which is at 0.
        public let depth: Int
        /// The size of this chunk alone, in bytes.
        public let size: Int
        /// The number of chunks in this chunk's subtree, including itself.
        public let blocks: Int
    }

    /// The chunks: parents before children, siblings in the order they were added.
    public let entries: [Entry]

    /// The columns of the printed tree.
    public enum Columns: Sendable {
        /// Only names, the same on every machine.
        case names
        /// Names, bytes and blocks.
        case sizes
    }

    init(of root: UnsafeMutableRawPointer) {
        let steps = walkTree(from: root)
        entries = zip(steps, totals(of: steps) { _, below in 1 + below }).map { step, blocks in
            Entry(
                name: nameOfChunk(step.chunk), contents: contents(of: step.chunk), depth: step.depth,
                size: talloc_get_size(step.chunk), blocks: blocks)
        }
    }

    /// The tree drawn with names, bytes and blocks, one chunk per line.
    public var description: String { drawing(.sizes) }

    /// The tree drawn with lines, one chunk per line, without a newline at the end.
    ///
    /// From depth 64 on, the number of the depth replaces the lines.
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

    /// The lines before each name, computed from the last entry to the first, since an elder sibling's branch continues
    /// past its subtree.
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

/// The words that describe the contents of an object, or nil; they live as long as the process.
///
/// A report says little about some kinds of object without them, and Talloc cannot name the kinds of later modules. Each
/// kind therefore registers its function when an object is made.
@usableFromInline
package typealias DescribeContents = @convention(c) (_ object: UnsafeMutableRawPointer?) -> UnsafePointer<CChar>?

extension ObjectKind {
    /// The kind of the object in a chunk; nil if the chunk is not an object of the engine's.
    init?(ofObjectAt chunk: UnsafeMutableRawPointer) {
        let slot = HandleSlotPointer.find(forObjectAt: chunk, size: talloc_get_size(chunk))
        guard let kind = slot?.kind else { return nil }
        self = kind
    }

    @inlinable @inline(__always)
    package func setDescription(_ describe: DescribeContents) { clinux_set_description(rawValue, describe) }
}

private func contents(of chunk: UnsafeMutableRawPointer) -> String? {
    ObjectKind(ofObjectAt: chunk)
        .flatMap { clinux_description($0.rawValue) }
        .flatMap { $0(chunk) }
        .map { String(cString: $0) }
}

extension TallocObject {
    /// A snapshot of the object and everything below it.
    ///
    /// - Complexity: O(*n*) in the number of chunks below.
    ///
    /// The corresponding C function is `talloc_report_full()`.
    public func report() -> TallocReport { TallocReport(of: chunk()) }
}
