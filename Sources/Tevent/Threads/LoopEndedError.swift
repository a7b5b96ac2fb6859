import Synchronization

/// Why a message was not sent: its receiver or loop has ended.
///
/// It gives back what was to be sent.
public struct LoopEndedError<Payload>: Error, CustomStringConvertible, CustomReflectable {
    private let unsent: Unsent

    @usableFromInline
    init(_ payload: consuming sending Payload) { unsent = Unsent(payload) }

    /// What was to be sent, which is the caller's again; nil if it has been taken already.
    public func takePayload() -> sending Payload? { unsent.take() }

    /// A sentence for people.
    public var description: String {
        "the message was not sent: the loop that should receive it has ended, or its inbox was freed; "
            + "takePayload() gives back what was to be sent"
    }

    /// Nothing: what was to be sent is reached through ``takePayload()`` alone.
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// An error may be copied to any thread, but its payload belongs to one, so only the first who asks gets it.
    private final class Unsent: Sendable {
        private let payload: Mutex<Payload?>

        init(_ payload: consuming sending Payload) { self.payload = Mutex(payload) }

        func take() -> sending Payload? {
            payload.withLock { payload in
                let taken = payload
                payload = nil
                return taken
            }
        }
    }
}
