import Glibc

extension SystemIO {
    /// The descriptor of standard error.
    public static let standardError: Int32 = 2

    /// Whether it is a terminal, where a line can be overwritten.
    ///
    /// The corresponding C function is `isatty()`.
    public static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
}
