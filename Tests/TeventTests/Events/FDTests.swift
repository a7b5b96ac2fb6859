import CTestSupport
import Glibc
import Talloc
import Tevent
import XCTest

final class FDTests: EngineTestCase {
    func testAHalfClosedPeerIsReportedAtEveryTurnAndReadingTellsItFromAnError() throws {
        try onBothBackends { events, _ in
            let (mine, theirs) = try sockets()
            try SystemIO.shutdownWriting(theirs)
            var told: [FDEvent.Flags] = []
            let event = try events.addFD(mine, [.write, .error]) { _, ready in told.append(ready) }
            for _ in 0..<3 { XCTAssertEqual(try events.loopOnce(), .handled) }
            XCTAssertEqual(told, Array(repeating: [.write, .error], count: 3))
            XCTAssertEqual(try read(mine), "end of file")
            write(mine, "still read")
            XCTAssertEqual(try read(theirs), "still read")
            event.flags = []
            XCTAssertEqual(try events.loopOnce(), .noEvents)
        }
    }

    // MARK: Read, write, error

    func testAReadableDescriptorCallsItsHandlerUntilItIsRead() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            var runs = 0
            try events.addFD(pipe.reader, .read) { event, ready in
                XCTAssertEqual(event.descriptor, pipe.reader)
                XCTAssertEqual(ready, .read)
                runs += 1
            }
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            write(pipe.writer)
            for _ in 0..<3 { XCTAssertEqual(try events.loopOnce(), .handled) }
            XCTAssertEqual(try read(pipe.reader), "x")
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            XCTAssertEqual(runs, 3)
        }
    }

    func testAWritableDescriptorCallsItsHandlerWhileThereIsRoom() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            try events.addFD(pipe.writer, .write) { _, ready in XCTAssertEqual(ready, .write) }
            XCTAssertEqual(try events.loopOnce(), .handled)
            let block = [UInt8](repeating: 0, count: 65_536)
            while try SystemIO.write(pipe.writer, block) > 0 {}
            XCTAssertEqual(try events.loopOnce(), .timedOut)
        }
    }

    func testOneEventMayWaitForReadingAndWriting() throws {
        try onBothBackends { events, _ in
            let sockets = try sockets()
            var seen: [FDEvent.Flags] = []
            try events.addFD(sockets.0, [.read, .write]) { _, ready in seen.append(ready) }
            XCTAssertEqual(try events.loopOnce(), .handled)
            write(sockets.1)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(seen, [.write, [.read, .write]])
        }
    }

    func testAReaderSeesTheEndWhenTheWriterIsClosed() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            var text: [String] = []
            try events.addFD(pipe.reader, .read) { event, _ in
                text.append(sure { try self.read(pipe.reader) })
                if text.last == "end of file" { event.free() }
            }
            write(pipe.writer, "last words")
            close(pipe.writer)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(text, ["last words", "end of file"])
        }
    }

    func testAWriterSeesThatTheReaderHasClosed() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            while try SystemIO.write(pipe.writer, [UInt8](repeating: 0, count: 65_536)) > 0 {}
            var error: TeventError?
            try events.addFD(pipe.writer, .write) { event, ready in
                XCTAssertEqual(ready, .write)
                error = failure { try SystemIO.write(pipe.writer, [1]) }
                event.free()
            }
            XCTAssertEqual(try events.loopOnce(), .timedOut, "the pipe is full")
            close(pipe.reader)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(error, .systemCall(name: "write", code: EPIPE))
        }
    }

    func testErrorInterestReportsAHangUpThoughThereIsNothingToRead() throws {
        try onBothBackends { events, _ in
            let sockets = try sockets()
            var seen: [FDEvent.Flags] = []
            try events.addFD(sockets.0, .error) { _, ready in seen.append(ready) }
            write(sockets.1)
            XCTAssertEqual(try events.loopOnce(), .timedOut, "data is no error")
            close(sockets.1)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(seen, [.error])
        }
    }

    func testErrorInterestReportsAHalfClose() throws {
        try onBothBackends { events, _ in
            let sockets = try sockets()
            var seen: [FDEvent.Flags] = []
            let event = try events.addFD(sockets.0, [.error, .read]) { _, ready in seen.append(ready) }
            XCTAssertEqual(shutdown(sockets.1, Int32(SHUT_WR)), 0)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(seen, [[.read, .error]])
            event.flags = .write
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(seen.last, .write, "the other half still carries data")
        }
    }

    // MARK: Flags

    func testFlagsCanBeReadAndChanged() throws {
        try onBothBackends { events, _ in
            let sockets = try sockets()
            var seen: [FDEvent.Flags] = []
            let event = try events.addFD(sockets.0, .read) { _, ready in seen.append(ready) }
            XCTAssertEqual(event.flags, .read)
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            event.flags.insert(.write)
            XCTAssertEqual(event.flags, [.read, .write])
            XCTAssertEqual(try events.loopOnce(), .handled)
            event.flags = []
            XCTAssertEqual(try events.loopOnce(), .noEvents)
            event.flags = .read
            write(sockets.1)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(seen, [.write, .read])
        }
    }

    func testFlagsWithoutANameAreIgnored() throws {
        try onBothBackends { events, _ in
            var turns = 0
            events.setLoopTrace { point in
                guard point == .afterWait, !events.isFreed else { return }
                turns += 1
                if turns > 100 { events.free() }
            }
            let (ready, broken) = (try sockets(), try sockets())
            write(ready.1)
            close(broken.1)
            let unknown = FDEvent.Flags(rawValue: 0xF8)
            let quiet = try [ready.0, broken.0].map { descriptor in
                try events.addFD(descriptor, unknown) { _, _ in XCTFail("\(descriptor) waits for nothing") }
            }
            XCTAssertEqual(quiet.map(\.flags), [[], []])
            XCTAssertEqual(try events.loopOnce(), .noEvents)

            var seen: [FDEvent.Flags] = []
            let reader = try events.addFD(ready.0, unknown.union(.read)) { _, ready in seen.append(ready) }
            XCTAssertEqual(reader.flags, .read)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(seen, [.read])
            _ = try read(ready.0)
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertLessThan(turns, 5, "the loop was busy with nothing")

            for event in quiet + [reader] {
                event.flags = unknown
                XCTAssertEqual(event.flags, [])
            }
            XCTAssertEqual(try events.loopOnce(), .noEvents)
        }
    }

    func testFlagsTakenBackBeforeTheTurnSilenceADescriptorFoundReady() throws {
        try onBothBackends { events, _ in
            var pair: [FDEvent] = []
            var runs = 0
            for _ in 0..<2 {
                pair.append(
                    try events.addFD(try readyDescriptor(), .read) { event, _ in
                        runs += 1
                        for other in pair where other != event { other.flags = [] }
                    })
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(runs, 2)
            XCTAssertEqual(pair.filter { $0.flags.isEmpty }.count, 1, "one and the same ran twice")
        }
    }

    func testFlagsHaveNames() {
        XCTAssertEqual("\(FDEvent.Flags([.read, .write, .error]))", "read+write+error")
        XCTAssertEqual("\(FDEvent.Flags())", "none")
        XCTAssertEqual("\(FDEvent.Flags(rawValue: 0xF8))", "none")
    }

    // MARK: Closing

    func testTheCloseFunctionIsCalledOnceWhenTheEventIsFreed() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            var closed: [Int32] = []
            weak var held: Token?
            let event = try events.addFD(pipe.reader, .read) { _, _ in }
            event.setAutoClose()
            do {
                let token = Token()
                held = token
                event.setCloseFunction { descriptor in withExtendedLifetime(token) { closed.append(descriptor) } }
            }
            XCTAssertEqual(closed, [])
            event.free()
            XCTAssertEqual(closed, [pipe.reader])
            XCTAssertTrue(isOpen(pipe.reader), "the close function replaced auto close")
            XCTAssertNil(held)
        }
    }

    func testAutoCloseClosesTheDescriptorWithItsEventOrContext() throws {
        try onBothBackends { events, _ in
            let first = try pipe()
            let second = try pipe()
            let event = try events.addFD(first.reader, .read) { _, _ in }
            event.setAutoClose()
            try events.addFD(second.reader, .read) { _, _ in }.setAutoClose()
            event.free()
            XCTAssertFalse(isOpen(first.reader))
            events.free()
            XCTAssertFalse(isOpen(second.reader))
        }
    }

    func testAutoCloseWorksWhenTheContextWentBefore() throws {
        try onBothBackends { events, _ in
            let memory = try TallocContext()
            let pipe = try pipe()
            try events.addFD(pipe.reader, .read, under: memory) { _, _ in }.setAutoClose()
            events.free()
            XCTAssertTrue(isOpen(pipe.reader))
            memory.free()
            XCTAssertFalse(isOpen(pipe.reader))
        }
    }

    func testWithoutAutoCloseTheDescriptorStaysOpen() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            try events.addFD(pipe.reader, .read) { _, _ in }.free()
            XCTAssertTrue(isOpen(pipe.reader))
        }
    }

    // MARK: Several events on one descriptor

    func testAReaderAndAWriterMayShareADescriptor() throws {
        try onBothBackends { events, _ in
            let sockets = try sockets()
            var seen: [String] = []
            let reader = try events.addFD(sockets.0, .read) { _, ready in seen.append("reader \(ready)") }
            let writer = try events.addFD(sockets.0, .write) { _, ready in seen.append("writer \(ready)") }
            write(sockets.1)
            for _ in 0..<4 { XCTAssertEqual(try events.loopOnce(), .handled) }
            XCTAssertEqual(seen.sorted(), ["reader read", "reader read", "writer write", "writer write"])
            seen = []
            reader.free()
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(seen, ["writer write", "writer write"])
            writer.free()
            XCTAssertEqual(try events.loopOnce(), .noEvents)
        }
    }

    func testSeveralReadersOfOneDescriptorTakeTurns() throws {
        try onBothBackends { events, _ in
            let reader = try readyDescriptor()
            var order: [Int] = []
            for index in 0..<3 { try events.addFD(reader, .read) { _, _ in order.append(index) } }
            for _ in 0..<9 { XCTAssertEqual(try events.loopOnce(), .handled) }
            XCTAssertEqual(order, [0, 1, 2, 0, 1, 2, 0, 1, 2])
        }
    }

    func testAnEventMayFreeTheOthersOfItsDescriptorAndItself() throws {
        for survivor in 0..<3 {
            try onBothBackends { events, _ in
                let reader = try readyDescriptor()
                var all: [FDEvent] = []
                var last: [Int] = []
                for index in 0..<3 {
                    all.append(
                        try events.addFD(reader, .read) { _, _ in
                            last.append(index)
                            for (other, event) in all.enumerated() where other != survivor && !event.isFreed {
                                event.free()
                            }
                        })
                }
                for _ in 0..<4 { XCTAssertEqual(try events.loopOnce(), .handled) }
                XCTAssertEqual(last, [0, survivor, survivor, survivor])
            }
        }
    }

    // MARK: Descriptors that cannot be waited for

    func testRegularFilesAndNullAreAlwaysReady() throws {
        for path in [#filePath, "/dev/null"] {
            try onBothBackendsInRealTime { events in
                var seen: [FDEvent.Flags] = []
                let event = try events.addFD(opened(open(path, O_RDONLY)), .read) { _, ready in seen.append(ready) }
                for _ in 0..<3 { XCTAssertEqual(try events.loopOnce(), .handled) }
                event.flags = [.read, .write]
                XCTAssertEqual(try events.loopOnce(), .handled)
                XCTAssertEqual(seen, [.read, .read, .read, [.read, .write]])
                event.flags = []
                XCTAssertEqual(try events.loopOnce(), .noEvents)
            }
        }
    }

    func testAFileThatIsAlwaysReadyStarvesNothing() throws {
        try onBothBackends { events, _ in
            var runs: [String: Int] = [:]
            for _ in 0..<3 {
                try events.addFD(opened(open(#filePath, O_RDONLY)), .read) { _, _ in runs["file", default: 0] += 1 }
            }
            try events.addFD(try readyDescriptor(), .read) { _, _ in runs["pipe", default: 0] += 1 }
            for _ in 0..<40 { XCTAssertEqual(try events.loopOnce(), .handled) }
            XCTAssertEqual(runs, ["file": 30, "pipe": 10])
        }
    }

    func testAnEventOnlyForErrorsOfAFileLetsTheLoopSleep() throws {
        try onBothBackendsInRealTime { events in
            events.maximumWait = .milliseconds(1)
            var waits = 0
            events.setLoopTrace { if $0 == .beforeWait { waits += 1 } }
            try events.addFD(opened(open(#filePath, O_RDONLY)), .error) { _, _ in XCTFail("files have no errors") }
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            XCTAssertLessThan(waits, 5, "the loop went round and round")
        }
    }

    // MARK: Many

    func testMoreThanAThousandDescriptors() throws {
        let before = test_limit_descriptors(4096)
        defer { _ = test_limit_descriptors(before) }
        try onBothBackends { events, _ in
            let reader = try readyDescriptor()
            var runs: [Int32: Int] = [:]
            for _ in 0..<1_500 {
                try events.addFD(opened(fcntl(reader, F_DUPFD, 1024)), .read) { event, _ in
                    runs[event.descriptor, default: 0] += 1
                    event.free()
                }
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs.count, 1_500)
            XCTAssertTrue(runs.values.allSatisfy { $0 == 1 })
            XCTAssertGreaterThan(runs.keys.max()!, 2_500)
        }
    }

    func testFreeingManyEventsThatWereFoundReadyRunsNoneOfThem() throws {
        try onBothBackends { events, _ in
            let memory = try TallocContext()
            var runs = 0
            for _ in 0..<100 {
                try events.addFD(try readyDescriptor(), .read, under: memory) { _, _ in
                    runs += 1
                    memory.free()
                }
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs, 1)
        }
    }

    func testAHandlerMayFreeItsEventAndTheContextAndReleaseWhatItHolds() throws {
        for freesContext in [false, true] {
            try onBothBackends { events, _ in
                weak var held: Token?
                do {
                    let token = Token()
                    held = token
                    try events.addFD(try readyDescriptor(), .read) { event, _ in
                        if freesContext { events.free() } else { event.free() }
                        XCTAssertTrue(event.isFreed)
                        withExtendedLifetime(token) {}
                    }
                }
                XCTAssertEqual(try events.loopOnce(), freesContext ? .contextFreed : .handled)
                XCTAssertNil(held)
            }
        }
    }

    func testWhatAHandlerHoldsLivesUntilTheOutermostOfItsCallsReturns() throws {
        try onBothBackends { events, _ in
            let descriptor = try readyDescriptor()
            weak var held: Token?
            var closed: [Int32] = []
            var calls = 0
            do {
                let token = Token()
                held = token
                let event = try events.addFD(descriptor, .read) { event, _ in
                    calls += 1
                    if calls < 3 {
                        XCTAssertEqual(try? events.loopOnce(), .handled)
                        // Freed two calls further in; what it holds still exists.
                        XCTAssertTrue(event.isFreed)
                        XCTAssertEqual(closed, [descriptor])
                    } else {
                        event.free()
                    }
                    XCTAssertNotNil(held)
                    withExtendedLifetime(token) {}
                }
                event.setCloseFunction { closed.append($0) }
            }
            events.allowNesting()
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(calls, 3)
            XCTAssertNil(held)
        }
    }
}
