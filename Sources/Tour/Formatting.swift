import Foundation

extension StringProtocol {
    /// The lines of the text; a newline at the end makes a last, empty one.
    var lines: [SubSequence] { split(separator: "\n", omittingEmptySubsequences: false) }

    /// The text with every line that is not empty moved to the right.
    var indented: String { lines.map { $0.isEmpty ? "" : "      " + $0 }.joined(separator: "\n") }

    func padded(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
}

extension Duration {
    /// The duration in seconds, such as `0.02 s`.
    var inSeconds: String { String(format: "%.2f s", self / .seconds(1)) }
}

extension Double {
    /// The number without a needless `.0`.
    var formatted: String { self == rounded() ? String(format: "%.0f", self) : String(self) }
}
