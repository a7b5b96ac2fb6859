import Glibc
import Talloc

/// A handler that runs when a descriptor is ready; it receives its event and what the descriptor is ready for.
public typealias FDHandler = (_ event: FDEvent, _ ready: FDEvent.Flags) -> Void

/// An event that happens each time a file descriptor is ready, until it is freed.
///
/// Readiness is a state, not a moment: a handler that leaves data unread is called again.
///
/// ```swift
/// try events.addFD(SystemIO.standardInput, .read) { event, _ in
///     guard case .bytes(let bytes)? = try? SystemIO.read(event.descriptor) else {
///         event.free()
///         return
///     }
///     print("\(bytes.count) bytes")
/// }
/// ```
///
/// The corresponding C type is `struct tevent_fd`.
public struct FDEvent: Event, Equatable {
    /// What an event waits for, and what its descriptor is ready for.
    public typealias Flags = DescriptorFlags

    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    package init(_ record: FDPointer) { tallocHandle = record.handle }

    @inline(__always)
    func record(_ call: StaticString = #function) -> FDPointer { record(as: FDRecord.self, call) }

    /// The number of the watched descriptor.
    public var descriptor: Int32 { record().pointee.descriptor }

    /// What the event waits for; an event that waits for nothing is quiet and does not keep a loop running.
    ///
    /// A change costs no system call until the loop waits again. The flags of an event that serves a request, or was
    /// created by ``EventContext/hold(_:under:file:line:)``, belong to the request that waits with it; changing them
    /// traps.
    ///
    /// The corresponding C functions are `tevent_fd_get_flags()` and `tevent_fd_set_flags()`.
    public var flags: Flags {
        get { record().pointee.flags }
        nonmutating set {
            let event = record()
            guard event.pointee.service == .program else {
                abort(
                    "the flags of the event made at \(origin) were set, but it serves requests, which set them; "
                        + "use addFD(_:_:) for an event with a handler")
            }
            event.setFlags(newValue)
        }
    }

    /// Sets a function that disposes of the descriptor when the event is freed; it replaces ``setAutoClose()``.
    ///
    /// - Parameter close: Called once with the descriptor, after the event has left the loop. The event owns the
    ///   function.
    ///
    /// The corresponding C function is `tevent_fd_set_close_fn()`.
    public func setCloseFunction(_ close: @escaping (_ descriptor: Int32) -> Void) {
        // Swap instead of assigning: releasing the old function may run any deinit, which must find the new one in
        // place.
        var close: ((Int32) -> Void)? = close
        swap(&record("setCloseFunction(_:)").pointee.close, &close)
    }

    /// Closes the descriptor when the event is freed; no other code may then close it.
    ///
    /// The corresponding C function is `tevent_fd_set_auto_close()`.
    public func setAutoClose() { setCloseFunction(SystemIO.close) }
}

@available(*, unavailable)
extension FDEvent: Sendable {}

extension EventContext {
    /// Watches a descriptor.
    ///
    /// Several events may watch one descriptor; each is served. Descriptors that the system cannot wait for, such as
    /// regular files, are always ready.
    ///
    /// - Parameters:
    ///   - descriptor: An open descriptor. It remains the caller's, unless the event is told to close it.
    ///   - flags: What to wait for.
    ///   - parent: The event's parent; by default the context.
    ///   - handler: Runs each time the descriptor is ready. The event owns it until it is freed.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Throws: ``TeventError/outOfMemory(name:)``, or ``TeventError/badDescriptor(_:)`` for a number that cannot be a
    ///   descriptor. If the number is possible but not open, the loop notices that and throws the same error.
    /// - Complexity: O(*n*) in the number of events that already watch the descriptor; no system call is made until the
    ///   loop waits.
    ///
    /// The corresponding C function is `tevent_add_fd()`.
    @inlinable
    @discardableResult
    public func addFD(
        _ descriptor: Int32, _ flags: FDEvent.Flags, under parent: (some TallocObject)? = TallocContext?.none,
        file: StaticString = #fileID, line: UInt32 = #line, _ handler: @escaping FDHandler
    ) throws(TeventError) -> FDEvent {
        try addFD(descriptor, flags, parent: parent?.tallocHandle, file: file, line: line, handler)
    }

