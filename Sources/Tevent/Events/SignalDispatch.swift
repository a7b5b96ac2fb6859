import Glibc
import Synchronization
import Talloc

// Signals belong to the process, events to a context. This file is what lies between: one handler for all signals, that
// counts each arrival and wakes the contexts that have events for it. Each event remembers how many arrivals it has
// seen; the difference is what it has yet to be told, so none is lost however busy its loop is, and the events of one
// context take nothing from those of another.

/// Counts and details of the signals that have arrived in this process.
enum SignalDispatch {
    /// Signals are numbered from 1 to this.
    static let lastSignal = 64

    /// How often each signal has arrived; never freed, since the signal handler uses it.
    private nonisolated(unsafe) static let arrivals: UnsafeMutablePointer<Atomic<UInt64>> = {
        let counts = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: lastSignal + 1)
        for number in 0...lastSignal { (counts + number).initialize(to: Atomic(0)) }
        return counts
    }()

    /// What is known of each arrival, for signals that have had an event that wants it; nil for the others.
    private nonisolated(unsafe) static let rings: UnsafeMutablePointer<Atomic<UInt>> = {
        let rings = UnsafeMutablePointer<Atomic<UInt>>.allocate(capacity: lastSignal + 1)
        for number in 0...lastSignal { (rings + number).initialize(to: Atomic(0)) }
        return rings
    }()

    /// A signal that has events somewhere in the process.
    private struct Registration {
        var events = 0
        var oldAction = sigaction()
    }

    private static let registrations = Locked<[Int32: Registration]>([:])

    static func arrivalCount(_ number: Int32) -> UInt64 {
        arrivals[Int(number)].load(ordering: .acquiring)
    }

    static func ring(_ number: Int32) -> SignalInfoRing? {
        UnsafeMutableRawPointer(bitPattern: rings[Int(number)].load(ordering: .acquiring)).map(SignalInfoRing.init)
    }

    /// Counts an event for the signal; the first one installs our handler, with flags such as `SA_RESTART`.
    static func register(_ number: Int32, wantsInfo: Bool, flags: Int32) throws(TeventError) {
        if wantsInfo { try makeRing(number) }
        // A rehearsal, so that the handler finds all it uses made: signal 0 does not exist.
        arrived(0, nil, nil)
        let result = registrations.withLock { registrations -> Int32 in
            if registrations[number] == nil {
                var registration = Registration()
                var action = sigaction()
                action.__sigaction_handler.sa_sigaction = handleSignal
                action.sa_flags = flags | SA_SIGINFO
                sigemptyset(&action.sa_mask)
                guard sigaction(number, &action, &registration.oldAction) == 0 else { return errno }
                registrations[number] = registration
            }
            registrations[number]!.events += 1
            return 0
        }
        // The C library keeps some for itself.
        guard result != EINVAL else { throw .badSignal(number) }
        guard result == 0 else { throw .systemCall(name: "sigaction", code: result) }
    }

    /// Takes an event back; the last one puts the old disposition in place again.
    static func unregister(_ number: Int32) {
        registrations.withLock { registrations in
            registrations[number]!.events -= 1
            guard registrations[number]!.events == 0, var registration = registrations.removeValue(forKey: number)
            else { return }
            sigaction(number, &registration.oldAction, nil)
        }
    }

    private static func makeRing(_ number: Int32) throws(TeventError) {
        guard ring(number) == nil else { return }
        guard let ring = SignalInfoRing.allocate() else { throw .outOfMemory(name: "signal information") }
        let (isOurs, _) = rings[Int(number)].compareExchange(
            expected: 0, desired: UInt(bitPattern: ring), ordering: .acquiringAndReleasing)
        if !isOurs { free(ring) }
    }

    /// The signal handler: it may interrupt anything, on any thread, so it only uses atomics, `write` and `errno`.
    fileprivate static func arrived(
        _ number: Int32, _ info: UnsafeMutablePointer<siginfo_t>?, _ interrupted: UnsafeMutableRawPointer?
    ) {
        let savedError = errno
        if let ring = ring(number), let info, ring.append(info.pointee), let interrupted {
            // The thread goes on with the signal blocked, until a loop has made room.
            sigaddset(&interrupted.assumingMemoryBound(to: ucontext_t.self).pointee.uc_sigmask, number)
        }
        arrivals[Int(number)].wrappingAdd(1, ordering: .sequentiallyConsistent)
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
        errno = savedError
    }
}

private func handleSignal(
    _ number: Int32, _ info: UnsafeMutablePointer<siginfo_t>?, _ interrupted: UnsafeMutableRawPointer?
) {
    SignalDispatch.arrived(number, info, interrupted)
}
