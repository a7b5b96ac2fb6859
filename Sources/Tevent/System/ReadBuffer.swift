import Glibc

/// Where a context's reads store their bytes before they know how many there are.
///
/// Programs that ask for many bytes mostly get few. Allocating an array of the requested size would cost more than the
/// read itself: malloc consolidates its whole heap whenever so large a block is freed. Bytes are therefore read into
/// this buffer, and the array gets exactly the size that they need.
final class ReadBuffer {
    private static let size = 65_536
    private let memory: UnsafeMutableRawBufferPointer?
    /// The result of the last read.
    ///
    /// Once no other code holds it, the next read of about that size reuses its memory. A program that reads, writes
    /// and forgets, such as an echo server, then allocates nothing.
    ///
    /// Stored behind a pointer, since Swift checks accesses to a class's variables at run time, which takes as long as
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

    /// Reads the bytes that are available, at most `count`.
    func read(_ descriptor: Int32, upTo count: Int) throws(TeventError) -> SystemIO.ReadResult {
        guard let memory, count <= memory.count else { return try SystemIO.read(descriptor, upTo: count) }
        let result = SystemIO.read(descriptor, UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
        guard result > 0 else { return try SystemIO.emptyReadResult(result) }
        return .bytes(
            array(of: UnsafeRawBufferPointer(rebasing: memory[..<result]).assumingMemoryBound(to: UInt8.self)))
    }

    /// Copies from a typed buffer; from a raw one, an array would take its bytes one by one.
    private func array(of bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        // Do not use more than twice the room, since the caller may keep the array for long.
        let room = last.pointee.capacity
        if room >= bytes.count, room / 2 <= bytes.count {
            // If other code still holds the array, this makes a new one.
            last.pointee.replaceSubrange(last.pointee.indices, with: bytes)
        } else {
            last.pointee = [UInt8](bytes)
        }
        return last.pointee
    }
}
