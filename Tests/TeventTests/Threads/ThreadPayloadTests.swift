import Synchronization
import Talloc
import Tevent
import XCTest

/// What is sent with a message: values, and objects that are released exactly once, whatever happens.
final class ThreadPayloadTests: EngineTestCase {
    private struct Big: Equatable {
        var words = (0..<40).map { "word \($0)" }
        var vector = SIMD16<Double>(repeating: 1.5)
        var small: UInt8 = 3
    }

    func testAValueArrivesAsItWas() throws {
        try onBothBackends { events, _ in
            let proxy = try ThreadInbox(on: events).proxy
            let log = SharedLog()
            try proxy.schedule(Big()) { _, big in if big == Big() { log.add("big") } }
            try proxy.schedule(UInt8(200)) { _, byte in log.add("\(byte)") }
            try proxy.schedule("text") { _, text in log.add(text) }
            try proxy.schedule(Optional<Int>.none) { _, nothing in log.add("\(nothing as Any)") }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(log.all, ["big", "200", "text", "nil"])
        }
    }

    func testAnObjectIsReleasedOnceItsHandlerIsDone() throws {
        try onBothBackends { events, _ in
            let proxy = try ThreadInbox(on: events).proxy
            let (alive, log) = (SharedCount(), SharedLog())
            try proxy.schedule(Cargo(4, alive)) { _, cargo in log.add("\(cargo.number) of \(alive.value)") }
            XCTAssertEqual(alive.value, 1)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(log.all, ["4 of 1"])
            XCTAssertEqual(alive.value, 0)
        }
    }

    func testAnObjectStaysWithWhoeverKeepsIt() throws {
        try onBothBackends { events, _ in
            let proxy = try ThreadInbox(on: events).proxy
            let alive = SharedCount()
            let kept = OwnBox<Cargo>()
            try proxy.schedule(Cargo(alive)) { _, cargo in kept.value = cargo }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(alive.value, 1)
            kept.value = nil
            XCTAssertEqual(alive.value, 0)
        }
    }

    func testAnObjectBelongsToItsHandlerAlone() throws {
        try onBothBackends { events, _ in
            let proxy = try ThreadInbox(on: events).proxy
            let (alive, unique) = (SharedCount(), SharedCount())
            try proxy.schedule(Cargo(alive)) { (_, cargo: consuming sending Cargo) in
                if isKnownUniquelyReferenced(&cargo) { unique.add() }
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(unique.value, 1, "the engine holds on to what may be another thread's soon")
        }
    }

    func testAnObjectThatIsSentOnIsReleasedWhereItEnds() throws {
        try onEachBackend { backend in
            let there = try Remote(backend: backend)
            let here = try EventContext(backend: backend)
            defer { here.free() }
            here.maximumWait = .seconds(30)
            let (mine, theirs) = (try ThreadInbox(on: here).proxy, there.proxy)
            let (alive, ends) = (SharedCount(), SharedLog())
            try theirs.schedule(Cargo(0, alive) { ends.add("\(thisThread())") }) {
                (_, cargo: consuming sending Cargo) in
                mine.send(cargo) { events, _ in events.stop() }
                // The other threads have it, and may be done with it: nothing of it remains here.
                waitUntil { alive.value == 0 }
            }
            XCTAssertEqual(try here.loopWait(), .stopped)
            try there.end()
            XCTAssertEqual(ends.all, ["\(thisThread())"])
        }
    }

    func testWhatAHandlerCapturesIsReleasedAfterItHasRun() throws {
        try onBothBackends { events, _ in
            let proxy = try ThreadInbox(on: events).proxy
            let alive = SharedCount()
            let held = Own(Cargo(alive))
            weak let cargo = held.value
            try { (held: consuming Own<Cargo>) in
                let held = held
                try proxy.schedule { _ in _ = held.value.number }
            }(Own(Cargo(alive)))
            XCTAssertEqual(alive.value, 2)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(alive.value, 1)
            XCTAssertNotNil(cargo)
        }
    }

    func testOverAHundredThousandObjectsNoneIsLostOrReleasedTwice() throws {
        try onEachBackend { backend in
            let there = try Remote(backend: backend)
            let proxy = there.proxy
            let (alive, handled) = (SharedCount(), SharedCount())
            let count = rounds(25_000)
            let senders = try (0..<2).map { number in
                try SystemThread(named: "sender \(number)") {
                    for index in 0..<count {
                        try proxy.schedule(Cargo(index, alive)) { _, cargo in handled.add(cargo.number == index ? 1 : 0)
                        }
                    }
                }
            }
            for sender in senders { try sender.join() }
            try there.end()
            XCTAssertEqual(handled.value, 2 * count)
            XCTAssertEqual(alive.value, 0)
        }
    }
}
