import CLinux
import Foundation
import Talloc
import TestSupport
import XCTest

@testable import Tevent

/// Cascades of any depth: each callback runs inside the call that ends its request, on more stack where the thread's
/// runs low.
final class RequestDepthTests: EngineTestCase {
    /// Requests, each below another; the end of the innermost goes up through all of them.
    private static func runCascade(
        depth: Int = levels(10_000), ending: (Request<Work>) -> Void
    ) throws -> (calls: Int, outcome: String) {
        var calls = 0
        var outcome = ""
        try withTallocContext { root in
            let top = try Request(Work(), under: root)
            top.setCallback { request in
                calls += 1
                outcome = request.outcome()
            }
            var request = top
            for _ in 1..<depth {
                let above = request
                let below = try Request(Work(), under: above)
                below.setCallback { below in
                    calls += 1
                    guard let answer = above.attempt({ try below.receive { $0.answer } }) else { return }
                    below.free()
                    above.state.answer = answer + 1
                    above.finish()
                }
                request = below
            }
            ending(request)
        }
        return (calls, outcome)
    }

    func testTenThousandNestedRequestsThatFinishNeedNoDeepStack() throws {
        let (calls, outcome) = try Self.runCascade { $0.finish() }
        XCTAssertEqual(calls, levels(10_000))
        XCTAssertEqual(outcome, "\(levels(10_000) - 1)")
    }

    func testTenThousandNestedRequestsThatFailNeedNoDeepStack() throws {
        let (calls, outcome) = try Self.runCascade { $0.fail(code: 17) }
        XCTAssertEqual(calls, levels(10_000))
        XCTAssertEqual(outcome, "the request failed with error code 17")
    }

    func testAThreadWithASmallStackIsEnoughForThem() throws {
        try onSmallStack {
            for _ in 0..<2 {
                XCTAssertEqual(try Self.runCascade { $0.finish() }.calls, levels(10_000))
                XCTAssertEqual(try Self.runCascade { $0.fail(Oops()) }.calls, levels(10_000))
            }
        }
    }

    func testAHundredThousandAreNoDifferentFromTen() throws {
        try onSmallStack {
            let (calls, outcome) = try Self.runCascade(depth: levels(100_000)) { $0.finish() }
            XCTAssertEqual(calls, levels(100_000))
            XCTAssertEqual(outcome, "\(levels(100_000) - 1)")
        }
    }

    func testCallbacksRunInsideWhatEndsTheRequestAtAnyDepth() throws {
        for depth in [0, 1, 100, levels(20_000)] {
            try onSmallStack {
                try withTallocContext { root in
                    var notes: [String] = []
                    insideCallbacks(depth, under: root) {
                        let request = sure { try Request(Work(), under: root) }
                        request.setCallback { _ in notes.append("callback") }
                        request.finish()
                        notes.append("finish has returned")
                    }
                    XCTAssertEqual(notes, ["callback", "finish has returned"], "\(depth) deep")
                }
            }
        }
    }

    func testTheOrderOfCallbacksIsTheSameAtAnyDepth() throws {
        try onSmallStack {
            try withTallocContext { root in
                var notes: [Int] = []
                var request = try Request(Work(answer: 0), under: root)
                request.setCallback { notes.append($0.state.answer) }
                for level in 1..<5_000 {
                    let above = request
                    request = try Request(Work(answer: level), under: root)
                    request.setCallback { request in
                        notes.append(level)
                        let sibling = sure { try Request(Work(answer: -level), under: root) }
                        sibling.setCallback { notes.append($0.state.answer) }
                        sibling.finish()
                        above.finish()
                    }
                }
                request.finish()
                XCTAssertEqual(notes, (1..<5_000).reversed().flatMap { [$0, -$0] } + [0])
            }
        }
    }

    func testALoopRunsInACallbackThatIsDeep() throws {
        try onBothBackends { events, _ in
            var outcome: LoopResult?
            insideCallbacks(5_000, under: events) {
                let above = sure { try Request(Work(), under: events) }
                let below = sure { try Request(Work(), under: above) }
                below.setCallback { _ in above.finish() }
                schedule(on: events) { below.finish() }
                outcome = sure { try above.poll(on: events) }
            }
            XCTAssertEqual(outcome, .finished)
        }
    }

    func testARequestThatEndsDeepInCallbacksMayBelongToAnotherThreadNext() throws {
        let calls = SharedCount()
        try Self.endAndGiveAway(100, calls)
        XCTAssertEqual(calls.value, 101)
    }

    /// Ends a request whose callback does the same; the thread keeps nothing of it, so that another thread may free it.
    private static func endAndGiveAway(_ depth: Int, _ calls: SharedCount) throws {
        let root = try TallocContext()
        let request = try Request(Work(), under: root)
        request.setCallback { _ in
            calls.add()
            if depth > 0 { sure { try endAndGiveAway(depth - 1, calls) } }
        }
        request.finish()
        try SystemThread(named: "other") { _ = root.free() }.join()
    }

    func testCallbacksWithoutEndAreATrapThatSaysSo() throws {
        let result = try runInChild(self) {
            clinux_limit_stack(3)
            func endless(_ request: Request<Work>) {
                let next = sure { try Request(Work(), under: request) }
                next.setCallback(endless)
                next.finish()
            }
            let first = try Request(Work(), under: TallocContext())
            first.setCallback(endless)
            first.finish()
        }
        // The thread sanitizer remembers fewer calls than there is stack for, and ends the program first.
        guard levels(100_000) == 100_000 else { return XCTAssertNotEqual(result.exitCode, 0) }
        assertTrapped(result, saying: "callbacks that call each other without end")
    }
}
