/// What a loop gives again and again, one element each time that a task asks for the next.
///
/// It pulls: nothing happens between two elements, and nothing is stored. Iterating again continues where the last
/// iteration ended. The functions of a context make it, such as ``Tevent/EventContext/bytes(from:upTo:under:)``.
///
/// An iteration that is cancelled throws ``/Tevent/RequestError/cancelled``. One whose memory is freed throws
/// ``TaskError/freed``, and one whose context is freed ``TaskError/loopEnded``.
public struct LoopSequence<Element>: AsyncSequence {
    @usableFromInline let produce: () async throws -> Element?

    @usableFromInline
    init(_ produce: @escaping () async throws -> Element?) { self.produce = produce }

    /// Gives one element after the other.
    public struct Iterator: AsyncIteratorProtocol {
        @usableFromInline let produce: () async throws -> Element?

        @usableFromInline
        init(_ produce: @escaping () async throws -> Element?) { self.produce = produce }

        /// Waits for the next element; nil at the end.
        @inlinable
        public mutating func next() async throws -> Element? { try await produce() }

        /// Waits for the next element; nil at the end.
        @inlinable
        public mutating func next(isolation: isolated (any Actor)?) async throws -> Element? { try await produce() }
    }

    /// Begins an iteration.
    @inlinable
    public func makeAsyncIterator() -> Iterator { Iterator(produce) }
}

@available(*, unavailable)
extension LoopSequence: Sendable {}

@available(*, unavailable)
extension LoopSequence.Iterator: Sendable {}
