import CTalloc
import Glibc
import Talloc

/// What the engine knows about each descriptor, by number: the events that watch it, and what the backend was told.
///
/// Changes are only noted here. The loop passes them to the backend just before it waits, so an event that is added and
/// removed between two waits costs no system call.
///
/// "Off and on again" is not "no change": while no event watches a number, the program may close it and open another
/// file under the same number. The number is then in doubt. Only a holder rules that out, since it owns the descriptor.
struct DescriptorTable {
    struct Entry {
        /// The events that watch the descriptor; the one to serve next comes first.
        var first: FDPointer?
        /// The next descriptor with a noted change.
        var nextChanged = notListed
        /// Distinguishes registrations of the same number.
        var generation: UInt32 = 0
        /// The round in which the number last became doubtful; what the backend found in that round is doubtful as
        /// well.
        var doubtedInRound: UInt32 = 0
        /// What the backend watches for.
        var registered: FDEvent.Flags = []
        /// Whether the number may refer to another file than the one that the backend watches.
        ///
        /// The backend must then be told again, even if the wanted flags are the same as before.
        var isInDoubt = false
        /// Whether the descriptor got its first event after the backend was last told.
        var isNew = false
        /// Whether the backend cannot wait for it.
        var isAlwaysReady = false

        /// Whether the backend need not be told if it already watches for what is wanted.
        var isSettled: Bool { !isInDoubt && !isNew && !isAlwaysReady }
    }

    private static let name: StaticString = "struct tevent_fd table"
    private static let notListed: Int32 = -2
    private static let endOfList: Int32 = -1

