import Foundation
import Talloc
import XCTest

@testable import Tevent

/// Cascades of any depth: callbacks nest only so far, and those beyond are noted and called a little later.
final class RequestDepthTests: EngineTestCase {
    /// Ten thousand requests, each under the one above it; how the innermost ends goes up through all of them.
    private static func runCascade(ending: (Request<Work>) -> Void) throws -> (calls: Int, outcome: String) {
        var calls = 0
        var outcome = ""
        try withTallocContext { root in
            let top = try Request(Work(), under: root)
            top.setCallback { request in
                calls += 1
                outcome = request.outcome()
            }
            var request = top
            for _ in 1..<10_000 {
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
        XCTAssertEqual(calls, 10_000)
        XCTAssertEqual(outcome, "9999")
    }

    func testTenThousandNestedRequestsThatFailNeedNoDeepStack() throws {
        let (calls, outcome) = try Self.runCascade { $0.fail(code: 17) }
        XCTAssertEqual(calls, 10_000)
        XCTAssertEqual(outcome, "the request failed with error code 17")
    }

    func testAThreadWithASmallStackIsEnoughForThem() throws {
        let ended = DispatchSemaphore(value: 0)
        let thread = Thread {
            for _ in 0..<2 {
                XCTAssertEqual(try? Self.runCascade { $0.finish() }.calls, 10_000)
                XCTAssertEqual(try? Self.runCascade { $0.fail(Oops()) }.calls, 10_000)
            }
            ended.signal()
        }
        thread.stackSize = 512 * 1024
        thread.start()
        XCTAssertEqual(ended.wait(timeout: .now() + 60), .success)
    }

    func testCallbacksRunInsideWhatEndsTheRequestUpToTheLimitAndAfterItBeyond() throws {
        for (depth, isInside) in [(CallbackDepth.limit - 1, true), (CallbackDepth.limit, false)] {
            try withTallocContext { root in
                var notes: [String] = []
                insideCallbacks(depth, under: root) {
                    let request = sure { try Request(Work(), under: root) }
                    request.setCallback { _ in notes.append("callback") }
                    request.finish()
                    notes.append("finish has returned")
                }
                XCTAssertEqual(
                    notes, isInside ? ["callback", "finish has returned"] : ["finish has returned", "callback"])
            }
        }
    }

    func testNotedCallbacksRunInTheOrderTheRequestsEnded() throws {
        try withTallocContext { root in
            var notes: [Int] = []
            insideCallbacks(CallbackDepth.limit, under: root) {
                for number in 0..<5 {
                    let request = sure { try Request(Work(answer: number), under: root) }
                    request.setCallback { request in
                        notes.append(request.state.answer)
                        guard number < 3 else { return }
                        let next = sure { try Request(Work(answer: number + 10), under: root) }
                        next.setCallback { notes.append($0.state.answer) }
                        next.finish()
                    }
                    request.finish()
                }
            }
            XCTAssertEqual(notes, [0, 1, 2, 3, 4, 10, 11, 12])
        }
    }

    func testTheOrderOfCallbacksIsTheSameAtAnyDepth() throws {
        try withTallocContext { root in
            var notes: [Int] = []
            var request = try Request(Work(answer: 0), under: root)
            request.setCallback { notes.append($0.state.answer) }
            for level in 1..<200 {
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
            XCTAssertEqual(notes, (1..<200).reversed().flatMap { [$0, -$0] } + [0])
        }
    }

    func testARequestThatIsFreedReceivedOrPostedWhileNotedIsForgotten() throws {
        try onBothBackends { events, _ in
            var notes: [String] = []
            insideCallbacks(CallbackDepth.limit, under: events) {
                let requests = ["freed", "received", "posted", "noted"].map { name in
                    let request = sure { try Request(Work(), under: events) }
                    request.setCallback { _ in notes.append(name) }
                    request.finish()
                    return request
                }
                requests[0].free()
                requests[1].received()
                requests[2].post(on: events)
            }
            XCTAssertEqual(notes, ["noted"])
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["noted", "posted"])
        }
    }

    func testANotedRequestMayStillGetAnotherCallback() throws {
        try withTallocContext { root in
            var notes: [String] = []
            insideCallbacks(CallbackDepth.limit, under: root) {
                let request = sure { try Request(Work(), under: root) }
                request.setCallback { _ in notes.append("first") }
                request.finish()
                request.setCallback { _ in notes.append("second") }
            }
            XCTAssertEqual(notes, ["second"])
        }
    }

    func testProgressThatIsNotedIsToldWithTheEnd() throws {
        try withTallocContext { root in
            var notes: [String] = []
            insideCallbacks(CallbackDepth.limit, under: root) {
                let request = sure { try Request(Work(), under: root) }
                request.setCallback { notes.append("\($0.status)") }
                request.notify()
                request.notify()
                request.finish()
            }
            XCTAssertEqual(notes, ["done"])
        }
    }

    func testProgressThatIsNotedIsTold() throws {
        try withTallocContext { root in
            var notes: [String] = []
            insideCallbacks(CallbackDepth.limit, under: root) {
                let request = sure { try Request(Work(), under: root) }
                request.setCallback { notes.append("\($0.status)") }
                request.notify()
                request.notify()
            }
            XCTAssertEqual(notes, ["in progress"])
        }
    }

    // MARK: Loops inside callbacks

    func testALoopInACallbackAtTheLimitRunsCallbacksAtOnce() throws {
        try onBothBackends { events, _ in
            var outcome: LoopResult?
            insideCallbacks(CallbackDepth.limit, under: events) {
                let above = sure { try Request(Work(), under: events) }
                let below = sure { try Request(Work(), under: above) }
                below.setCallback { _ in above.finish() }
                schedule(on: events) { below.finish() }
                outcome = sure { try above.poll(on: events) }
            }
            XCTAssertEqual(outcome, .finished)
        }
    }

    func testALoopInACallbackAtTheLimitDoesNotWaitForANotedOne() throws {
        try onBothBackends { events, _ in
            var outcome: LoopResult?
            insideCallbacks(CallbackDepth.limit, under: events) {
                let above = sure { try Request(Work(), under: events) }
                let below = sure { try Request(Work(), under: above) }
                below.setCallback { _ in above.finish() }
                below.finish()
                XCTAssertEqual(above.status, .inProgress)
                outcome = sure { try above.poll(on: events) }
            }
            XCTAssertEqual(outcome, .finished)
        }
    }

    func testANotedCallbackMayFreeTheContextWhoseLoopBegins() throws {
        try onBothBackends { events, _ in
            try withTallocContext { root in
                var outcome: LoopResult?
                insideCallbacks(CallbackDepth.limit, under: root) {
                    let request = sure { try Request(Work(), under: root) }
                    request.setCallback { _ in events.free() }
                    request.finish()
                    outcome = sure { try events.loopWait() }
                }
                XCTAssertEqual(outcome, .contextFreed)
            }
        }
    }

    func testCallbacksNestAsBeforeWhenTheLoopInsideThemHasEnded() throws {
        try onBothBackends { events, _ in
            var notes: [String] = []
            insideCallbacks(CallbackDepth.limit, under: events) {
                XCTAssertEqual(sure { try events.loopWait() }, .noEvents)
                let request = sure { try Request(Work(), under: events) }
                request.setCallback { _ in notes.append("callback") }
                request.finish()
                notes.append("finish has returned")
            }
            XCTAssertEqual(notes, ["finish has returned", "callback"])
        }
    }

    func testADeepCascadeRunsInALoopInsideACallbackAtTheLimit() throws {
        try onBothBackends { events, _ in
            var calls = 0
            insideCallbacks(CallbackDepth.limit, under: events) {
                schedule(on: events) { calls = sure { try Self.runCascade { $0.finish() }.calls } }
                XCTAssertEqual(sure { try events.loopWait() }, .noEvents)
            }
            XCTAssertEqual(calls, 10_000)
        }
    }
}
