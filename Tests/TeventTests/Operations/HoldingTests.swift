import TestSupport
import Tevent
import XCTest

/// An event that holds a descriptor is lent to the requests that wait for it.
final class HoldingTests: EngineTestCase {
    func testARequestBorrowsTheHolderAndGivesItBackWhenItEnds() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            let holder = try events.hold(pipe.reader, under: events)
            XCTAssertEqual(try events.loopWait(), .noEvents, "it waits for nothing by itself")
            for text in ["one", "two"] {
                let read = try Read.send(from: pipe.reader, on: events, under: events)
                XCTAssertEqual(events.descriptors, [holder], "no event is made")
                XCTAssertEqual(holder.flags, .read)
                read.setCallback { _ in XCTAssertEqual(holder.flags, []) }
                write(pipe.writer, text)
                try read.poll(on: events)
                XCTAssertEqual(try read.receive(), Array(text.utf8))
                read.free()
            }
        }
    }

    func testARequestThatComesWhileItIsLentHasItsOwnEvent() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            let holder = try events.hold(pipe.reader, under: events)
            let reads = try (0..<2).map { _ in try Read.send(from: pipe.reader, upTo: 1, on: events, under: events) }
            XCTAssertEqual(events.descriptors.count, 2)
            write(pipe.writer, "ab")
            for read in reads { try read.poll(on: events) }
            XCTAssertEqual(Set(try reads.map { try read($0) }), ["a", "b"])
            XCTAssertEqual(events.descriptors, [holder])
        }
    }

    func testARequestThatIsFreedReceivedOrCancelledGivesItBack() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            let holder = try events.hold(pipe.reader, under: events)
            let ways: [(Request<Read>) -> Void] = [{ $0.free() }, { $0.discard() }, { $0.cancel() }]
            for end in ways {
                let request = try Read.send(from: pipe.reader, on: events, under: events)
                XCTAssertEqual(holder.flags, .read)
                end(request)
                XCTAssertEqual(holder.flags, [])
                XCTAssertEqual(try events.loopWait(), .noEvents)
            }
            write(pipe.writer, "x")
            let last = try Read.send(from: pipe.reader, on: events, under: events)
            try last.poll(on: events)
            XCTAssertEqual(try read(last), "x")
        }
    }

    func testARequestWhoseHolderIsFreedCanStillBeCancelled() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            let holder = try events.hold(pipe.reader, under: events)
            let request = try Read.send(from: pipe.reader, on: events, under: events)
            holder.free()
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertTrue(request.cancel())
            XCTAssertEqual(request.status, .failed)
        }
    }

    func testSettingTheFlagsOfAHolderTraps() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            try events.hold(try pipe().reader, under: events).flags = .read
        }
        assertTrapped(result, saying: "but it serves requests, which set them")
    }

    func testAHolderWhoseNumberIsClosedReportsNothingWhileItIsNotLent() throws {
        try onBothBackends { events, _ in
            let reader = try pipe().reader
            let holder = try events.hold(reader, under: events)
            let read = try Read.send(from: reader, on: events, under: events)
            read.free()
            try events.addFD(reader, .read) { _, _ in }
            close(reader)
            for _ in 0..<2 { XCTAssertThrowsError(try events.loopOnce()) }
            XCTAssertNil(holder.context)
            XCTAssertEqual(try events.loopOnce(), .noEvents)
        }
    }

    func testWhatWasReadStaysAsItWasWhileOthersRead() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            var pieces: [String] = []
            var kept: [[UInt8]] = []
            for text in ["first", "other", "third", String(repeating: "long", count: 50), "short"] {
                write(pipe.writer, text)
                let read = try Read.send(from: pipe.reader, on: events, under: events)
                try read.poll(on: events)
                kept.append(try XCTUnwrap(try read.receive()))
                pieces.append(text)
            }
            XCTAssertEqual(kept.map { String(decoding: $0, as: UTF8.self) }, pieces)
        }
    }

    private func read(_ request: Request<Read>) throws -> String {
        String(decoding: try XCTUnwrap(try request.receive()), as: UTF8.self)
    }
}