    private var entries: UnsafeMutablePointer<Entry>?
    private var capacity = 0
    var memory: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(entries) }
    private var firstChanged = endOfList
    private var lastChanged = endOfList
    /// A round begins when all changes have been passed to the backend.
    private(set) var round: UInt32 = 1

    /// The entry of a descriptor for which one was reserved.
    subscript(descriptor: Int32) -> Entry {
        @inline(__always) get { entries.unsafelyUnwrapped[Int(descriptor)] }
        @inline(__always) mutating _modify { yield &entries.unsafelyUnwrapped[Int(descriptor)] }
    }

    /// The entry in place, until the table grows.
    @inline(__always)
    func pointer(to descriptor: Int32) -> UnsafeMutablePointer<Entry> { entries.unsafelyUnwrapped + Int(descriptor) }

    func hasEntry(for descriptor: Int32) -> Bool { descriptor < capacity }

    /// Makes sure that there is an entry for the descriptor.
    mutating func reserve(
        _ descriptor: Int32, under parent: @autoclosure () -> UnsafeMutableRawPointer
    ) throws(TeventError) {
        guard descriptor < capacity else { return try grow(for: descriptor, under: parent()) }
        guard descriptor >= 0 else { throw .badDescriptor(descriptor) }
    }

    private mutating func grow(for descriptor: Int32, under parent: UnsafeMutableRawPointer) throws(TeventError) {
        // An entry for a very high number would cost much memory, so accept only a number that is open.
        guard fcntl(descriptor, F_GETFD) >= 0 else { throw .badDescriptor(descriptor) }
        let newCapacity = max(64, max(Int(descriptor) + 1, capacity * 2))
        let size = newCapacity * MemoryLayout<Entry>.stride
        let grownTable = reallocatePrivateChunk(entries, size: size, name: Self.name.cString, under: parent)
        guard let memory = grownTable else {
            throw .outOfMemory(name: "\(Self.name)")
        }
        let grown = memory.assumingMemoryBound(to: Entry.self)
        (grown + capacity).initialize(repeating: Entry(), count: newCapacity - capacity)
        entries = grown
        capacity = newCapacity
    }

    @inline(__always)
    mutating func add(_ event: FDPointer) {
        let descriptor = event.pointee.descriptor
        if self[descriptor].first == nil {
            self[descriptor].isNew = true
            self[descriptor].first = event
            noteDoubt(of: descriptor)
        } else {
            if holder(of: descriptor) == nil { noteDoubt(of: descriptor) }
            append(event, to: descriptor)
        }
        noteChange(of: descriptor)
    }

    @inline(__always)
    mutating func remove(_ event: FDPointer) {
        let descriptor = event.pointee.descriptor
        unlink(event, from: descriptor)
        if self[descriptor].first == nil { self[descriptor].doubtedInRound = round }
        noteChange(of: descriptor)
    }

    /// Notes that an event of the descriptor now waits for something else.
    @inline(__always)
    mutating func flagsChanged(_ event: FDPointer, wasQuiet: Bool) {
        let descriptor = event.pointee.descriptor
        if wasQuiet, !event.pointee.isHolder, holder(of: descriptor) == nil { noteDoubt(of: descriptor) }
        noteChange(of: descriptor)
    }

    @inline(__always)
    private mutating func noteDoubt(of descriptor: Int32) {
        self[descriptor].isInDoubt = true
        self[descriptor].doubtedInRound = round
    }

    /// The event that holds the descriptor, if there is one.
    func holder(of descriptor: Int32) -> FDPointer? {
        var event = first(of: descriptor)
        while let record = event, !record.pointee.isHolder { event = record.pointee.sibling }
        return event
    }

    /// Moves an event that had its turn to the end of its descriptor's events.
    mutating func moveToEnd(_ event: FDPointer) {
        let descriptor = event.pointee.descriptor
        guard self[descriptor].first != event || event.pointee.sibling != nil else { return }
        unlink(event, from: descriptor)
        append(event, to: descriptor)
    }

    private mutating func append(_ event: FDPointer, to descriptor: Int32) {
        event.pointee.sibling = nil
        guard var last = self[descriptor].first else { return self[descriptor].first = event }
        while let next = last.pointee.sibling { last = next }
        last.pointee.sibling = event
    }

    @inline(__always)
    private mutating func unlink(_ event: FDPointer, from descriptor: Int32) {
        if self[descriptor].first == event {
            self[descriptor].first = event.pointee.sibling
        } else {
            unlinkFromMiddle(event, of: descriptor)
        }
    }

    @inline(never)
    private mutating func unlinkFromMiddle(_ event: FDPointer, of descriptor: Int32) {
        var before = self[descriptor].first
        while let record = before, record.pointee.sibling != event { before = record.pointee.sibling }
        before?.pointee.sibling = event.pointee.sibling
    }

    /// Notes a change after those noted before: of descriptors that become ready together, the one added first is
    /// served first.
    @inline(__always)
    mutating func noteChange(of descriptor: Int32) {
        guard self[descriptor].nextChanged == Self.notListed else { return }
        self[descriptor].nextChanged = Self.endOfList
        if firstChanged == Self.endOfList {
            firstChanged = descriptor
        } else {
            self[lastChanged].nextChanged = descriptor
        }
        lastChanged = descriptor
    }

    var hasNotedChanges: Bool { firstChanged != Self.endOfList }

    mutating func takeChanged() -> Int32? {
        guard firstChanged != Self.endOfList else { return nil }
        let descriptor = firstChanged
        firstChanged = self[descriptor].nextChanged
        self[descriptor].nextChanged = Self.notListed
        return descriptor
    }

    /// What all events of the descriptor wait for, combined.
    func wanted(_ descriptor: Int32) -> FDEvent.Flags {
        var flags: FDEvent.Flags = []
        var event = self[descriptor].first
        while let record = event {
            flags.formUnion(record.pointee.flags)
            event = record.pointee.sibling
        }
        return flags
    }

    /// The descriptor's event to serve next; nil if the table does not know the number.
    func first(of descriptor: Int32) -> FDPointer? {
        descriptor >= 0 && hasEntry(for: descriptor) ? self[descriptor].first : nil
    }

    /// Whether the backend still watches the descriptor although no event does.
    func isUnused(_ descriptor: Int32) -> Bool {
        self[descriptor].first == nil && !self[descriptor].registered.isEmpty
    }

    /// Whether what the backend found may be about another file, or no longer be true.
    func isDoubtful(_ descriptor: Int32) -> Bool { self[descriptor].doubtedInRound == round }

    mutating func beginRound() { round &+= 1 }

    /// Notes that the backend has dropped all registrations.
    mutating func forgetRegistrations() {
        for descriptor in 0..<Int32(capacity) where !self[descriptor].registered.isEmpty {
            self[descriptor].registered = []
            self[descriptor].doubtedInRound = round
            noteChange(of: descriptor)
        }
    }
}
