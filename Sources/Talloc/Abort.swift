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

    /// Sets a function that is told the reason, and leaves it to libtalloc what it does about corruption.
    package static func setOwnAbortHook(_ hook: (@Sendable (_ reason: String) -> Void)?) {
        prepareProcess()
        // The old hook is released outside of the lock: its deinit may set another hook.
        var old = hook
        abortHook.withLock { swap(&$0, &old) }
    }

    fileprivate static func runAbortHook(_ reason: String) {
        prepareProcess()
        let hook = abortHook.withLock { $0 }
        hook?(reason)
    }

    /// Makes what the library shares among all threads, which must not be half made when the process forks.
    static func setUp() { abortHook.withLock { _ in } }

    /// Makes talloc safe for programs with threads; call it first thing in the first thread.
    ///
    /// libtalloc does not track root chunks unless a library asked it to, so this matters only to programs
    /// that load such a library.
    ///
    /// The corresponding C function is `talloc_disable_null_tracking()`.
    public static func disableNullTracking() { talloc_disable_null_tracking() }
}

/// Ends the program with `reason` on standard error, in debug and release, after the abort hook has seen it.
package func abort(_ reason: String) -> Never {
    let first = clinux_abort_reason_here().unsafelyUnwrapped
    if let first = first.pointee?.assumingMemoryBound(to: String.self).pointee {
        fatalError("\(first); the abort hook, which was told so, then trapped, too: \(reason)")
    }
    withUnsafePointer(to: reason) { pointer in
        first.pointee = UnsafeMutableRawPointer(mutating: pointer)
        TallocLibrary.runAbortHook(reason)
    }
    fatalError(reason)
}

/// Makes what is shared among all threads, once, in a way that `fork` waits for.
///
/// Swift makes a global when it is first used. In the child of a fork that came at that moment, every use of the global
/// would wait for a thread that does not exist there, for good.
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
        MemoryLimits.setUp()
        findFirstChildWord()
    }
}
