import Glibc

extension SystemIO {
    /// The descriptor of standard error.
    public static let standardError: Int32 = 2

    /// Whether somebody looks at what is written there, so that a line may be written anew.
    ///
    /// The corresponding C function is `isatty()`.
    public static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
}
