import Talloc

/// Where a request is in its life.
///
///     inProgress ──▶ done | failed | timedOut | noMemory ──▶ received
///          └──────────────────── freed early ──────────────────▲
///
/// A request is in progress from the beginning, ends once in one of the four final ways, and is received when its
/// result has been taken, or when it is freed. No other step exists: a request that timed out is never also done.
///
/// The corresponding C type is `enum tevent_req_state`.
public enum RequestStatus: UInt8, Sendable, CaseIterable {
    /// The work goes on. In C: `TEVENT_REQ_IN_PROGRESS`.
    case inProgress = 1
    /// The work ended well, see ``RequestProtocol/finish(file:line:)``. In C: `TEVENT_REQ_DONE`.
    case done
    /// The work failed, see ``RequestProtocol/fail(_:file:line:)``. In C: `TEVENT_REQ_USER_ERROR`.
    case failed
    /// The end time came first, see ``RequestProtocol/setEndTime(at:on:)``. In C: `TEVENT_REQ_TIMED_OUT`.
    case timedOut
    /// There was no memory to go on with. In C: `TEVENT_REQ_NO_MEMORY`.
    case noMemory
    /// The result was taken, and what belonged to the work is gone. In C: `TEVENT_REQ_RECEIVED`.
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
public enum RequestError: Error, Equatable, CustomStringConvertible {
    /// The number that the program failed the request with, never 0.
    case code(UInt64)
    /// The end time came before the work was done.
    case timedOut
    /// The request was cancelled, and the work stopped.
    case cancelled

    /// A sentence for people.
    public var description: String {
        switch self {
        case .code(let code): "the request failed with error code \(code)"
        case .timedOut: "the request did not end in time"
        case .cancelled: "the request was cancelled"
        }
    }
}

/// Why a request has not ended well; two words and no allocation for a code.
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
