import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// Thousands of requests inside each other, all of which end because the innermost does.
@main
struct DeepCascade: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "deep-cascade",
        abstract: "Nest thousands of requests, end the innermost, and count the callbacks inside each other.",
        discussion: "Each callback frees its request and finishes the one above, whose callback does the same.")

    @Option(help: "How many requests to nest.")
    var depth = 10_000

    func validate() throws {
        guard depth >= 1 else { throw ValidationError("--depth must be at least 1, not \(depth).") }
    }

    func run() throws {
        let program = try TallocContext(named: "program")
        defer { program.free() }
        var (ended, inside, deepest) = (0, 0, 0)

        // snippet: nest
        func done(_ request: Request<Level>) {
            inside += 1
            deepest = max(deepest, inside)
            ended += 1
            let above = request.state.above
            request.free()
            above?.finish()
            inside -= 1
        }

        var innermost = try Request(Level(above: nil), under: program)
        innermost.setCallback(done)
        for _ in 1..<depth {
            innermost = try Request(Level(above: innermost), under: innermost)
            innermost.setCallback(done)
        }
        innermost.finish()
        // snippet-end: nest

        print("\(ended) of \(depth) requests have ended, \(program.children.count) are left.")
        print("At most \(deepest) callbacks were inside each other.")
    }
}

/// One of the nested requests; it knows the one above it, if there is one.
struct Level {
    let above: Request<Level>?
}
