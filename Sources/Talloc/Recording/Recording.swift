import CLinux
import CTalloc

// What is recorded. Each function is called only while some thread records, and does nothing unless this one does.

/// Records that a chunk was made.
///
/// - Parameters:
///   - name: Its name in reports, or the type of a request's state.
///   - file: Where it was made, if that is known.
@inline(never)
@usableFromInline
package func recordMade(
    _ chunk: UnsafeMutableRawPointer, kind: ObjectKind, name: UnsafePointer<CChar>?,
    file: UnsafePointer<CChar>? = nil, line: UInt32 = 0
) {
    guard let ring = RecordRingPointer.here else { return }
    let parent = talloc_parent(chunk)
    ring.add(.made, chunk, kind: kind.rawValue) { record, ring in
        record.pointee.other = UInt(bitPattern: parent)
        record.pointee.value = Int64(talloc_get_size(chunk))
        record.pointee.name = ring.names.number(of: name)
        record.pointee.file = ring.names.number(of: file)
        record.pointee.line = line
        // A parent that is no object of the engine, of which there would be a record, is known by its name.
        if let parent, !ring.parents.contains(parent), let name = ring.parents.foreignName(of: parent) {
            record.pointee.detail = Int64(ring.names.number(of: name))
        }
    }
}

/// Records that an object's handles are stale from now on.
@inline(never)
@usableFromInline
func recordFreed(_ object: UnsafeMutableRawPointer?, stamp: UInt64) {
    guard let ring = RecordRingPointer.here else { return }
    guard let kind = ObjectKind(rawValue: UInt8(truncatingIfNeeded: stamp)), kind.isChunk else { return }
    ring.add(.freed, object, kind: kind.rawValue) { _, ring in ring.parents.forget(object) }
}

/// Records that a chunk has a new parent, or none.
@inline(never)
package func recordMoved(_ chunk: UnsafeMutableRawPointer) {
    RecordRingPointer.here?.add(.moved, chunk) { record, _ in
        record.pointee.other = UInt(bitPattern: talloc_parent(chunk))
    }
}

/// Records the name that the program gives to an object.
@inline(never)
package func recordName(_ object: UnsafeMutableRawPointer, _ name: UnsafePointer<CChar>) {
    RecordRingPointer.here?.add(.named, object) { $0.pointee.name = $1.names.number(of: name) }
}

/// Records the number that the program gives to an event.
@inline(never)
package func recordTag(_ object: UnsafeMutableRawPointer, _ tag: UInt64) {
    RecordRingPointer.here?.add(.tagged, object) { record, _ in record.pointee.value = Int64(bitPattern: tag) }
}

// MARK: What happens to it

/// Records something about an object, if this thread is recorded.
@inline(never)
package func addRecord(
    _ what: Record.What, _ object: UnsafeMutableRawPointer?, of kind: ObjectKind,
    on other: UnsafeMutableRawPointer? = nil, value: Int64 = 0, detail: Int64 = 0, file: UnsafePointer<CChar>? = nil,
    line: UInt32 = 0, time: Int64 = Record.now
) {
    RecordRingPointer.here?.add(what, object, kind: kind.rawValue, at: time) { record, ring in
        record.pointee.other = UInt(bitPattern: other)
        record.pointee.value = value
        record.pointee.detail = detail
        record.pointee.file = ring.names.number(of: file)
        record.pointee.line = line
    }
}

/// Records that the handler or callback that began last has returned.
@inline(never)
package func recordEnd() { RecordRingPointer.here?.add(.end, nil) }

extension ObjectKind {
    /// Whether objects of this kind are chunks of the program's tree.
    fileprivate var isChunk: Bool {
        switch self {
        case .delivery, .contextWrapper, .threadSender, .jobs: false
        default: true
        }
    }
}
