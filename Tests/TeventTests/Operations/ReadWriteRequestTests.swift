import Glibc
import Talloc
import TestSupport
import Tevent
import XCTest

final class ReadWriteRequestTests: EngineTestCase {
    private let brokenPipe = TeventError.systemCall(name: "write", code: EPIPE)

    /// The result of a read, as text, once it has ended.
    private func text(_ request: Request<Read>, on events: EventContext) throws -> String {
        XCTAssertEqual(try request.poll(on: events), .finished)
        defer { request.free() }
        guard let bytes = try request.receive() else { return "end of file" }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func read(_ descriptor: Int32, upTo count: Int = 4096, on events: EventContext) throws -> String {
        try text(try Read.send(from: descriptor, upTo: count, on: events, under: events), on: events)
    }

    /// Every pair of descriptors with which reading and writing can be tested.
    private func forEachPair(_ body: (_ reader: Int32, _ writer: Int32) throws -> Void) throws {
        let pipe = try pipe()
        try body(pipe.reader, pipe.writer)
        let sockets = try sockets()
        try body(sockets.0, sockets.1)
    }

    // MARK: Reading

    func testARequestThatWasGivenTheStateOfAnotherWritesToItsOwnDescriptor() throws {
        try onBothBackends { events, _ in
            let (full, gone) = (try pipe(), try pipe())
            let bytes = [UInt8](repeating: 1, count: 200_000)
            let first = try WriteAll.send(bytes, to: full.writer, on: events, under: events)
            let second = try WriteAll.send(bytes, to: gone.writer, on: events, under: events)
            second.state = first.state
            let (third, fourth) = (
                try Write.send(bytes, to: full.writer, on: events, under: events),
                try Write.send(bytes, to: gone.writer, on: events, under: events)
            )
            fourth.state = third.state
            close(gone.reader)
            // Writing to the full pipe instead, they would never come to an end.
            for _ in 0..<2 { XCTAssertEqual(try events.loopOnce(), .handled) }
            XCTAssertEqual([second.status, fourth.status], [.failed, .failed])
            XCTAssertEqual(try events.loopOnce(), .timedOut)
        }
    }

    func testAReadWaitsUntilThereIsSomethingAndBringsWhatIsThere() throws {
        try onBothBackends { events, _ in
            try forEachPair { reader, writer in
                let request = try Read.send(from: reader, on: events, under: events)
                XCTAssertEqual(try events.loopWait(), .timedOut)
                XCTAssertTrue(request.isInProgress)
                write(writer, "hello")
                XCTAssertEqual(try text(request, on: events), "hello")
            }
        }
    }

    func testAReadTakesAtMostWhatItWasAskedForAndLeavesTheRest() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            write(pipe.writer, "abcdefg")
            XCTAssertEqual(try read(pipe.reader, upTo: 3, on: events), "abc")
            XCTAssertEqual(try read(pipe.reader, upTo: 3, on: events), "def")
            XCTAssertEqual(try read(pipe.reader, upTo: 3, on: events), "g")
        }
    }

    func testAReadThatMayTakeMuchKeepsNoMoreThanCame() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            write(pipe.writer, "hello")
            let request = try Read.send(from: pipe.reader, upTo: 65_536, on: events, under: events)
            XCTAssertEqual(try request.poll(on: events), .finished)
            let bytes = try XCTUnwrap(request.receive())
            XCTAssertEqual(bytes, Array("hello".utf8))
            XCTAssertLessThan(bytes.capacity, 100)
        }
    }

    func testAReadOfMoreThanTheContextsBufferHoldsTakesItAtOnce() throws {
        try onBothBackends { events, _ in
            let sockets = try sockets()
            let sent = String(repeating: "0123456789", count: 7_000)
            write(sockets.1, sent)
            XCTAssertEqual(try read(sockets.0, upTo: 100_000, on: events), sent)
        }
    }

    func testAReadIsLimitedHoweverMuchIsAskedFor() throws {
        try onBothBackends { events, _ in
            let zeros = opened(open("/dev/zero", O_RDONLY))
            let request = try Read.send(from: zeros, upTo: .max, on: events, under: events)
            XCTAssertEqual(try request.poll(on: events), .finished)
            XCTAssertEqual(try request.receive()?.count, SystemIO.largestRead)
        }
    }

    func testTheEndOfTheFileIsNotAnError() throws {
        try onBothBackends { events, _ in
            try forEachPair { reader, writer in
                write(writer, "last words")
                close(writer)
                XCTAssertEqual(try read(reader, on: events), "last words")
                XCTAssertEqual(try read(reader, on: events), "end of file")
            }
        }
    }

    func testAPeerThatResetsTheConnectionFailsTheRead() throws {
        try onBothBackendsInRealTime { events in
            let (client, server) = try connected()
            let request = try Read.send(from: client, on: events, under: events)
            reset(server)
            assertThrows(.systemCall(name: "read", code: ECONNRESET), try text(request, on: events))
        }
    }

    func testAFileThatIsAlwaysReadyIsRead() throws {
        try onBothBackends { events, _ in
            let file = opened(open("/proc/self/comm", O_RDONLY))
            XCTAssertNotEqual(try read(file, on: events), "end of file")
        }
    }

    func testAReadThatHasEndedKeepsNoLoopBusy() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            write(pipe.writer, "more than one byte")
            let request = try Read.send(from: pipe.reader, upTo: 1, on: events, under: events)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(request.status, .done)
            XCTAssertTrue(events.descriptors.isEmpty, "it is still there, and watches nothing")
        }
    }

    func testOneByteForTwoReadersLeavesOneOfThemWaiting() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            // Two numbers of one pipe, so that both are reported ready at once, and the second no longer is when it
            // reads.
            let requests = try [pipe.reader, copy(pipe.reader)].map {
                try Read.send(from: $0, on: events, under: events)
            }
            write(pipe.writer, "a")
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(requests.filter(\.isInProgress).count, 1)
            write(pipe.writer, "b")
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(Set(try requests.map { try text($0, on: events) }), ["a", "b"])
        }
    }

    func testANumberThatIsNoDescriptorFailsTheRequestFromTheLoop() throws {
        try onBothBackends { events, _ in
            let request = try Read.send(from: -1, on: events, under: events)
            XCTAssertEqual(request.status, .failed)
            var told = 0
            request.setCallback { _ in told += 1 }
            XCTAssertEqual(told, 0)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(told, 1)
            assertThrows(.badDescriptor(-1), try request.receive())
        }
    }

    func testAReadOfNoBytesIsRefused() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            _ = try Read.send(from: 0, upTo: 0, on: events, under: events)
        }
        XCTAssertNotNil(result.signal)
        XCTAssertTrue(result.stderr.contains("ask for at least one"), result.stderr)
    }

    // MARK: Writing once

    func testAWriteTakesWhatThereIsRoomForAtOnceAndReportsFromTheLoop() throws {
        try onBothBackends { events, _ in
            try forEachPair { reader, writer in
                let request = try Write.send(Array("hello".utf8), to: writer, on: events, under: events)
                XCTAssertTrue(events.descriptors.isEmpty, "there was no need to wait")
                XCTAssertEqual(try read(reader), "hello", "before the loop has run")
                var told = 0
                request.setCallback { _ in told += 1 }
                XCTAssertEqual(told, 0)
                XCTAssertEqual(try events.loopWait(), .noEvents)
                XCTAssertEqual(told, 1)
                XCTAssertEqual(try request.receive(), 5)
            }
        }
    }

    func testAWriteThatIsTooLongIsShort() throws {
        try onBothBackends { events, _ in
            try forEachPair { _, writer in
                let bytes = [UInt8](repeating: 1, count: 5_000_000)
                let written = try Write.send(bytes, to: writer, on: events, under: events).receive()
                XCTAssertGreaterThan(written, 0)
                XCTAssertLessThan(written, bytes.count)
            }
        }
    }

    func testAWriteWaitsForRoom() throws {
        try onBothBackends { events, _ in
            try forEachPair { reader, writer in
                var waiting = try fill(writer)
                let request = try Write.send([1, 2, 3], to: writer, on: events, under: events)
                XCTAssertEqual(try events.loopWait(), .timedOut)
                XCTAssertTrue(request.isInProgress)
                while waiting > 0 { waiting -= try drain(reader) }
                XCTAssertEqual(try events.loopWait(), .noEvents)
                XCTAssertEqual(try request.receive(), 3)
                XCTAssertEqual(try SystemIO.read(reader), .bytes([1, 2, 3]))
            }
        }
    }

    private func drain(_ descriptor: Int32) throws -> Int {
        guard case .bytes(let bytes) = try SystemIO.read(descriptor, upTo: 65536) else { return 0 }
        return bytes.count
    }

    func testRoomForOneOfTwoWritersLeavesTheOtherWaiting() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            let setPipeSize: Int32 = 1031
            XCTAssertEqual(fcntl(pipe.writer, setPipeSize, 4096), 4096)
            _ = try fill(pipe.writer)
            let requests = try [pipe.writer, copy(pipe.writer)].map {
                try Write.send([UInt8](repeating: 1, count: 4096), to: $0, on: events, under: events)
            }
            XCTAssertEqual(try drain(pipe.reader), 4096)
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(requests.filter(\.isInProgress).count, 1)
        }
    }

    func testWritingNothingEndsAtOnce() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            _ = try fill(pipe.writer)
            XCTAssertEqual(try Write.send([], to: pipe.writer, on: events, under: events).receive(), 0)
            XCTAssertNoThrow(try WriteAll.send([], to: pipe.writer, on: events, under: events).receive())
        }
    }

    // MARK: Writing all

    func testWhatThereIsRoomForIsWrittenWithoutWaitingAndReportedFromTheLoop() throws {
        try onBothBackends { events, _ in
            try forEachPair { reader, writer in
                let request = try WriteAll.send(Array("all of it".utf8), to: writer, on: events, under: events)
                XCTAssertTrue(events.descriptors.isEmpty)
                XCTAssertEqual(request.status, .done)
                XCTAssertEqual(try read(reader), "all of it", "before the loop has run")
                var told = 0
                request.setCallback { _ in told += 1 }
                XCTAssertEqual(told, 0)
                XCTAssertEqual(try events.loopWait(), .noEvents)
                XCTAssertEqual(told, 1)
            }
        }
    }

    func testTheRestIsWrittenAsRoomComes() throws {
        var random = SeededGenerator(7)
        try onBothBackends { events, _ in
            try forEachPair { reader, writer in
                let bytes = random.bytes(count: 1_000_000)
                let request = try WriteAll.send(bytes, to: writer, on: events, under: events)
                XCTAssertTrue(request.isInProgress)
                var arrived: [UInt8] = []
                while arrived.count < bytes.count {
                    // Read exactly what has been written.
                    let written = request.written
                    XCTAssertGreaterThan(written, arrived.count)
                    while arrived.count < written, case .bytes(let some) = try SystemIO.read(reader, upTo: 65536) {
                        arrived += some
                    }
                    XCTAssertEqual(arrived.count, written)
                    XCTAssertEqual(try SystemIO.read(reader), .wouldBlock)
                    _ = try events.loopWait()
                }
                XCTAssertTrue(arrived == bytes)
                XCTAssertEqual(request.written, bytes.count)
                XCTAssertEqual(request.status, .done)
                XCTAssertFalse(events.hasEvents)
            }
        }
    }

    func testRandomSizesArriveUnchangedThroughSmallBuffers() throws {
        var random = SeededGenerator(41)
        try onBothBackendsInRealTime { events in
            for sizes in [0...0, 1...1, 1...1000, 1000...100_000, 100_000...1_000_000, 10_000_000...10_000_000] {
                let bytes = random.bytes(count: Int.random(in: sizes, using: &random))
                let sockets = try sockets()
                limitBuffers(of: sockets.0, to: 2048)
                for pair in [sockets, try connected()] {
                    let seed = random.state
                    let arrived = try roundTrip(bytes, pair, on: events, using: &random)
                    XCTAssertTrue(arrived == bytes, "\(bytes.count) bytes, seed \(seed)")
                    close(pair.1)
                }
            }
        }
    }

    /// Writes everything with one request and reads it with others, until the end of the file.
    private func roundTrip(
        _ bytes: [UInt8], _ pair: (Int32, Int32), on events: EventContext, using random: inout SeededGenerator
    ) throws -> [UInt8] {
        try withTallocContext { memory in
            var arrived: [UInt8] = []
            try WriteAll.send(bytes, to: pair.0, on: events, under: memory).setCallback { request in
                XCTAssertNil(failure { try request.receive() })
                request.free()
                self.close(pair.0)
            }
            while true {
                let count = Int.random(in: 1...20_000, using: &random)
                let request = try Read.send(from: pair.1, upTo: count, on: events, under: memory)
                XCTAssertEqual(try request.poll(on: events), .finished)
                defer { request.free() }
                guard let some = try request.receive() else { return arrived }
                XCTAssertLessThanOrEqual(some.count, count)
                arrived += some
            }
        }
    }

    // MARK: Writing without a reader

    func testAClosedReaderFailsWritesAndEndsNoProgram() throws {
        try onBothBackends { events, _ in
            try forEachPair { reader, writer in
                close(reader)
                let once = try Write.send([1], to: writer, on: events, under: events)
                let all = try WriteAll.send([1], to: writer, on: events, under: events)
                assertThrows(brokenPipe, try once.receive())
                assertThrows(brokenPipe, try all.receive())
            }
        }
    }

    func testAReaderThatClosesWhileAWriteWaitsFailsIt() throws {
        try onBothBackends { events, _ in
            try forEachPair { reader, writer in
                _ = try fill(writer)
                let once = try Write.send([1], to: writer, on: events, under: events)
                let all = try WriteAll.send([1], to: writer, on: events, under: events)
                XCTAssertEqual(try events.loopWait(), .timedOut)
                close(reader)
                XCTAssertEqual(try events.loopWait(), .noEvents)
                for error in [failure { try once.receive() }, failure { try all.receive() }] {
                    // A socket whose peer closed with bytes unread was reset, and reports that once.
                    let reset = TeventError.systemCall(name: "write", code: ECONNRESET)
                    XCTAssertTrue([brokenPipe, reset].contains(error), "\(error as Any)")
                }
            }
        }
    }

    func testAPeerThatResetsTheConnectionFailsTheWrite() throws {
        try onBothBackendsInRealTime { events in
            let (client, server) = try connected(bufferSize: 4096)
            let bytes = [UInt8](repeating: 1, count: 5_000_000)
            let request = try WriteAll.send(bytes, to: client, on: events, under: events)
            XCTAssertTrue(request.isInProgress)
            reset(server)
            XCTAssertEqual(try request.poll(on: events), .finished)
            assertThrows(.systemCall(name: "write", code: ECONNRESET), try request.receive())
        }
    }
}
