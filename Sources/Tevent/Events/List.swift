/// A record that can be in one `List` at a time; it stores its own neighbours.
package protocol Linked: ~Copyable {
    var next: UnsafeMutablePointer<Self>? { get set }
    var previous: UnsafeMutablePointer<Self>? { get set }
}

/// A list of records in the order in which they were added; adding and removing are O(1) and allocate nothing.
package struct List<Record: Linked & ~Copyable> {
    package typealias Pointer = UnsafeMutablePointer<Record>

    package private(set) var first: Pointer?
    package private(set) var last: Pointer?

    package var isEmpty: Bool { first == nil }

    mutating func append(_ record: Pointer) {
        record.pointee.next = nil
        record.pointee.previous = last
        if let last { last.pointee.next = record } else { first = record }
        last = record
    }

    mutating func prepend(_ record: Pointer) {
        record.pointee.next = first
        record.pointee.previous = nil
        if let first { first.pointee.previous = record } else { last = record }
        first = record
    }

    mutating func remove(_ record: Pointer) {
        let next = record.pointee.next
        let previous = record.pointee.previous
        if let previous { previous.pointee.next = next } else { first = next }
        if let next { next.pointee.previous = previous } else { last = previous }
        record.pointee.next = nil
        record.pointee.previous = nil
    }

    /// The records now in the list, as a copy, so that a caller may free any of them while iterating.
    package var snapshot: [Pointer] {
        Array(
            sequence(state: first) { step in
                defer { step = step?.pointee.next }
                return step
            })
    }
}
