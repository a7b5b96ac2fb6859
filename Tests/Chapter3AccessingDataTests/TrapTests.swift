import Chapter3AccessingData
import Talloc
import TestSupport
import Tevent
import XCTest

/// What goes wrong in practice: each trap of the chapter's page, as it goes wrong and as it goes right.
final class TrapTests: XCTestCase {
    private let origin = "Chapter3AccessingData/Foo.swift:17"

    // MARK: The wrong type

    func testTheStateOfAnotherTypeTrapsAndNamesBoth() throws {
        let result = try runInChild(self) {
            let request = AnyRequest(try Foo.send(under: TallocContext()))
            print(request.request(expecting: Extra.self).state.y)
        }
        assertTrap(
            "the request made at \(origin) has a state of type 'Foo', and was used as one of 'Extra'; "
                + "look at the type it was made with",
            from: result)
    }

    func testInsistingOnATypeTraps() throws {
        let result = try runInChild(self) {
            let data = try TallocChunk(Extra(y: 9), named: "what I gave")
            print(data.tallocContext.chunk(expecting: Foo.self).value.x)
        }
        assertTrap(
            "'what I gave', a chunk of 'Extra', was used as a chunk of 'Foo'; look at the type it was made with",
            from: result)
    }

    func testTypedDataOfACallbackSetWithoutAnyTraps() throws {
        let result = try runInChild(self) {
            let request = try Foo.send(under: TallocContext())
            request.setCallback { request in print(request.callbackData(of: Extra.self).value.y) }
            request.finish()
        }
        assertTrap(
            "the callback of the request made at \(origin) was set without data; pass it to setCallback(data:_:)",
            from: result)
    }

    // MARK: Data that goes first

    func testDataFreedBeforeTheCallbackTraps() throws {
        let result = try runInChild(self) {
            try withTallocContext { memory in
                // snippet: freed-wrong
                let request = try Foo.send(under: memory)
                try withTallocContext { scratch in
                    let extra = try TallocChunk(Extra(y: 9), under: scratch)
                    request.setCallback(data: extra) { request in
                        print("y is \(request.callbackData(of: Extra.self).value.y)")
                    }
                }
                request.finish()
                // snippet-end: freed-wrong
            }
        }
        XCTAssertEqual(result.stdout.contains("y is"), false)
        try assertPageShowsTrap(
            "the data for the callback of the request made at \(origin) has been freed; "
                + "it stays its owner's, who must keep it as long as the request may call back",
            from: result)
    }

    func testACapturedHandleOfFreedDataTraps() throws {
        let result = try runInChild(self) {
            let request = try Foo.send(under: TallocContext())
            let extra = try TallocChunk(Extra(y: 9))
            request.setCallback { _ in print(extra.value.y) }
            extra.free()
            request.finish()
        }
        assertTrap(
            "TallocChunk<Extra>.value was called on a freed TallocChunk<Extra>; "
                + "a handle does not keep its object alive, ask 'isFreed' first if you cannot know", from: result)
    }

    func testUntypedFreedDataAskedForItsTypeTraps() throws {
        let result = try runInChild(self) {
            let request = try Foo.send(under: TallocContext())
            let extra = try TallocChunk(Extra(y: 9))
            request.setCallback(data: extra) { request in
                print(request.callbackData?.chunk(of: Extra.self)?.value.y ?? 0)
            }
            extra.free()
            request.finish()
        }
        XCTAssert(result.stderr.contains("TallocContext.chunk(of:) was called on a freed TallocContext"), result.stderr)
        XCTAssertNotNil(result.signal)
    }

    // MARK: The state after it was received

    func testTheStateUsedAfterItWasReceivedTraps() throws {
        let result = try runInChild(self) {
            try withTallocContext { memory in
                let request = try Foo.send(under: memory)
                // snippet: received-wrong
                request.finish()
                let result = try request.receive()
                print("\(result), even: \(request.state.x.isMultiple(of: 2))")
                // snippet-end: received-wrong
            }
        }
        XCTAssertEqual(result.stdout.contains("even"), false)
        try assertPageShowsTrap(
            "the state of the request made at \(origin) was used after it was received, which releases the state",
            from: result)
    }

    func testAllThatIsNeededIsTakenOutAtOnce() throws {
        try onBench { bench in
            let request = try bench.request()
            // snippet: received-right
            request.finish()
            let (result, isEven) = try request.receive { foo in (foo.x, foo.x.isMultiple(of: 2)) }
            print("\(result), even: \(isEven)")
            // snippet-end: received-right
            XCTAssertEqual(result, 10)
            XCTAssertTrue(isEven)
        }
    }

    func testAHandleOfTheStateKeptOverReceivingTraps() throws {
        let result = try runInChild(self) {
            let request = try Foo.send(under: TallocContext())
            let state = try request.stateChunk
            request.finish()
            _ = try request.receive()
            print(state.value.x)
        }
        XCTAssertNotNil(result.signal)
        XCTAssert(result.stderr.contains("TallocChunk<Foo>.value was called on a freed TallocChunk<Foo>"))
    }

    func testTheStateUsedWhileItIsBeingChangedTraps() throws {
        let result = try runInChild(self) {
            let request = try Foo.send(under: TallocContext())
            func change(_ x: inout Int) { x += request.state.x }
            change(&request.state.x)
        }
        assertTrap("the state of the request made at \(origin) was used while it was being changed", from: result)
    }

    // MARK: An object that waits for itself

    // snippet: session
    /// Owns memory, and frees it when it is deinitialised.
    private final class Session {
        let memory: TallocContext
        var answer: Int?

        init() throws { memory = try TallocContext(named: "session") }

        deinit { memory.free() }
    }
    // snippet-end: session

    func testAnObjectThatOwnsTheRequestThatKeepsItStaysUntilTheRequestEnds() throws {
        // snippet: cycle-wrong
        func ask(_ session: Session) throws -> Request<Foo> {
            let request = try Foo.send(under: session.memory)
            request.setCallback { request in session.answer = request.state.x }
            return request
        }
        // snippet-end: cycle-wrong
        let request = try ask(Session())
        XCTAssertFalse(request.isFreed, "only the request holds the session, and it still exists")
        request.finish()
        XCTAssertTrue(request.isFreed, "once called, the callback releases the session")
    }

    func testAWeakReferenceReleasesTheObject() throws {
        // snippet: cycle-right
        func ask(_ session: Session) throws -> Request<Foo> {
            let request = try Foo.send(under: session.memory)
            request.setCallback { [weak session] request in session?.answer = request.state.x }
            return request
        }
        // snippet-end: cycle-right
        let request = try ask(Session())
        XCTAssertTrue(request.isFreed)

        let session = try Session()
        try ask(session).finish()
        XCTAssertEqual(session.answer, 10)
    }
}