    @usableFromInline
    func addFD(
        _ descriptor: Int32, _ flags: FDEvent.Flags, parent: TallocHandle?, file: StaticString, line: UInt32,
        _ handler: @escaping FDHandler
    ) throws(TeventError) -> FDEvent {
        let context = record("addFD")
        let parent = chunk(of: parent, "addFD")
        return try context.addFD(descriptor, flags, under: parent, file: file.cString, line: line, handler)
    }

    /// The descriptor events of the context, in the order they were added.
    ///
    /// - Complexity: O(*n*).
    public var descriptors: [FDEvent] { record().pointee.fds.snapshot.map(FDEvent.init) }
}

extension ContextPointer {
    /// Watches a descriptor with an event under any chunk, or without a parent.
    @inline(__always)
    package func addFD(
        _ descriptor: Int32, _ flags: FDEvent.Flags, under parent: UnsafeMutableRawPointer?,
        file: UnsafePointer<CChar>, line: UInt32, behind: Int = 0, service: FDRecord.Service = .program,
        _ handler: @escaping FDHandler, begin: (FDPointer) -> Void = { _ in }
    ) throws(TeventError) -> FDEvent {
        let flags = flags.intersection(.everything)
        try pointee.descriptors.reserve(descriptor, under: tableParent)
        let event = try FDRecord.make(under: parent, file: file, line: line, behind: behind) {
            FDRecord(prefix: $0, handler: handler, descriptor: descriptor, flags: flags, service: service)
        }
        event.pointee.prefix.context = self
        begin(event)
        if pointee.policies.contains(.newestFirst) { pointee.fds.prepend(event) } else { pointee.fds.append(event) }
        if !flags.isEmpty { pointee.watchingFDs += 1 }
        pointee.descriptors.add(event)
        let handle = FDEvent(event)
        if pointee.hooks != nil { event.trace(.attach, on: self, flags: flags) }
        return handle
    }

    /// Creates an event for a number that is not open.
    ///
    /// It belongs to no loop and never happens, as in C.
    package func makeIdleFD(
        _ descriptor: Int32, _ flags: FDEvent.Flags, under parent: UnsafeMutableRawPointer?,
        file: UnsafePointer<CChar>, line: UInt32, behind: Int, _ handler: @escaping FDHandler
    ) throws(TeventError) -> FDEvent {
        debug(.error, "descriptor \(descriptor) is not open; the event made at \(String(cString: file)) never happens")
        return FDEvent(
            try FDRecord.make(under: parent, file: file, line: line, behind: behind) {
                FDRecord(prefix: $0, handler: handler, descriptor: descriptor, flags: flags)
            })
    }
}

package typealias FDPointer = UnsafeMutablePointer<FDRecord>

/// Not copied, so that a handler is called in place, without the two atomic operations that copying it would cost.
package struct FDRecord: ~Copyable, EventRecord, Linked {
    package var prefix: EventPrefix
    private let handler: FDHandler
    package let descriptor: Int32
    package internal(set) var flags: FDEvent.Flags
    /// What the event serves.
    package let service: Service
    /// The request that waits with the event and gives it back before it is freed, and the function to call when it is
    /// ready.
    var borrower: UnsafeMutableRawPointer?
    var step: FDHandler?
    var close: ((Int32) -> Void)?
    package var next: FDPointer?
    package var previous: FDPointer?
    /// The next event of the same descriptor.
    var sibling: FDPointer?
    /// Where the record moves if the event is freed while its handler runs; nil otherwise.
    fileprivate var refuge: UnsafeMutableRawPointer?

    package static var name: StaticString { "struct tevent_fd" }
    package static var kind: ObjectKind { .descriptor }
    package static var description: StaticString { "an event of a file descriptor" }
    package static let destructor: @convention(c) (UnsafeMutableRawPointer?) -> CInt = { chunk in
        let event = chunk.unsafelyUnwrapped.assumingMemoryBound(to: FDRecord.self)
        event.detach(beforeClosing: event.pointee.close != nil)
        // A trace that was notified of the end may only now have decided what happens to the descriptor.
        if event.pointee.close == nil { event.end() } else { event.endAndClose() }
        freeChildrenIfAny(of: chunk.unsafelyUnwrapped)
        return 0
    }

    package enum Service: UInt8 {
        /// The program's own handler.
        case program
        /// One request, which created it.
        case request
        /// All requests that wait for the descriptor; the holder lends the event to one at a time.
        case holder
    }

    var isHolder: Bool { service == .holder }

    init(
        prefix: EventPrefix, handler: @escaping FDHandler, descriptor: Int32, flags: FDEvent.Flags,
        service: Service = .program
    ) {
        self.prefix = prefix
        self.service = service
        self.handler = handler
        self.descriptor = descriptor
        self.flags = flags
    }

    borrowing func handle(_ ready: FDEvent.Flags, of event: FDEvent) { handler(event, ready) }
}

extension FDPointer {
    package func setFlags(_ flags: FDEvent.Flags) {
        let flags = flags.intersection(.everything)
        guard pointee.flags != flags else { return }
        let wasQuiet = pointee.flags.isEmpty
        pointee.flags = flags
        guard let context = pointee.prefix.context else { return }
        if wasQuiet != flags.isEmpty { context.pointee.watchingFDs += wasQuiet ? 1 : -1 }
        context.pointee.descriptors.flagsChanged(self, wasQuiet: wasQuiet)
        if isRecording { recordFlags(.changed, on: context, flags) }
    }

