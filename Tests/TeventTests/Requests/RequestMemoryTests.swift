import Talloc
import Tevent
import XCTest

/// What owns what: chunks, subrequests, closures; anything may be freed in any function of a request.
final class RequestMemoryTests: EngineTestCase {
    func testARequestAndItsStateAreOneChunkWithBothTheirNames() throws {
        try withTallocContext(named: "root") { root in
            let request = try Request(Work(), under: root)
            _ = try Request(["a"], under: request)
            XCTAssertEqual(
                root.report().drawing(.names),
                """
                root
                └─ struct tevent_req: Work
                   └─ struct tevent_req: Array<String>
                """)
            XCTAssertEqual(request.name, "struct tevent_req")
        }
    }

    func testAStateThatFindsNoMemoryIsReleased() throws {
        try withTallocContext { root in
            weak var held: Token?
            try root.setMemoryLimit(bytes: 1)
            do {
                let token = Token()
                held = token
                assertThrows(.outOfMemory(name: "struct tevent_req"), try Request(Work(token: token), under: root))
            }
            XCTAssertNil(held)
            XCTAssertEqual(root.totalBlocks, 1)
        }
    }

    // MARK: Room for subrequests

    private func address(of request: some RequestProtocol) throws -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(try XCTUnwrap(request.tallocHandle.record(as: RequestRecord.self)))
    }

    func testASubrequestLiesInTheMemoryOfARequestWithRoomAndLeavesItToTheNext() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root, subrequests: 1)
            let first = try Request("first", under: request)
            let place = try address(of: first)
            XCTAssertTrue((0..<1024).contains(place - (try address(of: request))), "\(place)")
            for number in 2...50 {
                try XCTUnwrap(AnyRequest(try XCTUnwrap(request.children.first))).free()
                XCTAssertEqual(try address(of: try Request(number, under: request)), place)
            }
            XCTAssertEqual(root.totalBlocks, 3)
            request.free()
            XCTAssertEqual(root.totalBlocks, 1)
        }
    }

    func testMoreSubrequestsThanThereIsRoomForGetMemoryOfTheirOwn() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root, subrequests: 2)
            let tokens = Tokens()
            let many = try (0..<10).map { _ in try Request(Tokens.Token(tokens), under: request) }
            XCTAssertEqual(Set(try many.map { try address(of: $0) }).count, 10)
            XCTAssertEqual(tokens.alive, 10)
            request.free()
            XCTAssertEqual(tokens.alive, 0)
        }
    }

    func testASubrequestThatMovesAwayOutlivesTheRequestWithTheRoom() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root, subrequests: 1)
            let moved = try Request(["still", "here"], under: request)
            moved.move(under: root)
            request.free()
            XCTAssertEqual(moved.state, ["still", "here"])
            moved.finish()
            XCTAssertEqual(try moved.receive(), ["still", "here"])
        }
    }

    func testRoomThatThereIsNoMemoryForIsAnError() throws {
        try withTallocContext { root in
            try root.setMemoryLimit(bytes: 20_000)
            assertThrows(
                .outOfMemory(name: "struct tevent_req"), try Request(Work(), under: root, subrequests: 1_000))
            XCTAssertEqual(root.totalBlocks, 1)
            _ = try Request(Work(), under: root, subrequests: 1)
        }
    }

    func testMemoryLimitsCountTheRoomOfEveryRequest() throws {
        try withTallocContext { root in
            try root.setMemoryLimit(bytes: 100_000)
            _ = try Request(Work(), under: root, subrequests: 100)
            assertThrows(.outOfMemory(name: "struct tevent_req"), try Request(Work(), under: root, subrequests: 200))
            _ = try Request(Work(), under: root)
            assertThrows(.outOfMemory(name: "struct tevent_req"), try Request(Work(), under: root, subrequests: 200))
        }
    }

    // MARK: What is below

    func testReceivingFreesTheStateAndTheSubrequestsAndKeepsTheRequest() throws {
        try withTallocContext { root in
            weak var held: Token?
            let request = try Request(Work(), under: root)
            do {
                let token = Token()
                held = token
                request.state.token = token
            }
            let below = try Request(Work(), under: request)
            let deeper = try Request(Work(), under: below)
            request.finish()
            XCTAssertFalse(deeper.isFreed)
            XCTAssertNotNil(held)
            XCTAssertEqual(request.outcome(), "0")
            XCTAssertTrue(below.isFreed && deeper.isFreed)
            XCTAssertNil(held)
            XCTAssertFalse(request.isFreed)
            XCTAssertEqual(root.totalBlocks, 2)
        }
    }

    func testAFreedParentTakesAHundredSubrequestsInFlightAlong() throws {
        try onBothBackends { events, clock in
            try withTallocContext { root in
                var alive = 0
                var cleanups = 0
                let parent = try Request(Work(), under: root)
                for number in 0..<100 {
                    alive += 1
                    let token = Token { alive -= 1 }
                    let request = try Request(Work(token: token), under: parent)
                    request.setCleanup { _, _ in cleanups += 1 }
                    request.setCallback { _ in withExtendedLifetime(token) { XCTFail("it was freed") } }
                    switch number % 4 {
                    case 0: try request.setEndTime(after: .seconds(1), on: events)
                    case 1: try events.addTimer(after: .seconds(1), under: request) { _, _ in request.finish() }
                    case 2: request.deferCallback(on: events)
                    default: break
                    }
                    if number % 4 == 2 { request.finish() }
                }
                XCTAssertTrue(events.hasEvents)
                parent.free()
                XCTAssertFalse(events.hasEvents)
                XCTAssertEqual(cleanups, 125, "cleanup ran twice for those that had ended")
                XCTAssertEqual(alive, 0)
                XCTAssertEqual(root.totalBlocks, 1)
                clock.advance(by: .seconds(1))
                XCTAssertEqual(try events.loopWait(), .noEvents)
            }
        }
    }

    func testAFreedContextLeavesRequestsThatAreNotBelowIt() throws {
        try onBothBackends { events, _ in
            try withTallocContext { root in
                let request = try Request(Work(answer: 4), under: root)
                try request.setEndTime(after: .zero, on: events)
                request.deferCallback(on: events)
                events.free()
                request.finish()
                XCTAssertEqual(request.outcome(), "4")
            }
        }
    }

    // MARK: What a request owns

    /// An error whose release can be seen.
    private struct TokenError: Error {
        nonisolated(unsafe) let token: Token
    }

    /// Tests each property separately: a request checks what it owns before it releases anything.
    func testAFreedRequestReleasesWhateverItOwns() throws {
        let givers: [(String, (Request<Work>, Token) -> Void)] = [
            ("callback", { request, token in request.setCallback { _ in withExtendedLifetime(token) {} } }),
            ("cleanup", { request, token in request.setCleanup { _, _ in withExtendedLifetime(token) {} } }),
            ("error", { request, token in request.fail(TokenError(token: token)) }),
            ("state", { request, token in request.state.token = token }),
        ]
        for (owned, give) in givers {
            try withTallocContext { root in
                var ends = 0
                let request = try Request(Work(), under: root)
                do {
                    let token = Token { ends += 1 }
                    give(request, token)
                }
                XCTAssertEqual(ends, 0, owned)
                request.free()
                XCTAssertEqual(ends, 1, owned)
            }
        }
    }

    // MARK: Freeing in the functions of a request

    func testTheParentMayBeFreedInACallback() throws {
        try withTallocContext { root in
            let parent = try Request(Work(), under: root)
            let request = try Request(Work(), under: parent)
            request.setCallback { _ in parent.free() }
            request.finish()
            XCTAssertTrue(request.isFreed && parent.isFreed)
            XCTAssertEqual(root.totalBlocks, 1)
        }
    }

    func testTheContextMayBeFreedInACallback() throws {
        try onBothBackends { events, _ in
            let request = try Request(Work(), under: events)
            request.finish()
            request.post(on: events).setCallback { _ in events.free() }
            XCTAssertEqual(try events.loopWait(), .contextFreed)
            XCTAssertTrue(request.isFreed)
        }
    }

    func testARequestMayBeFreedInItsCancelFunction() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            request.setCancel { $0.free() }
            XCTAssertTrue(request.cancel())
            XCTAssertTrue(request.isFreed)
        }
    }

    func testARequestMayBeFreedWhenItReportsProgress() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            request.setCallback { $0.free() }
            request.notify()
            XCTAssertEqual(root.totalBlocks, 1)
        }
    }

    // MARK: Freeing in a deinit

    func testAFreeWhileTheRequestIsReceivedWaitsUntilItIs() throws {
        try withTallocContext { root in
            var freed: Bool?
            let request = try Request(Work(), under: root)
            do {
                let token = Token()
                token.onEnd = {
                    freed = request.free()
                    XCTAssertFalse(request.isFreed, "its memory is still in use")
                }
                request.state.token = token
            }
            request.discard()
            XCTAssertEqual(freed, false)
            XCTAssertTrue(request.isFreed)
        }
    }

    /// Holds a request and frees it when it is deinitialised, and notes that.
    private func freeing(_ object: some TallocObject, _ note: @escaping () -> Void = {}) -> Token {
        let token = Token()
        token.onEnd = {
            note()
            if !object.isFreed { object.free() }
        }
        return token
    }

    func testWhatTheStateHeldMayFreeTheRequestThatIsReceived() throws {
        try withTallocContext { root in
            var ends = 0
            let request = try Request(Work(), under: root)
            request.state.token = freeing(request) { ends += 1 }
            let below = try Request(Work(), under: request)
            below.state.token = freeing(request) { ends += 1 }
            request.finish()
            XCTAssertEqual(request.outcome(), "0")
            XCTAssertTrue(request.isFreed)
            XCTAssertEqual(ends, 2)
            XCTAssertEqual(root.totalBlocks, 1)
        }
    }

    func testWhatTheStateHeldMayFreeTheParentOfTheRequestThatIsReceived() throws {
        try withTallocContext { root in
            let parent = try Request(Work(), under: root)
            let request = try Request(Work(), under: parent)
            request.state.token = freeing(parent)
            request.discard()
            XCTAssertTrue(request.isFreed && parent.isFreed)
            XCTAssertEqual(root.totalBlocks, 1)
        }
    }

    func testWhatTheStateHeldMayFreeTheRequestThatIsFreed() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            request.state.token = freeing(request)
            XCTAssertTrue(request.free())
            XCTAssertEqual(root.totalBlocks, 1)
        }
    }

    func testWhatAStateHeldMayFreeTheRequestWhoseStateIsReplaced() throws {
        try withTallocContext { root in
            var ends: [String] = []
            func token(_ name: String) -> Token {
                let token = Token { ends.append(name) }
                return token
            }
            let request = try Request([Token()], under: root)
            let pair = try Request((Token(), Token()), under: request)
            pair.state = (freeing(request) { ends.append("first") }, token("second"))
            pair.state = (token("third"), token("fourth"))
            XCTAssertTrue(pair.isFreed)
            XCTAssertEqual(ends.sorted(), ["first", "fourth", "second", "third"])
            XCTAssertEqual(root.totalBlocks, 1)
        }
    }

    func testWhatACallbackHeldMayFreeTheRequestWhenItIsReplacedCalledReceivedOrFreed() throws {
        let ways: [(Request<Work>) -> Void] = [
            { $0.setCallback { _ in } }, { $0.finish() }, { $0.discard() }, { $0.free() },
        ]
        for (number, way) in ways.enumerated() {
            try withTallocContext { root in
                var ends = 0
                let request = try Request(Work(), under: root)
                do {
                    let token = freeing(request) { ends += 1 }
                    request.setCallback { _ in withExtendedLifetime(token) {} }
                }
                XCTAssertEqual(ends, 0)
                way(request)
                XCTAssertEqual(ends, 1, "way \(number)")
                XCTAssertTrue(request.isFreed, "way \(number)")
                XCTAssertEqual(root.totalBlocks, 1, "way \(number)")
            }
        }
    }

    func testWhatTheOtherFunctionsHeldMayFreeTheRequestWhenTheyAreReplaced() throws {
        try withTallocContext { root in
            let ways: [(set: (Request<Work>, Token) -> Void, reset: (Request<Work>) -> Void)] = [
                (
                    { request, token in request.setCancel { _ in withExtendedLifetime(token) { true } } },
                    { $0.setCancel(nil) }
                ),
                (
                    { request, token in request.setCleanup { _, _ in withExtendedLifetime(token) {} } },
                    { $0.setCleanup(nil) }
                ),
                (
                    { request, token in request.setPrint { _ in withExtendedLifetime(token) { "" } } },
                    { $0.setPrint(nil) }
                ),
            ]
            for way in ways {
                let request = try Request(Work(), under: root)
                way.set(request, freeing(request))
                XCTAssertFalse(request.isFreed)
                way.reset(request)
                XCTAssertTrue(request.isFreed)
                XCTAssertEqual(root.totalBlocks, 1)
            }
        }
    }

    // MARK: Closures

    func testACallbackIsReleasedAsSoonAsItHasBeenCalled() throws {
        try withTallocContext { root in
            var ends = 0
            let request = try Request(Work(), under: root)
            do {
                let token = Token { ends += 1 }
                request.setCallback { _ in withExtendedLifetime(token) { XCTAssertEqual(ends, 0) } }
            }
            request.notify()
            XCTAssertEqual(ends, 0, "it may be called again")
            request.finish()
            XCTAssertEqual(ends, 1)
            XCTAssertFalse(request.isFreed)
        }
    }

    func testTheOtherFunctionsAreReleasedOnceWithTheRequest() throws {
        try withTallocContext { root in
            var ends = 0
            let request = try Request(Work(), under: root)
            do {
                let token = Token { ends += 1 }
                request.setCancel { _ in withExtendedLifetime(token) { true } }
                request.setCleanup { _, _ in withExtendedLifetime(token) {} }
                request.setPrint { _ in withExtendedLifetime(token) { "" } }
            }
            request.finish()
            request.discard()
            XCTAssertEqual(ends, 0)
            request.free()
            XCTAssertEqual(ends, 1)
        }
    }

    func testTheErrorIsReleasedWithTheRequest() throws {
        struct Heavy: Error, @unchecked Sendable { let token: Token }
        try withTallocContext { root in
            var ends = 0
            let request = try Request(Work(), under: root)
            do {
                let token = Token { ends += 1 }
                request.fail(Heavy(token: token))
            }
            XCTAssertEqual(ends, 0)
            request.free()
            XCTAssertEqual(ends, 1)
        }
    }

    func testHandlesAreStaleBeforeTheDeinitOfWhatTheRequestHolds() throws {
        try withTallocContext { root in
            var wasFreed: [Bool] = []
            let request = try Request(Work(), under: root)
            do {
                let token = Token { wasFreed.append(request.isFreed) }
                request.setCallback { _ in withExtendedLifetime(token) {} }
                let other = Token()
                other.onEnd = { wasFreed.append(request.isFreed) }
                request.state.token = other
            }
            request.free()
            XCTAssertEqual(wasFreed, [true, true])
        }
    }
}
