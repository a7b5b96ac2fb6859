import Synchronization

/// Names of types as C strings that live as long as the process.
///
/// Every typed chunk and every request needs one, so the last name found for each of 64 groups of types is kept where
/// it is read without a lock.
@usableFromInline
package enum TypeNames {
    /// Immortal once made, so a reader that has found one may look into it.
    private struct Entry {
        let type: ObjectIdentifier
        let name: UnsafePointer<CChar>
    }

    private static let known = Locked<[ObjectIdentifier: UInt]>([:])
    private static let recentCount = 64
    /// Safe to share: nothing but its atomics is ever written.
    private nonisolated(unsafe) static let recent: UnsafeMutablePointer<Atomic<UInt>> = {
        let cells = UnsafeMutablePointer<Atomic<UInt>>.allocate(capacity: recentCount)
        for index in 0..<recentCount { (cells + index).initialize(to: Atomic(0)) }
        return cells
    }()

    @usableFromInline
    package static func cString(of type: Any.Type) -> UnsafePointer<CChar> {
        let id = ObjectIdentifier(type)
        // Metadata is aligned to 8 bytes and more.
        let cell = recent + Int(UInt(bitPattern: id) >> 4) % recentCount
        if let entry = UnsafePointer<Entry>(bitPattern: cell.pointee.load(ordering: .acquiring)),
            entry.pointee.type == id
        {
            return entry.pointee.name
        }
        let entry = find(type)
        cell.pointee.store(UInt(bitPattern: entry), ordering: .releasing)
        return entry.pointee.name
    }

    private static func find(_ type: Any.Type) -> UnsafePointer<Entry> {
        let id = ObjectIdentifier(type)
        let address = known.withLock { known in
            if let address = known[id] { return address }
            let name = "\(type)"
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: name.utf8.count + 1)
            name.withCString { copy.initialize(from: $0, count: name.utf8.count + 1) }
            let entry = UnsafeMutablePointer<Entry>.allocate(capacity: 1)
            entry.initialize(to: Entry(type: id, name: copy))
            known[id] = UInt(bitPattern: entry)
            return UInt(bitPattern: entry)
        }
        return UnsafePointer(bitPattern: address)!
    }
}
