import Glibc

/// Where a context's reads put what comes, before they know how much that is.
///
/// Who asks for much mostly gets little. Allocated for as much as was asked, an array would cost more than the read
/// itself: malloc tidies up its whole heap whenever so large a piece is freed. From here it gets its true size.
final class ReadBuffer {
    private static let size = 65_536
    private let memory: UnsafeMutableRawBufferPointer?
    /// What the last read gave.
    ///
    /// When nobody else has it any more, the next read of about that size takes its memory: one who reads, writes and
    /// forgets, such as an echo, then allocates nothing.
    ///
    /// Behind a pointer, since accesses to a class's variables are checked while the program runs, which takes as long as
    /// an allocation.
    private let last = UnsafeMutablePointer<[UInt8]>.allocate(capacity: 1)

    init() {
        last.initialize(to: [])
        memory = malloc(Self.size).map { UnsafeMutableRawBufferPointer(start: $0, count: Self.size) }
    }

    deinit {
        free(memory?.baseAddress)
        last.deinitialize(count: 1)
        last.deallocate()
    }

    /// Reads what is there, at most `count` bytes.
    func read(_ descriptor: Int32, upTo count: Int) throws(TeventError) -> SystemIO.ReadResult {
        guard let memory, count <= memory.count else { return try SystemIO.read(descriptor, upTo: count) }
        let result = SystemIO.read(descriptor, UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
        guard result > 0 else { return try SystemIO.emptyReadResult(result) }
        return .bytes(
            array(of: UnsafeRawBufferPointer(rebasing: memory[..<result]).assumingMemoryBound(to: UInt8.self)))
    }

    /// From a typed buffer, since from a raw one an array would take its bytes one by one.
    private func array(of bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        // Not with more than twice the room, which somebody may keep for long.
        let room = last.pointee.capacity
        if room >= bytes.count, room / 2 <= bytes.count {
            // If somebody has it still, this makes another one.
            last.pointee.replaceSubrange(last.pointee.indices, with: bytes)
        } else {
            last.pointee = [UInt8](bytes)
        }
        return last.pointee
    }
}
