import Talloc
import Tevent

// snippet: foo
/// Work that remembers one number and does nothing, so that its data is all there is to look at.
public struct Foo {
    /// What the work remembers.
    public var x: Int

    /// Begins the work: makes a request whose state is a `Foo` with 10 in it.
    ///
    /// Nothing goes on by itself, so whoever calls it ends the request as well.
    ///
    /// - Parameter parent: What the request is freed with.
    /// - Throws: `TeventError.outOfMemory`.
    public static func send(under parent: some TallocObject) throws(TeventError) -> Request<Foo> {
        try Request(Foo(x: 10), under: parent)
    }
}

extension Request<Foo> {
    /// Takes the number out of a request that has ended; the state is gone then.
    ///
    /// - Throws: What the request failed with.
    public func receive() throws -> Int { try receive { foo in foo.x } }
}
// snippet-end: foo
