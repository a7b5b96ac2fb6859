import Glibc
import Talloc

/// What the engine needs of the system's way to wait for descriptors: the contract of a backend.
///
/// - A backend is told what to watch by `change` and never asks the engine anything.
/// - `wait` adds what is ready to a batch; what does not fit stays ready and comes with the next wait.
/// - All backends report alike: an error or a closed other side makes a descriptor ready for everything.
/// - Descriptors are level-triggered: they are reported as long as they are ready.
package protocol Backend: AnyObject {
    /// What users choose it by.
    static var name: String { get }

    init() throws(TeventError)

    /// Watches a descriptor for `new` instead of `old`; both may be empty.
    ///
    /// `generation` tells registrations of one number apart, and comes back with what is ready.
    func change(
        _ descriptor: Int32, from old: DescriptorFlags, to new: DescriptorFlags, generation: UInt32
    ) -> BackendChange

    /// Waits at most `nanoseconds`, or without a limit if nil, and adds what is ready to the batch, as far as there is room.
    ///
    /// - Returns: False when a signal interrupted it.
    func wait(nanoseconds: Int64?, _ ready: inout ReadyBatch) throws(TeventError) -> Bool

    /// Starts over with nothing watched, without touching what another process shares with this one.
    func reopen() throws(TeventError)
}

/// The backend of a context, used where it lies: a reference that is not copied is not counted, either.
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

/// What became of a change.
package enum BackendChange: Equatable {
    case done
    /// The system cannot wait for this kind of descriptor; it never blocks.
    case alwaysReady
    /// The number is not open.
    case badDescriptor
    /// The system call failed with this `errno`.
    case failed(String, Int32)
}

/// A waiting time as the system's calls want it: milliseconds, rounded up so that no timer is early, -1 for no limit.
func systemTimeout(_ nanoseconds: Int64?) -> Int32 {
    guard let nanoseconds else { return -1 }
    return Int32(clamping: nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 > 0 ? 1 : 0))
}
