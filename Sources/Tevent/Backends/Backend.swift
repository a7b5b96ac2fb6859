import Glibc
import Talloc

/// The contract of a backend: what the engine needs from the system's way to wait for descriptors.
///
/// - `change` tells a backend what to watch; a backend never asks the engine anything.
/// - `wait` adds ready descriptors to a batch; those that do not fit stay ready and come with the next wait.
/// - All backends report alike: an error, or a closed other side, makes a descriptor ready for everything.
/// - Descriptors are level-triggered: they are reported as long as they are ready.
package protocol Backend: AnyObject {
    /// The name by which users choose it.
    static var name: String { get }

    init() throws(TeventError)

    /// Watches a descriptor for `new` instead of `old`; both may be empty.
    ///
    /// `generation` distinguishes registrations of the same number, and comes back with each ready descriptor.
    func change(
        _ descriptor: Int32, from old: DescriptorFlags, to new: DescriptorFlags, generation: UInt32
    ) -> BackendChange

    /// Waits at most `nanoseconds`, or without a limit if nil, and adds ready descriptors to the batch while it has
    /// room.
    ///
    /// - Returns: False if a signal interrupted the wait.
    func wait(nanoseconds: Int64?, _ ready: inout ReadyBatch) throws(TeventError) -> Bool

    /// Starts over with nothing watched, without touching anything that another process shares with this one.
    func reopen() throws(TeventError)
}

/// The backend of a context, used in place: a reference that is not copied is not counted either.
struct OwnedBackend: ~Copyable {
    private let backend: any Backend

    init(_ backend: any Backend) { self.backend = backend }

    var name: String { type(of: backend).name }

    borrowing func change(
        _ descriptor: Int32, from old: DescriptorFlags, to new: DescriptorFlags, generation: UInt32
    ) -> BackendChange { backend.change(descriptor, from: old, to: new, generation: generation) }

    borrowing func wait(nanoseconds: Int64?, _ ready: inout ReadyBatch) throws(TeventError) -> Bool {
        try backend.wait(nanoseconds: nanoseconds, &ready)
    }

    borrowing func reopen() throws(TeventError) { try backend.reopen() }
}

/// The result of a change.
package enum BackendChange: Equatable {
    case done
    /// The system cannot wait for this kind of descriptor; it never blocks.
    case alwaysReady
    /// The number is not open.
    case badDescriptor
    /// The system call failed with this `errno`.
    case failed(String, Int32)
}

/// A waiting time in the form that the system calls take: milliseconds, rounded up so that no timer is early; -1 for no
/// limit.
func systemTimeout(_ nanoseconds: Int64?) -> Int32 {
    guard let nanoseconds else { return -1 }
    return Int32(clamping: nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 > 0 ? 1 : 0))
}
