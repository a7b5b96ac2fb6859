import Glibc
import Talloc

/// A handler that runs when a signal has arrived; it receives its event and the arrival.
public typealias SignalHandler = (_ event: SignalEvent, _ arrival: SignalArrival) -> Void

/// What a signal handler learns about the signal.
public struct SignalArrival: Sendable, Equatable {
    /// Which signal.
    public let signal: Signal
    /// How often it has arrived since the handler was last called; 1 with `info`.
    public let count: Int
    /// What the system reports about the arrival, for events that asked for it.
    ///
    /// It is nil for arrivals that came when ``EventContext/signalInfoCapacity`` others were still unhandled: for those
    /// only `count` is known.
    public let info: SignalInfo?

    /// Creates an arrival, to test a handler without a signal.
    public init(signal: Signal, count: Int = 1, info: SignalInfo? = nil) {
        self.signal = signal
        self.count = count
        self.info = info
    }
}

/// An event that happens when a signal arrives, until it is freed.
///
/// The handler runs in the loop, not in the restricted context of a signal handler, so it may do anything.
///
/// ```swift
/// try events.addSignal(.interrupt) { event, arrival in
///     print("\(arrival.signal) has arrived \(arrival.count) times")
///     event.context?.stop()
/// }
/// ```
///
/// The corresponding C type is `struct tevent_signal`.
public struct SignalEvent: Event, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    package init(_ record: SignalPointer) { tallocHandle = record.handle }

    /// The signal that it waits for.
    public var signal: Signal { Signal(rawValue: record(as: SignalRecord.self, "signal").pointee.number) }
}

@available(*, unavailable)
extension SignalEvent: Sendable {}

extension EventContext {
    /// Whether contexts can have signal events; always true on the systems that this engine supports.
    ///
    /// The corresponding C function is `tevent_signal_support()`.
    public static var supportsSignals: Bool { true }

    /// The highest signal number.
    ///
    /// The corresponding C function is `tevent_num_signals()`.
    public static var signalCount: Int { SignalDispatch.lastSignal }

    /// How many arrivals of one signal are kept with their details until all events have been notified of them.
    ///
    /// Further arrivals are counted, without details.
    ///
    /// The corresponding C function is `tevent_sa_info_queue_count()`.
    public static var signalInfoCapacity: Int { SignalInfoRing.capacity }

    /// Catches a signal.
    ///
    /// Several events, of several contexts, may catch the same signal; each is notified.
    ///
    /// The first event for a signal in the whole process replaces the signal's disposition, and freeing the last one
    /// restores it. The engine never changes which signals a thread blocks. A loop cannot handle a fault of the program
    /// itself, such as a trap: it ends the program as it would without the event.
    ///
    /// - Parameters:
    ///   - signal: The signal, such as ``Signal/interrupt``.
    ///   - wantsInfo: Whether to call the handler once for each arrival, with what the system reports about it; see
    ///     ``SignalArrival/info`` for the limit.
    ///   - parent: The event's parent; by default the context.
    ///   - handler: Runs each time the signal has arrived. The event owns it until it is freed.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Throws: ``TeventError/badSignal(_:)``, ``TeventError/outOfMemory(name:)``, or
    ///   ``TeventError/systemCall(name:code:)`` when descriptors are exhausted.
    ///
    /// The corresponding C function is `tevent_add_signal()`.
    @inlinable
    @discardableResult
    public func addSignal(
        _ signal: Signal, wantsInfo: Bool = false, under parent: (some TallocObject)? = TallocContext?.none,
        file: StaticString = #fileID, line: UInt32 = #line, _ handler: @escaping SignalHandler
    ) throws(TeventError) -> SignalEvent {
        try addSignal(signal, wantsInfo: wantsInfo, parent: parent?.tallocHandle, file: file, line: line, handler)
    }

    @usableFromInline
    func addSignal(
        _ signal: Signal, wantsInfo: Bool, parent: TallocHandle?, file: StaticString, line: UInt32,
        _ handler: @escaping SignalHandler
    ) throws(TeventError) -> SignalEvent {
        let context = record("addSignal")
        let parent = chunk(of: parent, "addSignal")
        return try context.addSignal(
            signal, wantsInfo: wantsInfo, under: parent, file: file.cString, line: line, handler)
    }

    /// The signal events of the context, in the order they were added.
    ///
    /// - Complexity: O(*n*).
    public var signals: [SignalEvent] { record().pointee.signals.snapshot.map(SignalEvent.init) }
}

