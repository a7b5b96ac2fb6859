import CLinux

// A thread's stack is limited, but a program may nest as deeply as it likes: trees of memory are freed level by level,
// and a request's callback may end the request above it. Every such recursive function first makes sure that there is
// room.

// snippet: room
/// Calls a function on a stack that has room for it, no matter how much of the current stack is used.
///
/// - Complexity: O(1); a thread that is short of stack makes an occasional system call.
@inlinable @inline(__always)
package func withStackRoom(_ body: () -> Void) {
    if clinux_has_stack_room() { body() } else { callWithStackRoom(body) }
}
// snippet-end: room

@inline(never)
@usableFromInline
func callWithStackRoom(_ body: () -> Void) {
    let isDone = withoutActuallyEscaping(body) { body in
        withUnsafePointer(to: body) { body in
            clinux_call_with_stack_room(
                { $0.unsafelyUnwrapped.assumingMemoryBound(to: (() -> Void).self).pointee() },
                UnsafeMutableRawPointer(mutating: body))
        }
    }
    guard isDone else {
        abort(
            "the stack is used up: there is no memory for more of it, or 4 GB of it are in use already, "
                + "as with callbacks that call each other without end")
    }
}
