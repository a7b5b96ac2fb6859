// snippet: witness
/// An object that reports when it is deinitialised, to show what keeps it alive, and for how long.
public final class Witness {
    /// The witness's name.
    public let name: String
    private let tell: (String) -> Void

    /// Creates a witness.
    ///
    /// - Parameters:
    ///   - name: The witness's name.
    ///   - tell: Receives the line that reports the end; by default the line is printed.
    public init(_ name: String, tell: @escaping (String) -> Void = { print($0) }) {
        self.name = name
        self.tell = tell
    }

    deinit { tell("(\(name) goes)") }
}
// snippet-end: witness