extension ContextPointer {
    /// Catches a signal with an event under any chunk, or without a parent.
    ///
    /// The flags are those of `sigaction`; they apply if this is the signal's first event.
    package func addSignal(
        _ signal: Signal, wantsInfo: Bool, flags: Int32 = SA_RESTART, under parent: UnsafeMutableRawPointer?,
        file: UnsafePointer<CChar>, line: UInt32, behind: Int = 0, _ handler: @escaping SignalHandler
    ) throws(TeventError) -> SignalEvent {
        let number = signal.rawValue
        guard (1...Int32(SignalDispatch.lastSignal)).contains(number), number != SIGKILL, number != SIGSTOP else {
            throw .badSignal(number)
        }
        try openWaker()
        let event = try SignalRecord.make(under: parent, file: file, line: line, behind: behind) {
            SignalRecord(prefix: $0, handler: handler, number: number, wantsInfo: wantsInfo)
        }
        do {
            try SignalDispatch.register(number, wantsInfo: wantsInfo, flags: flags)
        } catch {
            freeChunk(event)
            throw error
        }
        event.pointee.prefix.context = self
        event.startCounting()
        if pointee.policies.contains(.newestFirst) {
            pointee.signals.prepend(event)
        } else {
            pointee.signals.append(event)
        }
        updateSignalMask()
        let handle = SignalEvent(event)
        if pointee.hooks != nil { event.trace(.attach, on: self) }
        return handle
    }
}

package typealias SignalPointer = UnsafeMutablePointer<SignalRecord>

package struct SignalRecord: EventRecord, Linked {
    package var prefix: EventPrefix
    let handler: SignalHandler
    /// How many arrivals the handler has been notified of; for an event that wants details, the position in the
    /// signal's ring.
    var position = SignalInfoRing.Position()
    package let number: Int32
    package let wantsInfo: Bool
    /// Everything that the system reported about the arrival taken last.
    package var lastInfo = siginfo_t()
    package var next: SignalPointer?
    package var previous: SignalPointer?

    package static var name: StaticString { "struct tevent_signal" }
    package static var kind: ObjectKind { .signal }
    package static var description: StaticString { "an event of a signal" }
    package static let destructor: @convention(c) (UnsafeMutableRawPointer?) -> CInt = { chunk in
        let event = chunk!.assumingMemoryBound(to: SignalRecord.self)
        event.detach()
        event.endRecord()
        return 0
    }

    init(prefix: EventPrefix, handler: @escaping SignalHandler, number: Int32, wantsInfo: Bool) {
        self.prefix = prefix
        self.handler = handler
        self.number = number
        self.wantsInfo = wantsInfo
    }
}

extension SignalPointer {
    private var reader: UInt { UInt(bitPattern: self) }
    private var ring: SignalInfoRing? { pointee.wantsInfo ? SignalDispatch.ring(pointee.number) : nil }

    /// An arrival with the details taken last.
    package var arrivalWithLastInfo: SignalArrival {
        SignalArrival(signal: Signal(rawValue: pointee.number), info: SignalInfo(pointee.lastInfo))
    }

    /// How often the handler has yet to be called for the arrivals so far.
    fileprivate var callsDue: Int {
        guard let ring else { return SignalDispatch.arrivalCount(pointee.number) == pointee.position.seen ? 0 : 1 }
        return ring.countCalls(after: pointee.position)
    }

    func startCounting() {
        pointee.position =
            pointee.wantsInfo
            ? SignalDispatch.addReader(reader, pointee.number)
            : SignalInfoRing.Position(seen: SignalDispatch.arrivalCount(pointee.number))
    }

    /// Leaves arrivals from before the fork to the parent.
    fileprivate func disownArrivals() {
        let start = ring?.start ?? SignalInfoRing.Position(seen: SignalDispatch.arrivalsBeforeFork(pointee.number))
        guard start.seen > pointee.position.seen || start.uncounted > pointee.position.uncounted else { return }
        pointee.position = start
        if pointee.wantsInfo { SignalDispatch.moveReader(reader, pointee.number, to: start.seen) }
    }

    package func detach() {
        guard let context = pointee.prefix.context else { return }
        if context.pointee.signalCursor == self { context.pointee.signalCursor = pointee.next }
        context.pointee.signals.remove(self)
        pointee.prefix.context = nil
        context.updateSignalMask()
        if pointee.wantsInfo { SignalDispatch.removeReader(reader, pointee.number) }
        SignalDispatch.unregister(pointee.number)
        if context.pointee.hooks != nil { trace(.detach, on: context) }
    }

