/// Jobs in the order in which they were enqueued, 8 bytes each; it grows when it is full, and never shrinks.
struct JobRing {
    private var base: UnsafeMutablePointer<UnownedJob> = .allocate(capacity: 32)
    private var mask = 31
    private var head = 0
    private var tail = 0

    @inline(__always)
    mutating func append(_ job: UnownedJob) {
        if tail &- head > mask { grow() }
        (base + (tail & mask)).initialize(to: job)
        tail &+= 1
    }

    /// Takes the first job out of a ring that is not empty.
    @inline(__always)
    mutating func removeFirst() -> UnownedJob {
        let job = base[head & mask]
        head &+= 1
        return job
    }

    var isEmpty: Bool { head == tail }

    mutating func popFirst() -> UnownedJob? { isEmpty ? nil : removeFirst() }

    @inline(never)
    private mutating func grow() {
        let count = mask + 1
        let larger = UnsafeMutablePointer<UnownedJob>.allocate(capacity: 2 * count)
        for index in head..<tail { (larger + (index & (2 * count - 1))).initialize(to: base[index & mask]) }
        base.deallocate()
        base = larger
        mask = 2 * count - 1
    }

    func free() { base.deallocate() }
}
