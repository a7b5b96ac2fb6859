import Glibc

/// The names in a ring's records, each kept once: copies, since a name may be freed with its chunk.
///
/// All memory is reserved at the start; the kernel provides a page when it is first written.
package struct RecordNames: ~Copyable {
    private struct Entry {
        let hash: UInt32
        let offset: UInt32
    }

    /// The number of the last name found at an address, which is nearly always the same literal again.
    private struct Guess {
        let address: UnsafePointer<CChar>?
        let number: UInt32
    }

    private static var capacity: Int { 4096 }
    private static var room: Int { 1 << 18 }
    private static var longest: Int { 1023 }
    private static var guessCount: Int { 512 }

    /// The name that stands for those for which there was no more room.
    private static var other: StaticString { "(more names than a recording keeps)" }

    private let entries = ReservedMemory<Entry>(count: capacity)
    private let bytes = ReservedMemory<CChar>(count: room)
    private let guesses = ReservedMemory<Guess>(count: guessCount)
    /// Open addressing: numbers of entries by hash; 0 is free.
    private let table = ReservedMemory<UInt32>(count: 2 * capacity)
    /// Number 0 is no name, and number 1 stands for all that found no room.
    package private(set) var count = 1
    private var used = 0

    init() { _ = add(Self.other.cString, length: Self.other.utf8CodeUnitCount, hash: 0) }

    func unmap() {
        entries.unmap()
        bytes.unmap()
        guesses.unmap()
        table.unmap()
    }

    /// The number of a name; 0 for nil.
    mutating func number(of name: UnsafePointer<CChar>?) -> UInt32 {
        guard let name else { return 0 }
        let guess = guesses.base + Int(UInt(bitPattern: name) >> 3) % Self.guessCount
        if guess.pointee.address == name, self[guess.pointee.number].map({ strcmp($0, name) }) == 0 {
            return guess.pointee.number
        }
        let number = find(name)
        guess.pointee = Guess(address: name, number: number)
        return number
    }

    private mutating func find(_ name: UnsafePointer<CChar>) -> UInt32 {
        let length = strnlen(name, Self.longest)
        // FNV-1a
        var hash: UInt32 = 2_166_136_261
        for place in 0..<length { hash = (hash ^ UInt32(UInt8(bitPattern: name[place]))) &* 16_777_619 }
        var place = Int(hash) % (2 * Self.capacity)
        while case let number = table.base[place], number != 0 {
            let entry = entries.base[Int(number)]
            let known = bytes.base + Int(entry.offset)
            if entry.hash == hash, strncmp(known, name, length) == 0, known[length] == 0 { return number }
            place = (place + 1) % (2 * Self.capacity)
        }
        guard count < Self.capacity, used + length < Self.room else { return 1 }
        let number = add(name, length: length, hash: hash)
        table.base[place] = number
        return number
    }

    private mutating func add(_ name: UnsafePointer<CChar>, length: Int, hash: UInt32) -> UInt32 {
        memcpy(bytes.base + used, name, length)
        bytes.base[used + length] = 0
        entries.base[count] = Entry(hash: hash, offset: UInt32(used))
        used += length + 1
        count += 1
        return UInt32(count - 1)
    }

    /// The name with a number; nil for 0.
    package subscript(number: UInt32) -> UnsafePointer<CChar>? {
        number == 0 || number >= count ? nil : UnsafePointer(bytes.base + Int(entries.base[Int(number)].offset))
    }
}

/// Zeroed memory directly from the kernel, which provides each page when it is first written.
struct ReservedMemory<Element> {
    let base: UnsafeMutablePointer<Element>
    private let size: Int

    init(count: Int) {
        // Too many to count is too many to reserve.
        let (product, isTooLarge) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        size = isTooLarge ? .max : product
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard memory != MAP_FAILED, let memory else {
            abort("out of memory: a recording could not reserve \(size) bytes; give it fewer records")
        }
        base = memory.bindMemory(to: Element.self, capacity: count)
    }

    func unmap() { munmap(base, size) }
}
