import Glibc

/// Where a context's reads put what comes, before they know how much that is.
///
/// Who asks for much mostly gets little. Allocated for as much as was asked, an array would cost more than the read
/// itself: malloc tidies up its whole heap whenever so large a piece is freed. From here it gets its true size.
final class ReadBuffer {
    private static let size = 65_536
    private let memory: UnsafeMutableRawBufferPointer?

    init() {
        memory = malloc(Self.size).map { UnsafeMutableRawBufferPointer(start: $0, count: Self.size) }
    }

    deinit { free(memory?.baseAddress) }

    /// Reads what is there, at most `count` bytes.
    func read(_ descriptor: Int32, upTo count: Int) throws(TeventError) -> SystemIO.ReadResult {
        guard let memory, count <= memory.count else { return try SystemIO.read(descriptor, upTo: count) }
        let result = SystemIO.read(descriptor, UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
        guard result > 0 else { return try SystemIO.emptyReadResult(result) }
        return .bytes([UInt8](UnsafeRawBufferPointer(rebasing: memory[..<result])))
    }
}
