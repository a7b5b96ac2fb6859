import Chapter3AccessingData
import Talloc
import Tevent
import XCTest

/// What closures capture: what keeps it alive, and until when.
final class CapturedDataTests: XCTestCase {
    /// Sets a callback that holds the only reference to a witness.
    private func setKeepingCallback(_ request: Request<Foo>, _ bench: Bench) {
        let witness = bench.witness()
        request.setCallback { _ in bench.log.add("callback", "with \(witness.name)") }
    }

    func testAnObjectIsKeptUntilTheCallbackHasBeenCalled() throws {
        try onBench { bench in
            let request = try bench.request()
            setKeepingCallback(request, bench)
            XCTAssertEqual(bench.gone, [])
            request.finish()
            XCTAssertEqual(bench.gone, ["callback", "witness"])
            XCTAssertFalse(request.isFreed)
        }
    }

    func testAnObjectGoesWithAFreedRequest() throws {
        try onBench { bench in
            let request = try bench.request()
            setKeepingCallback(request, bench)
            request.free()
            XCTAssertEqual(bench.gone, ["witness"])
        }
    }

    func testAnObjectGoesWhenAnotherCallbackIsSet() throws {
        try onBench { bench in
            let request = try bench.request()
            setKeepingCallback(request, bench)
            request.setCallback { _ in }
            XCTAssertEqual(bench.gone, ["witness"])
        }
    }

    func testAnObjectGoesWhenTheRequestIsReceivedUncalled() throws {
        try onBench { bench in
            let request = try bench.request()
            setKeepingCallback(request, bench)
            request.discard()
            XCTAssertEqual(bench.gone, ["witness"])
        }
    }

    func testAPostedRequestKeepsTheObjectUntilTheLoopHasCalled() throws {
        try onEachBackend { bench, events in
            let request = try bench.request()
            request.finish()
            request.post(on: events)
            setKeepingCallback(request, bench)
            XCTAssertEqual(bench.gone, [])
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(bench.gone, ["callback", "witness"])
        }
    }

    func testACapturedVariableIsSharedAndNotCopied() throws {
        try onBench { bench in
            var ended = 0
            let requests = [try bench.request(), try bench.request()]
            for request in requests { request.setCallback { _ in ended += 1 } }
            for request in requests { request.finish() }
            XCTAssertEqual(ended, 2)
        }
    }

    func testACapturedHandleKeepsNothing() throws {
        try onBench { bench in
            let data = try TallocChunk(bench.witness(), under: bench.memory)
            let request = try bench.request()
            var wasFreed: Bool?
            request.setCallback { _ in wasFreed = data.isFreed }
            data.free()
            XCTAssertEqual(bench.gone, ["witness"])
            request.finish()
            XCTAssertEqual(wasFreed, true)
        }
    }

    func testARequestAndACallbackThatCapturedItAreNoCycle() throws {
        try onBench { bench in
            let request = try bench.request()
            func setCallback(keeping witness: Witness) {
                request.setCallback { _ in bench.log.add("callback", "\(request.status), \(witness.name)") }
            }
            setCallback(keeping: bench.witness())
            XCTAssertEqual(bench.gone, [])
            bench.memory.freeChildren()
            XCTAssertEqual(bench.gone, ["witness"])
        }
    }
}

/// The private data of events: what a handler captures.
final class EventDataTests: XCTestCase {
    func testATimerKeepsWhatItsHandlerCapturedUntilItHasRunForTheLastTime() throws {
        try onEachBackend { bench, events in
            var runs = 0
            func add(_ witness: Witness) throws {
                try events.addTimer(after: .zero) { timer, _ in
                    bench.log.add("timer", "with \(witness.name)")
                    runs += 1
                    if runs < 2 { timer.update(after: .zero) }
                }
            }
            try add(bench.witness())
            try events.loopOnce()
            XCTAssertEqual(bench.gone, ["timer"])
            try events.loopOnce()
            XCTAssertEqual(bench.gone, ["timer", "timer", "witness"])
        }
    }

    func testAnImmediateKeepsWhatItsHandlerCapturedUntilItHasRunOrIsCancelled() throws {
        try onEachBackend { bench, events in
            let immediate = try ImmediateEvent(under: events)
            func schedule(_ witness: Witness) {
                immediate.schedule(on: events) { _, _ in bench.log.add("immediate", "with \(witness.name)") }
            }
            schedule(bench.witness("first"))
            XCTAssertEqual(bench.gone, [])
            try events.loopOnce()
            XCTAssertEqual(bench.gone, ["immediate", "first"])
            XCTAssertFalse(immediate.isFreed)
            schedule(bench.witness("second"))
            immediate.cancel()
            XCTAssertEqual(bench.gone, ["immediate", "first", "second"])
        }
    }

    func testSignalsAndDescriptorsKeepWhatTheirHandlersCapturedUntilTheyAreFreed() throws {
        try onEachBackend { bench, events in
            func addSignal(_ witness: Witness) throws -> SignalEvent {
                try events.addSignal(.user1) { _, _ in bench.log.add("signal", "with \(witness.name)") }
            }
            func addFD(_ descriptor: Int32, _ witness: Witness) throws -> FDEvent {
                try events.addFD(descriptor, .read) { _, _ in bench.log.add("descriptor", "with \(witness.name)") }
            }
            let pipe = try SystemIO.pipe()
            defer { for end in [pipe.reader, pipe.writer] { SystemIO.close(end) } }
            _ = try SystemIO.write(pipe.writer, [1])
            let descriptor = try addFD(pipe.reader, bench.witness("first"))
            let signal = try addSignal(bench.witness("second"))
            Signal.user1.raise()
            try events.loopOnce()
            try events.loopOnce()
            XCTAssertEqual(bench.gone, ["signal", "descriptor"])
            descriptor.free()
            signal.free()
            XCTAssertEqual(bench.gone, ["signal", "descriptor", "first", "second"])
        }
    }
}
