// snippet: witness
/// An object that tells when it goes, so that one can see who keeps it, and for how long.
public final class Witness {
    /// What to call it.
    public let name: String
    private let tell: (String) -> Void

    /// Makes a witness.
    ///
    /// - Parameters:
    ///   - name: What to call it.
    ///   - tell: Gets the line that says it goes; by default the line is printed.
    public init(_ name: String, tell: @escaping (String) -> Void = { print($0) }) {
        self.name = name
        self.tell = tell
    }

    deinit { tell("(\(name) goes)") }
}
// snippet-end: witness
