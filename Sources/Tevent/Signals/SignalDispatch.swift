import Glibc
import Synchronization
import Talloc

// Signals belong to the process, events to a context. This file connects the two: one handler for all signals counts
// each arrival and wakes the contexts that have events for that signal. Each event remembers how many arrivals it has
// seen, and the difference is what it has not yet been told about. No arrival is lost, however busy a loop is, and the
// events of one context take nothing from those of another.

/// Counts and details of the signals that have arrived in this process.
enum SignalDispatch {
    /// Signals are numbered from 1 to this.
    static let lastSignal = 64

    /// What the signal handler needs to know about each signal; never freed, since the handler may use it at any time.
    private struct Slot: ~Copyable {
        /// How often the signal has arrived.
        let arrivals = Atomic<UInt64>(0)
        /// The details of each arrival, for a signal that has ever had an event that wants them; 0 for the others.
        let ring = Atomic<UInt>(0)
        /// When the first arrival was that no handler has been called for, while something is recorded; or 0.
        let waitingSince = Atomic<Int64>(0)
        /// How often it had arrived when this process was forked.
        var arrivalsBeforeFork: UInt64 = 0
        /// The disposition before the signal had events; written before the engine's handler is installed.
        var oldAction = sigaction()
    }

    private nonisolated(unsafe) static let slots: UnsafeMutablePointer<Slot> = {
        let slots = UnsafeMutablePointer<Slot>.allocate(capacity: lastSignal + 1)
        for number in 0...lastSignal { (slots + number).initialize(to: Slot()) }
        return slots
    }()

    /// A signal that has events somewhere in the process.
    private struct Registration {
        var events = 0
        /// How far the events that want details have read, by the addresses of their records.
        var readers: [UInt: UInt64] = [:]
    }

    private static let registrations = Locked<[Int32: Registration]>([:])

    static func setUp() {
        registrations.withLock { _ in }
        // Call once with signal 0, which does not exist, so that lazy globals are initialised before a real signal
        // arrives.
        arrived(0, nil)
    }

    static func arrivalCount(_ number: Int32) -> UInt64 { slots[Int(number)].arrivals.load(ordering: .acquiring) }

    static func ring(_ number: Int32) -> SignalInfoRing? {
        UnsafeMutableRawPointer(bitPattern: slots[Int(number)].ring.load(ordering: .acquiring)).map(SignalInfoRing.init)
    }

    // MARK: Events that come and go

    /// Counts an event for the signal; the first one installs the engine's handler, with flags such as `SA_RESTART`.
    static func register(_ number: Int32, wantsInfo: Bool, flags: Int32) throws(TeventError) {
        if wantsInfo { try makeRing(number) }
        let result = registrations.withLock { registrations -> Int32 in
            if registrations[number] == nil {
                var action = sigaction()
                action.__sigaction_handler.sa_sigaction = handleSignal
                action.sa_flags = flags | SA_SIGINFO
                sigemptyset(&action.sa_mask)
                guard sigaction(number, nil, &slots[Int(number)].oldAction) == 0, sigaction(number, &action, nil) == 0
                else { return errno }
                registrations[number] = Registration()
            }
            registrations[number]!.events += 1
            return 0
        }
        // The C library reserves some signals for itself.
        guard result != EINVAL else { throw .badSignal(number) }
        guard result == 0 else { throw .systemCall(name: "sigaction", code: result) }
    }

    /// Takes an event back; the last one restores the old disposition.
    static func unregister(_ number: Int32) {
        registrations.withLock { registrations in
            registrations[number]!.events -= 1
            guard registrations[number]!.events == 0 else { return }
            registrations[number] = nil
            sigaction(number, &slots[Int(number)].oldAction, nil)
        }
    }

    private static func makeRing(_ number: Int32) throws(TeventError) {
        guard ring(number) == nil else { return }
        guard let ring = SignalInfoRing.allocate() else { throw .outOfMemory(name: "signal information") }
        let (isOurs, _) = slots[Int(number)].ring.compareExchange(
            expected: 0, desired: UInt(bitPattern: ring), ordering: .acquiringAndReleasing)
        if !isOurs { free(ring) }
    }

    // MARK: Readers of details

