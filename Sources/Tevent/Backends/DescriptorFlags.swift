/// What an event waits for, and what a file descriptor is ready for.
///
/// An event ignores bits that have no name.
public struct DescriptorFlags: OptionSet, Sendable, CustomStringConvertible {
    /// The bits, as in C.
    public let rawValue: UInt8

    /// The flags with these bits.
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Reading will not block: there is data, the end of the file, or an error.
    ///
    /// The corresponding C constant is `TEVENT_FD_READ`.
    @inlinable public static var read: DescriptorFlags { DescriptorFlags(rawValue: 1) }
    /// Writing will not block: there is room, or an error.
    ///
    /// The corresponding C constant is `TEVENT_FD_WRITE`.
    @inlinable public static var write: DescriptorFlags { DescriptorFlags(rawValue: 2) }
    /// The other side has closed, or has shut down its sending half, or there is an error; reading tells which of these
    /// it is.
    ///
    /// The descriptor stays in this state: an event that keeps waiting for it is called on every turn.
    ///
    /// The corresponding C constant is `TEVENT_FD_ERROR`.
    @inlinable public static var error: DescriptorFlags { DescriptorFlags(rawValue: 4) }

    /// The flags' names, such as "read+write", or "none".
    public var description: String {
        let names = [(DescriptorFlags.read, "read"), (.write, "write"), (.error, "error")].filter { contains($0.0) }
            .map(\.1)
        return names.isEmpty ? "none" : names.joined(separator: "+")
    }
}

extension DescriptorFlags {
    /// Errors and hang-ups make a descriptor ready for everything, so that no event misses them.
    static let everything: DescriptorFlags = [.read, .write, .error]
    /// The descriptor is not open; handlers never see it.
    static let notOpen = DescriptorFlags(rawValue: 0x80)
}
