import Talloc

// A connection is read and written by one request after another, each of which would make an event to wait with and free
// it again: a chunk, two changes of what is watched, and between two of them a moment in which no event watches, so that
// the number might mean another file, and the kernel has to be told again.
//
//     Read ─ event     WriteAll ─ event     Read ─ event …         without a holder
//     Read ──┐         WriteAll ──┐         Read ──┐
//          holder               holder           holder            one event for all of them
//
// So who has the connection holds it with an event that waits for nothing itself, and is lent to whoever does.

extension EventContext {
    /// Holds a descriptor for requests that read and write it one after another.
    ///
    /// The event waits for nothing by itself: a request that has to wait for the descriptor borrows it, and gives it back
    /// when it has ended or is freed. Who comes while it is lent makes an event of its own. As long as it is there, the
    /// number is known to mean the same file, so that no request costs a system call to begin or to end waiting.
    ///
    /// It can close the descriptor: call ``FDEvent/setAutoClose()`` once nothing can fail any more, and make the requests
    /// after it, so that they are freed before it. A request that still waits with it when it is freed never ends.
    ///
    /// - Parameters:
    ///   - descriptor: An open descriptor. It stays the caller's, unless the event is told to close it.
    ///   - parent: What the event is freed with.
    /// - Returns: The event, whose flags only those set to whom it is lent.
    /// - Throws: What ``addFD(_:_:under:file:line:_:)`` throws.
    ///
    /// There is no such function in C, where each request has an event of its own.
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
    /// Lends the event that holds a descriptor to a request; nil if there is none, or another one has it.
    func lendHolder(
        of descriptor: Int32, to request: RequestPointer, _ flags: FDEvent.Flags, _ step: @escaping FDHandler
    ) -> FDEvent? {
        guard let event = pointee.descriptors.holder(of: descriptor), event.pointee.borrower == nil else { return nil }
        event.pointee.borrower = UnsafeMutableRawPointer(request)
        event.pointee.step = step
        event.setFlags(flags)
        return FDEvent(event)
    }
    // snippet-end: lend
}

extension FDEvent {
    /// What the handler of every holder does.
    ///
    /// The step may free the holder, or lend it again.
    fileprivate func takeStep(_ ready: Flags) {
        let event = record("takeStep(_:)")
        guard event.pointee.borrower != nil, let step = event.pointee.step else { return }
        step(self, ready)
    }

    /// Gives back what a request has waited with, or frees it, if it is still there.
    func endWaiting() {
        guard !isFreed else { return }
        let event = record("endWaiting()")
        guard event.pointee.isHolder else {
            free()
            return
        }
        event.pointee.borrower = nil
        event.setFlags([])
    }
}
