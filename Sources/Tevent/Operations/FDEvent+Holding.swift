import Talloc

// A connection is read and written by one request after another. If each created an event to wait with and freed it
// again, that would cost a chunk and two changes of what is watched. Between two requests there would be a moment in
// which no event watches the descriptor, so that its number might refer to another file, and the kernel would have to
// be told again.
//
//     Read ─ event     WriteAll ─ event     Read ─ event …         without a holder
//     Read ──┐         WriteAll ──┐         Read ──┐
//          holder               holder           holder            one event for all of them
//
// Therefore the owner of the connection holds it with an event that itself waits for nothing, and is lent to the
// request that waits.

extension EventContext {
    /// Watches a descriptor for requests that read and write it one after another.
    ///
    /// Without a holder, every ``Read`` and ``Write`` that has to wait makes an event and frees it again. A holder is
    /// one event that waits for nothing itself: a request that has to wait borrows it, and returns it when the request
    /// ends or is freed. A request that comes while the holder is lent makes an event of its own.
    ///
    /// ```swift
    /// let connection = try TallocContext(under: memory)
    /// let holder = try events.hold(descriptor, under: connection)
    /// let read = try Read.send(from: descriptor, on: events, under: connection)
    /// read.setCallback { read in
    ///     print((try? read.receive())?.count ?? 0, "bytes")
    ///     read.free()
    /// }
    /// holder.setAutoClose()
    /// ```
    ///
    /// While the holder exists, the loop knows that the number still means the same file. Requests therefore begin and
    /// end waiting without a system call.
    ///
    /// To let the holder close the descriptor, call ``FDEvent/setAutoClose()`` once everything that may throw has
    /// succeeded. Make the requests after the holder, so that a common parent frees them first: a request that is
    /// waiting with a holder when the holder is freed never ends.
    ///
    /// - Parameters:
    ///   - descriptor: An open descriptor. It stays the caller's unless you tell the event to close it.
    ///   - parent: The owner of the event: freeing it frees the event.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Returns: The event. Its flags belong to the request that borrows it; setting them is a trap.
    /// - Throws: ``TeventError/outOfMemory(name:)``, or ``TeventError/badDescriptor(_:)`` for a number that cannot be a
    ///   descriptor.
    ///
    /// C has no such function: there each request makes an event of its own.
    @inlinable
    public func hold(
        _ descriptor: Int32, under parent: some TallocObject, file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) -> FDEvent {
        try hold(descriptor, parent: parent.tallocHandle, file: file, line: line)
    }

    @usableFromInline
    func hold(
        _ descriptor: Int32, parent: TallocHandle, file: StaticString, line: UInt32
    ) throws(TeventError) -> FDEvent {
        let context = record("hold")
        return try context.addFD(
            descriptor, [], under: chunk(of: parent, "hold"), file: file.cString, line: line, service: .holder
        ) { $0.takeStep($1) }
    }
}

extension ContextPointer {
    // snippet: lend
    /// Lends the event that holds a descriptor to a request; nil if there is no holder, or another request has it.
    func lendHolder(
        of descriptor: Int32, to request: RequestPointer, _ flags: FDEvent.Flags, _ step: @escaping FDHandler
    ) -> FDEvent? {
        guard let event = pointee.descriptors.holder(of: descriptor), event.pointee.borrower == nil else { return nil }
        event.pointee.borrower = UnsafeMutableRawPointer(request)
        event.pointee.step = step
        event.setHolderFlags(flags)
        return FDEvent(event)
    }
    // snippet-end: lend
}

extension FDEvent {
    /// The handler of every holder.
    ///
    /// The step may free the holder, or lend it again.
    fileprivate func takeStep(_ ready: Flags) {
        let event = record("takeStep(_:)")
        guard event.pointee.borrower != nil, let step = event.pointee.step else { return }
        step(self, ready)
    }

    /// Returns a lent event to its holder, or frees an event of the request's own.
    func endWaiting() {
        guard !isFreed else { return }
        let event = record("endWaiting()")
        guard event.pointee.isHolder else {
            free()
            return
        }
        event.pointee.borrower = nil
        event.setHolderFlags([])
    }
}
