/// A record that can be in one `List` at a time; its neighbours are kept in the record itself.
protocol Linked: ~Copyable {
    var next: UnsafeMutablePointer<Self>? { get set }
    var previous: UnsafeMutablePointer<Self>? { get set }
}

/// A list of records in the order they came; adding and removing allocate nothing and are O(1).
struct List<Record: Linked & ~Copyable> {
    typealias Pointer = UnsafeMutablePointer<Record>

    private(set) var first: Pointer?
    private(set) var last: Pointer?

    var isEmpty: Bool { first == nil }

    mutating func append(_ record: Pointer) {
        record.pointee.next = nil
        record.pointee.previous = last
        if let last { last.pointee.next = record } else { first = record }
        last = record
    }

    mutating func remove(_ record: Pointer) {
        let next = record.pointee.next
        let previous = record.pointee.previous
        if let previous { previous.pointee.next = next } else { first = next }
        if let next { next.pointee.previous = previous } else { last = previous }
        record.pointee.next = nil
        record.pointee.previous = nil
    }

    /// The records now in the list; a copy, so that a caller may free any of them meanwhile.
    var snapshot: [Pointer] {
        Array(
            sequence(state: first) { step in
                defer { step = step?.pointee.next }
                return step
            })
    }
}