    /// Sets what a holder waits for: something instead of nothing, or nothing again.
    ///
    /// It rules out doubt of its number, so only the change is noted.
    @inline(__always)
    func setHolderFlags(_ flags: FDEvent.Flags) {
        pointee.flags = flags
        guard let context = pointee.prefix.context else { return }
        context.pointee.watchingFDs += flags.isEmpty ? -1 : 1
        context.pointee.descriptors.noteChange(of: pointee.descriptor)
        if isRecording { recordFlags(.changed, on: context, flags) }
    }

    /// Ends the record; its handles are stale from then on.
    @inline(__always)
    fileprivate func end() {
        pointee.prefix.slot.release()
        if let refuge = pointee.refuge {
            refuge.initializeMemory(as: FDRecord.self, to: move())
        } else {
            deinitialize(count: 1)
        }
    }

    @inline(never)
    fileprivate func endAndClose() {
        let close = pointee.close.take()
        let descriptor = pointee.descriptor
        end()
        close?(descriptor)
    }

    /// Takes the event out of its loop.
    ///
    /// Before closing, tells the system immediately: a copy of the descriptor in another process would keep a forgotten
    /// registration alive.
    @inline(__always)
    package func detach(beforeClosing: Bool = false) {
        guard let context = pointee.prefix.context else { return }
        context.pointee.fds.remove(self)
        if !pointee.flags.isEmpty { context.pointee.watchingFDs -= 1 }
        context.pointee.descriptors.remove(self)
        pointee.prefix.context = nil
        if context.pointee.policies.contains(.sharedWhileWaiting) {
            // The backend may be waiting at this moment. It must end the wait, which keeps the file open, and is told about
            // the change before the next one.
            context.wake()
        } else if beforeClosing, context.pointee.descriptors.isUnused(pointee.descriptor) {
            context.forget(pointee.descriptor)
        }
        if context.pointee.hooks != nil { trace(.detach, on: context, flags: pointee.flags) }
    }

    @inline(__always)
    package func run(_ ready: FDEvent.Flags) {
        let context = pointee.prefix.context!
        if context.pointee.hooks == nil { callHandler(ready) } else { runTraced(ready, on: context) }
    }

    @inline(never)
    private func runTraced(_ ready: FDEvent.Flags, on context: ContextPointer) {
        let event = FDEvent(self)
        let wanted = pointee.flags
        trace(.beforeHandler, on: context, flags: ready)
        defer { if isRecording { recordEnd() } }
        guard !event.isFreed, pointee.prefix.context == context, !context.hasForked else { return }
        // The trace may have changed what the event waits for. If not, a C program may call the handler with any flags.
        let ready = pointee.flags == wanted ? ready : ready.intersection(pointee.flags)
        if !ready.isEmpty { callHandler(ready) }
    }

    /// Calls the handler, which stays alive until it returns, even if it frees its event.
    func callHandler(_ ready: FDEvent.Flags) {
        let event = FDEvent(self)
        // A handler that runs its context's loop may be called recursively; the outermost call then keeps the record.
        guard pointee.refuge == nil else { return pointee.handle(ready, of: event) }
        let layout = MemoryLayout<FDRecord>.self
        withUnsafeTemporaryAllocation(byteCount: layout.size, alignment: layout.alignment) { place in
            let refuge = place.baseAddress.unsafelyUnwrapped
            pointee.refuge = refuge
            pointee.handle(ready, of: event)
            if event.isFreed {
                refuge.assumingMemoryBound(to: FDRecord.self).deinitialize(count: 1)
            } else {
                pointee.refuge = nil
            }
        }
    }
}
