import Synchronization

/// The error of a message that could not be sent, because its receiver or its loop has ended.
///
/// It returns what was to be sent:
///
/// ```swift
/// let inbox = try ThreadInbox(on: events)
/// let proxy = inbox.proxy
/// inbox.free()
/// do throws(LoopEndedError<[Int]>) {
///     try proxy.schedule([1, 2, 3]) { _, numbers in print(numbers) }
/// } catch {
///     print("not sent:", error.takePayload() ?? [])
/// }
/// ```
///
/// C has no such error; there the program must know that the other loop is still running.
public struct LoopEndedError<Payload>: Error, CustomStringConvertible, CustomReflectable {
    private let unsent: Unsent

    @usableFromInline
    init(_ payload: consuming sending Payload) { unsent = Unsent(payload) }

    /// Takes what was to be sent; from now on it is the caller's.
    ///
    /// - Returns: The payload, or nil if it has been taken already, through this copy of the error or another one.
    public func takePayload() -> sending Payload? { unsent.take() }

    /// The error in a sentence.
    public var description: String {
        "the message was not sent: the loop that should receive it has ended, or its inbox was freed; "
            + "takePayload() gives back what was to be sent"
    }

    /// Empty: only ``takePayload()`` reaches what was to be sent.
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// Any thread may copy an error, but its payload belongs to one: the first to take it.
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
