import CLinux
import Talloc

// A request that finishes calls its callback, which finishes the request above, which calls its callback … In a cascade
// of ten thousand that would need ten thousand calls on the stack. So from a certain depth on, a request that finishes
// only notes that its callback is due, and the callback that runs at that depth calls it when it has returned.
//
//     finish ─▶ callback ─▶ finish ─▶ … ─▶ callback at the limit ─▶ finish: noted
//                                                     └─ returns, then runs what was noted, first in first out
//
// Each thread has its own depth and its own list.

package enum CallbackDepth {
    /// How many callbacks of requests run inside each other at most.
    static let limit = 64

    /// Two pointers in C, which are a list here.
    private static var waiting: UnsafeMutablePointer<List<Scheduled>> {
        let offset = MemoryLayout<clinux_callbacks>.offset(of: \.waiting)!
        return (UnsafeMutableRawPointer(clinux_callbacks_here()!) + offset)
            .assumingMemoryBound(to: List<Scheduled>.self)
    }

    /// Notes that the callback of a request is due.
    @inline(never)
    static func note(_ request: RequestPointer) {
        request.leaveQueue()
        request.pointee.queue = .callbacks
        waiting.pointee.append(request.scheduled)
    }

    static func forget(_ request: ScheduledPointer) { waiting.pointee.remove(request) }

    // snippet: depth
    /// Runs a request's callback one level deeper, and at the limit what was noted meanwhile; false beyond the limit.
    @inline(__always)
    static func run(_ request: RequestPointer) -> Bool {
        let here = clinux_callbacks_here()!
        guard here.pointee.depth < limit else { return false }
        here.pointee.depth += 1
        request.callBack()
        if here.pointee.depth == limit { runNoted() }
        here.pointee.depth -= 1
        return true
    }

    @inline(never)
    private static func runNoted() {
        while let next = waiting.pointee.first {
            let request = RequestPointer(OpaquePointer(next))
            request.leaveQueue()
            request.callBack()
        }
    }
    // snippet-end: depth

    /// Lets callbacks nest anew in a loop that is run inside one, after those that were noted: the loop could otherwise
    /// wait for one of them for ever.
    package static func enterLoop() -> Int {
        let here = clinux_callbacks_here()!
        let depth = here.pointee.depth
        here.pointee.depth = 0
        if waiting.pointee.first != nil { runNoted() }
        return depth
    }

    package static func leaveLoop(_ depth: Int) { clinux_callbacks_here()!.pointee.depth = depth }
}
