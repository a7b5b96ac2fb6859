import CLinux

/// The names of types as C strings that live as long as the process.
///
/// Every typed chunk and every request needs one. The last name found for each of 64 groups of types is therefore kept
/// where it can be read without a lock.
@usableFromInline
package enum TypeNames {
    /// Never freed, so a reader that has found one may use it.
    private struct Entry {
        let type: ObjectIdentifier
        let name: UnsafePointer<CChar>
    }

    private static let known = Locked<[ObjectIdentifier: UInt]>([:])

    static func setUp() { known.withLock { _ in } }

    @usableFromInline
    package static func cString(of type: Any.Type) -> UnsafePointer<CChar> {
        let id = ObjectIdentifier(type)
        // Metadata is aligned to at least 8 bytes.
        let place = UInt(bitPattern: id) >> 4
        if let entry = UnsafePointer<Entry>(bitPattern: clinux_recent_type_name(place)), entry.pointee.type == id {
            return entry.pointee.name
        }
        let entry = find(type)
        clinux_set_recent_type_name(place, UInt(bitPattern: entry))
        return entry.pointee.name
    }

    private static func find(_ type: Any.Type) -> UnsafePointer<Entry> {
        let id = ObjectIdentifier(type)
        prepareProcess()
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
