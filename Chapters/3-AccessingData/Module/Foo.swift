import Talloc
import Tevent

// snippet: foo
/// Work that remembers one number and does nothing else, so that there is only its data to look at.
public struct Foo {
    /// The number that the work remembers.
    public var x: Int

    /// Starts the work: creates a request whose state is a `Foo` that contains 10.
    ///
    /// Nothing happens by itself: the caller must also end the request.
    ///
    /// - Parameter parent: The request's parent.
    /// - Throws: `TeventError.outOfMemory`.
    public static func send(under parent: some TallocObject) throws(TeventError) -> Request<Foo> {
        try Request(Foo(x: 10), under: parent)
    }
}

extension Request<Foo> {
    /// Takes the number out of a request that has ended, and releases the state.
    ///
    /// - Throws: The error with which the request failed.
    public func receive() throws -> Int { try receive { foo in foo.x } }
}
// snippet-end: foo
