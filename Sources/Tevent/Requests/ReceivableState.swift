/// A state whose requests have a result that anyone can receive in the same way.
///
/// Conform to it with the function that takes the result. Generic code can then receive every kind of request; the
/// module TeventTasks awaits it: `try await request.value`.
///
/// ```swift
/// struct Addition: ReceivableState {
///     var sum = 0
///     static func receive(_ request: Request<Addition>) throws -> Int { try request.receive { $0.sum } }
/// }
/// let request = try Request(Addition(sum: 3), under: memory)
/// request.finish()
/// print(try Addition.receive(request))
/// ```
///
/// C has no counterpart: each kind of request has a function of its own there, named *recv*.
public protocol ReceivableState {
    /// The type of the result.
    associatedtype Output

    /// Takes the result out of a request that has ended, or throws the error that it ended with.
    ///
    /// - Parameter request: A request that has ended; the caller frees it.
    static func receive(_ request: Request<Self>) throws -> Output
}
