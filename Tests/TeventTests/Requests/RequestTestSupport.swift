import CTestSupport
import Talloc
import Tevent
import XCTest

/// A state for requests whose work does not matter.
struct Work {
    var answer = 0
    var token: Token?
}

/// A program's own error.
struct Oops: Error, Equatable { var reason = "why not" }

extension Request<Work> {
    /// The outcome of the request: the answer, or the error as text.
    func outcome() -> String {
        do { return "\(try receive { $0.answer })" } catch { return "\(error)" }
    }
}

/// Runs a body inside `count` nested callbacks of requests.
func insideCallbacks(_ count: Int, under parent: some TallocObject, _ body: @escaping () -> Void) {
    guard count > 0 else { return body() }
    let request = sure { try Request(Work(), under: parent) }
    request.setCallback { request in
        request.free()
        insideCallbacks(count - 1, under: parent, body)
    }
    request.finish()
}

/// Runs a body on a thread with half a megabyte of stack.
func onSmallStack(_ body: @escaping () throws -> Void) throws {
    XCTAssertEqual(test_set_stack_size(512 * 1024), 0)
    defer { test_set_stack_size(8 * 1024 * 1024) }
    nonisolated(unsafe) let body = body
    try SystemThread(named: "small stack") { try body() }.join()
}