    /// Adds a reader of a registered signal, and returns the position at which it begins.
    static func addReader(_ reader: UInt, _ number: Int32) -> SignalInfoRing.Position {
        changeReaders(number) { readers, ring in
            // Without readers the ring takes nothing; new readers must find it empty.
            if readers.isEmpty { ring.readersHaveCome(to: ring.now.seen) }
            let start = ring.now
            readers[reader] = start.seen
            return start
        }
    }

    static func moveReader(_ reader: UInt, _ number: Int32, to seen: UInt64) {
        changeReaders(number) { readers, _ in readers[reader] = seen }
    }

    static func removeReader(_ reader: UInt, _ number: Int32) {
        changeReaders(number) { readers, _ in readers[reader] = nil }
    }

    private static func changeReaders<Result>(
        _ number: Int32, _ change: (inout [UInt: UInt64], SignalInfoRing) -> Result
    ) -> Result {
        let ring = ring(number).unsafelyUnwrapped
        return registrations.withLock { registrations in
            let result = change(&registrations[number]!.readers, ring)
            ring.readersHaveCome(to: registrations[number]!.readers.values.min())
            return result
        }
    }

    // MARK: Arriving

    /// The signal handler, which may interrupt anything on any thread and uses only atomics, `write` and `errno`.
    fileprivate static func arrived(_ number: Int32, _ info: UnsafeMutablePointer<siginfo_t>?) {
        let savedError = errno
        defer { errno = savedError }
        if let info {
            if isFault(info.pointee) { return passOnFault(number) }
            ring(number)?.append(info.pointee)
        }
        if isRecording { noteTime(number) }
        slots[Int(number)].arrivals.wrappingAdd(1, ordering: .sequentiallyConsistent)
        let bit = number > 0 ? UInt64(1) << UInt64(number - 1) : 0
        var waker = WakerPointer.first
        while let visited = waker {
            if visited.pointee.signals.load(ordering: .sequentiallyConsistent) & bit != 0 {
                visited.pointee.visitors.wrappingAdd(1, ordering: .sequentiallyConsistent)
                if visited.pointee.signals.load(ordering: .sequentiallyConsistent) & bit != 0 {
                    visited.pointee.hasSignal.store(true, ordering: .sequentiallyConsistent)
                    visited.wake()
                }
                visited.pointee.visitors.wrappingSubtract(1, ordering: .sequentiallyConsistent)
            }
            waker = visited.next
        }
    }

    private static func noteTime(_ number: Int32) {
        _ = slots[Int(number)].waitingSince.compareExchange(
            expected: 0, desired: EventInstant.now.nanoseconds, ordering: .relaxed)
    }

    /// When the first arrival was that no handler has been called for; 0 if that is not known, and from now on.
    static func takeTime(_ number: Int32) -> Int64 { slots[Int(number)].waitingSince.exchange(0, ordering: .relaxed) }

    /// Whether the signal was raised because this thread could not execute an instruction, and not because it was sent.
    private static func isFault(_ info: siginfo_t) -> Bool {
        switch info.si_signo {
        case SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS: info.si_code > 0
        default: false
        }
    }

    /// Leaves a fault to whatever would have handled it without the engine.
    ///
    /// The instruction is executed again when this returns, so a loop would be notified of it endlessly.
    private static func passOnFault(_ number: Int32) {
        sigaction(number, &slots[Int(number)].oldAction, nil)
        // A breakpoint instruction is not executed again.
        if number == SIGTRAP { raise(number) }
    }

    // MARK: Forking

    /// Notes, in the child of a fork, that all arrivals so far are the parent's.
    static func noteFork() {
        for number in 1...lastSignal {
            slots[number].arrivalsBeforeFork = arrivalCount(Int32(number))
            ring(Int32(number))?.noteFork()
            _ = takeTime(Int32(number))
        }
    }

    static func arrivalsBeforeFork(_ number: Int32) -> UInt64 { slots[Int(number)].arrivalsBeforeFork }
}

private func handleSignal(
    _ number: Int32, _ info: UnsafeMutablePointer<siginfo_t>?, _ interrupted: UnsafeMutableRawPointer?
) {
    SignalDispatch.arrived(number, info)
}
