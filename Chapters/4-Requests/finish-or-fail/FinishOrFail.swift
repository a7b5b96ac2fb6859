import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// The ways to end a request by hand, and what its receiver gets from each.
@main
struct FinishOrFail: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "finish-or-fail",
        abstract: "End a request well, with an error, with a number, and with the number that means success.",
        discussion: "No loop is needed: the call that ends the request calls the callback.")

    func run() throws {
        let program = try TallocContext(named: "program")
        defer { program.free() }

        // snippet: ways
        try show("finish()", program) { request in
            request.state.cups = 1
            request.finish()
        }
        try show("fail(KettleError.noWater)", program) { $0.fail(KettleError.noWater) }
        try show("fail(code: 7)", program) { $0.fail(code: ErrorCode.noPower.rawValue) }
        try show("fail(code: 1)", program) { $0.fail(code: ErrorCode.noWater.rawValue) }
        try show("fail(code: 0)", program) { $0.fail(code: 0) }
        try show("attempt { throw … }", program) { $0.attempt { throw KettleError.noWater } }
        // snippet-end: ways
    }

    // snippet: show
    /// Creates a request, has `end` end it, and prints the outcome.
    private func show<Result>(
        _ title: String, _ parent: TallocContext, _ end: (Request<MakeTea>) -> Result
    ) throws {
        print(title)
        let request = try Request(MakeTea(), under: parent)
        request.setCallback { request in
            print("  the callback finds it \(request.status)")
            do { print("  receive: \(try request.receive()) cup") } catch { print("  receive throws: \(error)") }
        }
        let result = end(request)
        if Result.self != Void.self { print("  the call returns \(result)") }
        print("  afterwards it is \(request.status)")
        request.free()
    }
    // snippet-end: show
}

// snippet: errors
/// What can go wrong, as a Swift error.
enum KettleError: Error {
    case noWater
}

/// The same as C expresses it: numbers, of which 0 means success.
enum ErrorCode: UInt64 {
    case noWater = 1
    case noPower = 7
}
// snippet-end: errors

struct MakeTea {
    var cups = 0
}

extension Request<MakeTea> {
    func receive() throws -> Int { try receive { $0.cups } }
}
