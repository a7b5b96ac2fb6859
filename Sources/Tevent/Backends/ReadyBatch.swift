/// What a backend found ready, one entry per descriptor, kept until the loop has run the handlers.
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

    /// How many entries a backend may add in one wait.
    ///
    /// A larger batch saves system calls. But one handler may read what another descriptor was ready for, and then the
    /// other handler is called in vain. C programs, whose descriptors may block, rely on being served one at a time.
    var limit = usualLimit

    private let entries: UnsafeMutablePointer<Entry>
    private var head = 0
    private var end = 0

    init(memory: UnsafeMutableRawPointer) {
        entries = memory.bindMemory(to: Entry.self, capacity: Self.capacity)
    }

    var memory: UnsafeMutableRawPointer { UnsafeMutableRawPointer(entries) }
    var isEmpty: Bool { head == end }
    var count: Int { end - head }
    /// Whether there is an entry for a descriptor.
    func contains(_ descriptor: Int32) -> Bool { (head..<end).contains { entries[$0].descriptor == descriptor } }
    var isFull: Bool { end == Self.capacity }
    /// How many more entries a backend may add now.
    var room: Int { min(limit, Self.capacity - end) }

    /// Adds an entry, for which there must be room.
    mutating func append(_ descriptor: Int32, _ ready: DescriptorFlags, generation: UInt32) {
        assert(!isFull)
        entries[end] = Entry(descriptor: descriptor, generation: generation, ready: ready)
        end += 1
    }

    var first: Entry? { isEmpty ? nil : entries[head] }

    /// Takes the first entry out, or leaves it in place with the flags that remain to be served.
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
