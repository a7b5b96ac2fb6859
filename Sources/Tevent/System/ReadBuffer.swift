import Glibc

/// Where a context's reads store their bytes before they know how many there are.
///
/// Programs that ask for many bytes mostly get few. Allocating an array of the requested size would cost more than the
/// read itself: malloc consolidates its whole heap whenever so large a block is freed. Bytes are therefore read into
/// this buffer, and the array gets exactly the size that they need.
struct ReadBuffer: ~Copyable {
    private static let size = 65_536
    /// Allocated by the first read.
    private var memory: UnsafeMutableRawPointer?
    /// The result of the last read.
    ///
    /// Once no other code holds it, the next read of about that size reuses its memory. A program that reads, writes
    /// and forgets, such as an echo server, then allocates nothing.
    private var last: [UInt8] = []

    deinit { free(memory) }

    /// Reads the bytes that are available, at most `count`.
    mutating func read(_ descriptor: Int32, upTo count: Int) throws(TeventError) -> SystemIO.ReadResult {
        if memory == nil { memory = malloc(Self.size) }
        guard let memory, count <= Self.size else { return try SystemIO.read(descriptor, upTo: count) }
        let result = SystemIO.read(descriptor, UnsafeMutableRawBufferPointer(start: memory, count: count))
        guard result > 0 else { return try SystemIO.emptyReadResult(result) }
        let bytes = UnsafeRawBufferPointer(start: memory, count: result).assumingMemoryBound(to: UInt8.self)
        return .bytes(array(of: bytes))
    }

    /// Copies from a typed buffer; from a raw one, an array would take its bytes one by one.
    @inline(__always)
    private mutating func array(of bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        // Do not use more than twice the room, since the caller may keep the array for long.
        let room = last.capacity
        if room >= bytes.count, room / 2 <= bytes.count {
            // If other code still holds the array, this makes a new one.
            last.replaceSubrange(last.indices, with: bytes)
        } else {
            last = [UInt8](bytes)
        }
        return last
    }
}
