/// What a backend found ready, kept until the loop has run the handlers: one entry for each descriptor.
package struct ReadyBatch {
    struct Entry {
        var descriptor: Int32
        var generation: UInt32
        var ready: DescriptorFlags
    }

    static let name: StaticString = "struct tevent_fd batch"
    static let capacity = 256
    static let usualLimit = capacity / 2
    static let chunkSize = capacity * MemoryLayout<Entry>.stride

    /// How many a backend may add in one wait.
    ///
    /// More save system calls. But the handler of one may read what another was ready for, and then the other's is called in
    /// vain: programs in C, whose descriptors may block, rely on being asked one by one.
    var limit = usualLimit

    private let entries: UnsafeMutablePointer<Entry>
    private var head = 0
    private var end = 0

    init(memory: UnsafeMutableRawPointer) {
        entries = memory.bindMemory(to: Entry.self, capacity: Self.capacity)
    }

    var memory: UnsafeMutableRawPointer { UnsafeMutableRawPointer(entries) }
    var isEmpty: Bool { head == end }
    var isFull: Bool { end == Self.capacity }
    /// How many more a backend may add now.
    var room: Int { min(limit, Self.capacity - end) }

    /// Adds an entry, for which there must be room.
    mutating func append(_ descriptor: Int32, _ ready: DescriptorFlags, generation: UInt32) {
        assert(!isFull)
        entries[end] = Entry(descriptor: descriptor, generation: generation, ready: ready)
        end += 1
    }

    var first: Entry? { isEmpty ? nil : entries[head] }

    /// Takes the first entry out, or leaves it there with what remains to be served.
    mutating func replaceFirst(remaining: DescriptorFlags) {
        if remaining.isEmpty { removeFirst() } else { entries[head].ready = remaining }
    }

    mutating func removeFirst() {
        head += 1
        if head == end { removeAll() }
    }

    mutating func removeAll() {
        head = 0
        end = 0
    }
}
