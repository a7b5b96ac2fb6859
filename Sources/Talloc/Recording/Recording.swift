import CLinux
import CTalloc

// Where memory is recorded. Each function is called only while some thread records, and does nothing unless this one
// does.

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
    var record = Record(.made, chunk, kind: kind)
    record.other = UInt(bitPattern: parent)
    record.value = Int64(talloc_get_size(chunk))
    record.line = line
    ring.add(record, name: name, file: file, parent: parent)
}

/// Records that an object's handles are stale from now on.
@inline(never)
@usableFromInline
func recordFreed(_ object: UnsafeMutableRawPointer?, stamp: UInt64) {
    guard let ring = RecordRingPointer.here else { return }
    guard let kind = ObjectKind(rawValue: UInt8(truncatingIfNeeded: stamp)), kind.isChunk else { return }
    ring.addFreed(object, kind)
}

/// Records that a chunk has a new parent, or none.
@inline(never)
package func recordMoved(_ chunk: UnsafeMutableRawPointer) {
    guard let ring = RecordRingPointer.here else { return }
    var record = Record(.moved, chunk)
    record.other = UInt(bitPattern: talloc_parent(chunk))
    ring.add(record)
}

/// Records the name that the program gives to an object.
@inline(never)
package func recordName(_ object: UnsafeMutableRawPointer, _ name: UnsafePointer<CChar>) {
    RecordRingPointer.here?.add(Record(.named, object), name: name)
}

extension ObjectKind {
    /// Whether objects of this kind are chunks of the program's tree.
    fileprivate var isChunk: Bool {
        switch self {
        case .delivery, .contextWrapper, .threadSender: false
        default: true
        }
    }
}
