/// The shapes of the chapters' pictures, as SVG elements.
public enum SVG {
    /// A line of text from the left end of its baseline; it may contain any characters.
    ///
    /// - Parameter style: A class of the picture's style sheet.
    public static func text(_ x: Int, _ y: Int, _ text: String, class style: String) -> String {
        "<text class=\"\(style)\" x=\"\(x)\" y=\"\(y)\">\(escaped(text))</text>"
    }

    /// A box with rounded corners, placed by its upper left corner.
    ///
    /// - Parameter style: A class of the picture's style sheet.
    public static func box(
        _ x: Int, _ y: Int, _ width: Int, _ height: Int, radius: Int, class style: String
    ) -> String {
        "<rect class=\"\(style)\" x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" height=\"\(height)\" rx=\"\(radius)\"/>"
    }

    /// The text with all characters escaped that have a meaning in SVG.
    public static func escaped(_ text: String) -> String {
        text.map { character in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            default: String(character)
            }
        }.joined()
    }
}
