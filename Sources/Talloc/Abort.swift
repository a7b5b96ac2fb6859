import CLinux
import CTalloc
import Glibc

/// What concerns the whole process: the abort hook, libtalloc's version and its null tracking.
public enum TallocLibrary {
    /// The version of the libtalloc this program runs on, such as "2.4.0".
    ///
    /// The corresponding C functions are `talloc_version_major()` and `talloc_version_minor()`.
    public static var version: String { "\(talloc_version_major()).\(talloc_version_minor())" }

    private static let abortHook = Locked<(@Sendable (String) -> Void)?>(nil)

    /// Sets a function that is told the reason before the program is aborted, for a log or a crash report.
    ///
    /// It is called for misuse found by this library, such as a freed handle, and for corruption found by
    /// libtalloc. The program ends when it returns. A hook that traps itself ends the program with both reasons.
    ///
    /// The corresponding C functions are `talloc_set_abort_fn()` and `tevent_set_abort_fn()`.
    public static func setAbortHook(_ hook: (@Sendable (_ reason: String) -> Void)?) {
        setOwnAbortHook(hook)
        talloc_set_abort_fn { reason in
            Talloc.abort(reason.map { String(cString: $0) } ?? "libtalloc found its memory corrupted")
        }
    }

    /// Sets a function that receives the reason, and leaves it to libtalloc how to react to corruption.
    package static func setOwnAbortHook(_ hook: (@Sendable (_ reason: String) -> Void)?) {
        prepareProcess()
        // Release the old hook outside the lock: its deinit may set another hook.
        var old = hook
        abortHook.withLock { swap(&$0, &old) }
    }

    fileprivate static func runAbortHook(_ reason: String) {
        prepareProcess()
        let hook = abortHook.withLock { $0 }
        hook?(reason)
    }

    /// Initialises what all threads share, so that a fork never catches it half done.
    static func setUp() { abortHook.withLock { _ in } }

    /// Makes talloc safe for programs with threads; call it first in the main thread.
    ///
    /// libtalloc tracks root chunks only if a library asks it to, so this matters only to programs that load such a
    /// library.
    ///
    /// The corresponding C function is `talloc_disable_null_tracking()`.
    public static func disableNullTracking() { talloc_disable_null_tracking() }
}

/// Passes `reason` to the abort hook and prints it to standard error, then ends the program, in debug and release
/// builds alike.
package func abort(_ reason: String) -> Never {
    let first = clinux_abort_reason_here().unsafelyUnwrapped
    if let first = first.pointee?.assumingMemoryBound(to: String.self).pointee {
        fatalError("\(first); the abort hook, called with that reason, then trapped as well: \(reason)")
    }
    withUnsafePointer(to: reason) { pointer in
        first.pointee = UnsafeMutableRawPointer(mutating: pointer)
        if clinux_is_recording() { RecordRings.saving.withLock { $0 }?() }
        TallocLibrary.runAbortHook(reason)
    }
    fatalError(reason)
}

/// Initialises what all threads share, once, in a way that `fork` waits for.
///
/// Swift initialises a global at its first use. A child forked at that moment would wait forever at every use of the
/// global, for a thread that does not exist there.
@inline(__always)
package func prepareProcess() {
    if !clinux_is_set_up(clinux_part_talloc) { setUpProcess() }
}

@inline(never)
private func setUpProcess() {
    clinux_set_up(clinux_part_talloc) {
        TallocLibrary.setUp()
        SlotDepot.setUp()
        TypeNames.setUp()
        RecordRings.setUp()
        MemoryLimits.setUp()
        findFirstChildWord()
    }
}
