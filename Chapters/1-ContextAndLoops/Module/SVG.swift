/// The shapes of which the chapters' pictures are drawn, as elements of SVG.
public enum SVG {
    /// A line of text, from its left end on the base line; its characters may be any.
    ///
    /// - Parameter style: The class that the picture's style sheet knows.
    public static func text(_ x: Int, _ y: Int, _ text: String, class style: String) -> String {
        "<text class=\"\(style)\" x=\"\(x)\" y=\"\(y)\">\(escaped(text))</text>"
    }

    /// A box with round corners, from its upper left corner.
    ///
    /// - Parameter style: The class that the picture's style sheet knows.
    public static func box(
        _ x: Int, _ y: Int, _ width: Int, _ height: Int, radius: Int, class style: String
    ) -> String {
        "<rect class=\"\(style)\" x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" height=\"\(height)\" rx=\"\(radius)\"/>"
    }

    /// Text with the characters that mean something in SVG written so that they do not.
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
