import Chapter1ContextAndLoops
import Chapter3AccessingData
import Foundation
import Talloc
import TestSupport
import Tevent
import XCTest

/// What a test works with: memory that is freed at its end, and a log in which witnesses report their end.
struct Bench {
    let memory: TallocContext
    let log = EventLog()

    /// A request in progress, with 10 in its state.
    func request() throws -> Request<Foo> { try Foo.send(under: memory) }

    /// An object that writes to the log when it is deinitialised.
    func witness(_ name: String = "witness") -> Witness { Witness(name) { [log] _ in log.add(name, "goes") } }

    /// Which witnesses were deinitialised, in order.
    var gone: [String] { log.who }
}

/// Runs a test that needs no loop.
func onBench(_ test: (Bench) throws -> Void) throws {
    try withTallocContext(named: "test") { memory in try test(Bench(memory: memory)) }
}

/// Runs a test once with a context of each backend, whose clock moves only by hand.
func onEachBackend(_ test: (_ bench: Bench, _ events: EventContext) throws -> Void) throws {
    for backend in EventContext.backends {
        do {
            try onBench { bench in
                try test(bench, EventContext(under: bench.memory, backend: backend, clock: ManualClock()))
            }
        } catch { XCTFail("with \(backend): \(error)") }
    }
}

/// What a caller needs again.
struct Extra {
    var y: Int
}

/// Calls, in a callback, which cannot throw, a function that cannot fail there.
func sure<Value>(_ body: () throws -> Value) -> Value {
    do { return try body() } catch { fatalError("unexpected: \(error)") }
}

/// Checks that a child ended by a trap whose message is `words`.
func assertTrap(_ words: String, from result: ProgramResult, line: UInt = #line) {
    XCTAssertNotNil(result.signal, "exit code \(result.exitCode ?? -1)", line: line)
    let message = result.stderr.split(separator: "\n").first { $0.contains("Fatal error: ") }
    XCTAssertEqual(message?.split(separator: "Fatal error: ").last.map(String.init), words, result.stderr, line: line)
}

/// Checks that a child ended by a trap whose message is `words`, and that the chapter's page quotes it.
func assertPageShowsTrap(_ words: String, from result: ProgramResult, line: UInt = #line) throws {
    assertTrap(words, from: result, line: line)
    try assertPageShows(words, line: line)
}

/// Checks that the chapter's page quotes a message.
func assertPageShows(_ words: String, line: UInt = #line) throws {
    let page = try String(contentsOf: projectFolder.appending(path: "Tutorial/3-accessing-data.md"), encoding: .utf8)
    XCTAssert(page.contains("```text\n\(words)\n```"), "the page does not quote: \(words)", line: line)
}
