import Chapter1ContextAndLoops
import Chapter4Requests
import Talloc
import Tevent
import XCTest

/// What the chapter offers to later ones.
final class ModuleTests: XCTestCase {
    private struct Foo {}

    // MARK: The call trace

    func testATraceKnowsEachCallItsCallerAndItsDepth() throws {
        let trace = CallTrace(clock: ManualClock())
        trace.enter("outer", from: "main")
        trace.enter("middle")
        trace.enter("inner")
        for _ in 1...3 { trace.leave() }
        trace.enter("handler")
        trace.leave()
        XCTAssertEqual(trace.calls.map(\.name), ["outer", "middle", "inner", "handler"])
        XCTAssertEqual(trace.calls.map(\.caller), ["main", "outer", "middle", "the loop"])
        XCTAssertEqual(trace.calls.map(\.depth), [0, 1, 2, 0])
        XCTAssertEqual(trace.calls.map(\.begin), [1, 2, 3, 7])
        XCTAssertEqual(trace.calls.map(\.end), [6, 5, 4, 8])
        let underWay = [nil, "outer", "middle", "inner", "middle", "outer", nil, "handler", nil]
        XCTAssertEqual((0...8).map { trace.function(after: $0) }, underWay)
    }

    func testATraceKnowsInWhichFunctionARequestWasMadeEndedAndFreed() throws {
        try onEachBackend { bench in
            let trace = CallTrace(clock: bench.clock)
            trace.enter("make", from: "main")
            let request = try Request(Foo(), under: bench.memory)
            trace.watch(request, as: "foo", on: bench.events)
            let below = try Request(Foo(), under: request)
            trace.watch(below, as: "bar", on: bench.events)
            trace.leave()
            // Time may also pass between the steps.
            bench.clock.advance(by: .seconds(10))
            trace.enter("end", from: "main")
            below.finish()
            request.fail(Oops())
            trace.leave()
            trace.enter("free", from: "main")
            below.free()
            trace.leave()
            XCTAssertEqual(
                trace.lifeTable,
                """
                request  under  made in  ended in  freed in
                foo      test   make     end       -
                bar      foo    make     end       free
                """)
            XCTAssertEqual(
                trace.callTable,
                """
                function  called by  requests when it begins  when it returns
                make      main       -                        foo, bar
                end       main       foo, bar                 foo, bar
                free      main       foo, bar                 foo
                """)
            XCTAssertEqual(trace.lives.map(\.depth), [0, 1])
        }
    }

    func testThePictureDrawsEachCallAndEachLifeAndDescribesThem() throws {
        try onEachBackend { bench in
            let trace = CallTrace(clock: bench.clock)
            trace.enter("foo <send>", from: "main")
            let request = try Request(Foo(), under: bench.memory)
            trace.watch(request, as: "foo", on: bench.events)
            trace.leave()
            trace.enter("foo done")
            request.finish()
            trace.leave()
            let svg = CascadePicture(of: trace).svg
            for part in [
                ">foo &lt;send&gt;</text>", ">foo done</text>", ">foo, under test</text>", ">the loop waits</text>",
                "main calls foo &lt;send&gt;, the loop calls foo done", "prefers-color-scheme: dark",
            ] {
                XCTAssert(svg.contains(part), "\(part) is not in \(svg)")
            }
            XCTAssertEqual(svg.components(separatedBy: "class=\"color0\"").count - 1, 3, "two calls and a life")
        }
    }

    // MARK: Finding requests

    func testRequestsInProgressAreFoundAtAnyDepthAndOthersAreNot() throws {
        try onEachBackend { bench in
            let outer = try Request(Foo(), under: bench.memory)
            let session = try TallocContext(under: outer, named: "session")
            let inner = try Delay.send(.seconds(1), on: bench.events, under: session)
            let ended = try Request(Foo(), under: bench.memory)
            ended.finish()
            let belowEnded = try Request(Foo(), under: ended)
            XCTAssertEqual(
                requestsInProgress(below: bench.memory),
                [AnyRequest(outer), AnyRequest(inner), AnyRequest(belowEnded)])
            XCTAssertEqual(requestsInProgress(below: inner), [AnyRequest(inner)])
            outer.free()
            XCTAssertEqual(requestsInProgress(below: bench.memory), [AnyRequest(belowEnded)])
        }
    }
}
