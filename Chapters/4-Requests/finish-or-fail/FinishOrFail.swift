import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// The ways to end a request by hand, and what its receiver gets from each.
@main
struct FinishOrFail: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "finish-or-fail",
        abstract: "End a request well, with an error, with a number, and with the number that is no error.",
        discussion: "No loop is needed: the callback is called from inside of what ends the request.")

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
    /// Makes a request, lets `end` end it, and prints what comes of it.
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
/// What can go wrong, as Swift says it.
enum KettleError: Error {
    case noWater
}

/// The same as C says it: numbers, among which 0 means that nothing went wrong.
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