    /// The next arrival that the handler has not been told about, or nil.
    func takeArrival(upTo last: UInt64 = .max) -> SignalArrival? {
        let signal = Signal(rawValue: pointee.number)
        if let ring { return takeArrival(from: ring) }
        // snippet: difference
        let arrived = min(SignalDispatch.arrivalCount(pointee.number), last)
        guard arrived > pointee.position.seen else { return nil }
        defer { pointee.position.seen = arrived }
        return SignalArrival(signal: signal, count: Int(arrived - pointee.position.seen), info: nil)
        // snippet-end: difference
    }

    private func takeArrival(from ring: SignalInfoRing) -> SignalArrival? {
        let signal = Signal(rawValue: pointee.number)
        if let info = ring.take(&pointee.position) {
            SignalDispatch.moveReader(reader, pointee.number, to: pointee.position.seen)
            pointee.lastInfo = info
            return SignalArrival(signal: signal, count: 1, info: SignalInfo(info))
        }
        let count = ring.takeUncounted(&pointee.position)
        return count > 0 ? SignalArrival(signal: signal, count: count, info: nil) : nil
    }

    @inline(__always)
    package func run(_ arrival: SignalArrival) {
        if let context = pointee.prefix.context, context.pointee.hooks != nil {
            return runTraced(arrival, on: context)
        }
        let handler = pointee.handler
        handler(SignalEvent(self), arrival)
    }

    @inline(never)
    private func runTraced(_ arrival: SignalArrival, on context: ContextPointer) {
        let event = SignalEvent(self)
        if isRecording { recordArrival(on: context) }
        trace(.beforeHandler, on: context, count: arrival.count)
        defer { if isRecording { recordEnd() } }
        // In the child of a fork, the arrival belongs to the parent.
        guard !event.isFreed, pointee.prefix.context?.hasForked == false else { return }
        let handler = pointee.handler
        handler(event, arrival)
    }
}

extension ContextPointer {
    /// Runs the handlers of all signals that have arrived, in numerical order; returns false if there are none.
    ///
    /// This is how C's loop works. A signal that arrives meanwhile waits for the next time, unless its number is
    /// higher.
    package func runArrivedSignals() -> Bool {
        guard let waker = pointee.waker, waker.pointee.hasSignal.load(ordering: .relaxed) else { return false }
        waker.pointee.hasSignal.store(false, ordering: .sequentiallyConsistent)
        let handle = handle
        var haveRun = false
        var numbers = waker.pointee.signals.load(ordering: .relaxed)
        while numbers != 0, !handle.isStale {
            if runArrived(Int32(numbers.trailingZeroBitCount) + 1) { haveRun = true }
            numbers &= numbers - 1
        }
        return haveRun
    }

    private func runArrived(_ number: Int32) -> Bool {
        // All handlers learn about what arrived before the first of them runs.
        let arrived = SignalDispatch.arrivalCount(number)
        var due: [(event: SignalPointer, handle: TallocHandle, calls: Int)] = []
        var candidate = pointee.signals.first
        while let event = candidate {
            let calls = event.pointee.number == number ? event.callsDue : 0
            if calls > 0 { due.append((event, event.handle, calls)) }
            candidate = event.pointee.next
        }
        for signal in due {
            for _ in 0..<signal.calls {
                // An earlier handler may have freed it, or run a loop that has served it.
                guard !signal.handle.isStale, signal.event.pointee.prefix.context != nil,
                    let arrival = signal.event.takeArrival(upTo: arrived)
                else { break }
                signal.event.run(arrival)
            }
        }
        return !due.isEmpty
    }

    /// Leaves arrivals from before the fork to the parent, whose signals they were.
    func disownSignals() {
        var event = pointee.signals.first
        while let record = event {
            record.disownArrivals()
            event = record.pointee.next
        }
    }

    /// Publishes which signals this context wants, for the signal handler to read.
    func updateSignalMask() {
        var mask: UInt64 = 0
        var event = pointee.signals.first
        while let record = event {
            mask |= 1 << UInt64(record.pointee.number - 1)
            event = record.pointee.next
        }
        pointee.waker?.pointee.signals.store(mask, ordering: .sequentiallyConsistent)
    }
}
