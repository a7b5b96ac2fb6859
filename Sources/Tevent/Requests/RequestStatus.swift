import Talloc

/// The points in a request's life.
///
/// ```text
/// inProgress ──▶ done | failed | timedOut | noMemory ──▶ received
///      └──────────────────── freed early ──────────────────▲
/// ```
///
/// A request begins in progress and ends once, in one of the four final ways. It is received when its result has been
/// taken, or when it is freed. There is no other step: a request that timed out is never also done.
///
/// ```swift
/// let request = try Request("work", under: memory)
/// request.fail(RequestError.cancelled)
/// print(request.status == .failed)  // true
/// request.discard()
/// print(request.status)  // received
/// ```
///
/// The corresponding C type is `enum tevent_req_state`.
public enum RequestStatus: UInt8, Sendable, CaseIterable {
    /// The work is not finished. In C: `TEVENT_REQ_IN_PROGRESS`.
    case inProgress = 1
    /// The work succeeded, see ``RequestProtocol/finish(file:line:)``. In C: `TEVENT_REQ_DONE`.
    case done
    /// The work failed, see ``RequestProtocol/fail(_:file:line:)``. In C: `TEVENT_REQ_USER_ERROR`.
    case failed
    /// The end time came first, see ``RequestProtocol/setEndTime(at:on:)``. In C: `TEVENT_REQ_TIMED_OUT`.
    case timedOut
    /// There was no memory to continue with. In C: `TEVENT_REQ_NO_MEMORY`.
    case noMemory
    /// The result was taken, and everything that belonged to the work was freed. In C: `TEVENT_REQ_RECEIVED`.
    case received
}

extension RequestStatus: CustomStringConvertible {
    /// The status in words, such as "in progress".
    public var description: String {
        switch self {
        case .inProgress: "in progress"
        case .done: "done"
        case .failed: "failed"
        case .timedOut: "timed out"
        case .noMemory: "no memory"
        case .received: "received"
        }
    }
}

/// How a request can fail without an error type of the program's own.
///
/// ```swift
/// let request = try Wakeup.send(after: .seconds(1), on: events, under: memory)
/// request.cancel()
/// do { try request.receive() } catch RequestError.cancelled { print("cancelled") }
/// ```
///
/// In C these are the numbers of `tevent_req_error()`, and the states of `enum tevent_req_state`.
public enum RequestError: Error, Equatable, CustomStringConvertible {
    /// The number that the program passed to ``RequestProtocol/fail(code:file:line:)``; never 0.
    case code(UInt64)
    /// The end time came before the work was done.
    case timedOut
    /// The request was cancelled, and the work stopped.
    case cancelled

    /// The error in a sentence.
    public var description: String {
        switch self {
        case .code(let code): "the request failed with error code \(code)"
        case .timedOut: "the request did not end in time"
        case .cancelled: "the request was cancelled"
        }
    }
}

/// Why a request did not end successfully; two words, and no allocation for a code.
package enum RequestFailure {
    case none
    case code(UInt64)
    case error(any Error)

    /// Whether it holds an error that must be released.
    var isError: Bool {
        if case .error = self { true } else { false }
    }

    /// The failure as an error to throw.
    var error: (any Error)? {
        switch self {
        case .none: nil
        case .code(let code): RequestError.code(code)
        case .error(let error): error
        }
    }
}

/// Whether the error says that there was no memory, from whichever library.
func saysOutOfMemory(_ error: any Error) -> Bool {
    switch error {
    case TallocError.outOfMemory, TeventError.outOfMemory: true
    default: false
    }
}
