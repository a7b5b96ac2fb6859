import Foundation
import Talloc
import Tevent
import XCTest

final class DescriptorTests: XCTestCase {
    func testAHandlerThatLeavesDataUnreadIsCalledAgain() throws {
        try onEachBackend { bench in
            let pipe = try bench.pipe()
            _ = try SystemIO.write(pipe.writer, "abc".utf8)
            var read = ""
            try bench.events.addFD(pipe.reader, .read) { event, ready in
                XCTAssertEqual(ready, .read)
                guard case .bytes(let bytes)? = try? SystemIO.read(event.descriptor, upTo: 1) else {
                    return XCTFail("called although nothing is there")
                }
                read += String(decoding: bytes, as: UTF8.self)
            }
            XCTAssertEqual(try bench.events.loopWait(), .timedOut)
            XCTAssertEqual(read, "abc")
        }
    }

    func testFlagsTurnedOffKeepTheEventQuietAndOnAgainWakeIt() throws {
        try onEachBackend { bench in
            let pipe = try bench.pipe()
            _ = try SystemIO.write(pipe.writer, [1])
            let event = try bench.events.addFD(pipe.reader, .read) { event, _ in
                bench.log.add("event", "runs")
                event.flags = []
            }
            XCTAssertEqual(event.flags, .read)
            XCTAssertEqual(try bench.events.loopWait(), .noEvents, "a quiet event keeps no loop running")
            XCTAssertEqual(bench.log.who, ["event"])
            XCTAssertEqual(event.flags, [])
            event.flags = .read
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["event", "event"])
        }
    }

    func testOneEventMayWaitForReadingAndWriting() throws {
        try onEachBackend { bench in
            let (mine, theirs) = try SystemIO.socketPair()
            _ = try SystemIO.write(theirs, [1])
            try bench.events.addFD(mine, [.read, .write]) { event, ready in
                XCTAssertEqual(ready, [.read, .write])
                bench.log.add("event", "runs")
                event.free()
            }.setAutoClose()
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["event"])
            SystemIO.close(theirs)
        }
    }

    func testTwoEventsOfOneDescriptorAreBothServed() throws {
        try onEachBackend { bench in
            let (mine, theirs) = try SystemIO.socketPair()
            _ = try SystemIO.write(theirs, [1])
            try bench.events.addFD(mine, .read) { event, ready in
                bench.log.add("reader", "\(ready)")
                event.free()
            }
            try bench.events.addFD(mine, .write) { event, ready in
                bench.log.add("writer", "\(ready)")
                event.free()
            }
            try bench.events.loopWait()
            XCTAssertEqual(Set(bench.log.who), ["reader", "writer"])
            XCTAssertEqual(Set(bench.log.what), ["read", "write"])
            SystemIO.close(mine)
            SystemIO.close(theirs)
        }
    }

    func testTheOtherSideClosingIsReportedAsReadableAndReadsAsTheEnd() throws {
        try onEachBackend { bench in
            let pipe = try bench.pipe(closing: [.reader])
            SystemIO.close(pipe.writer)
            try bench.events.addFD(pipe.reader, .read) { event, ready in
                XCTAssertEqual(ready, .read)
                XCTAssertEqual(try? SystemIO.read(event.descriptor), .endOfFile)
                bench.log.add("event", "runs")
                event.free()
            }
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["event"])
        }
    }

    func testReadingMoreThanThereIsSaysSoAndIsNoError() throws {
        try onEachBackend { bench in
            let pipe = try bench.pipe()
            _ = try SystemIO.write(pipe.writer, [1, 2, 3])
            try bench.events.addFD(pipe.reader, .read) { event, _ in
                XCTAssertEqual(try? SystemIO.read(event.descriptor), .bytes([1, 2, 3]))
                XCTAssertEqual(try? SystemIO.read(event.descriptor), .wouldBlock)
                bench.log.add("event", "runs")
            }
            XCTAssertEqual(try bench.events.loopWait(), .timedOut)
            XCTAssertEqual(bench.log.who, ["event"])
        }
    }

    func testTheCloseFunctionIsCalledOnceWhenTheEventIsFreed() throws {
        try onEachBackend { bench in
            let pipe = try bench.pipe()
            let event = try bench.events.addFD(pipe.reader, .read) { _, _ in }
            event.setCloseFunction { descriptor in
                XCTAssertEqual(descriptor, pipe.reader)
                XCTAssert(event.isFreed)
                bench.log.add("close", "is called")
            }
            XCTAssertEqual(try bench.events.loopWait(), .timedOut)
            XCTAssertEqual(bench.log.who, [])
            event.free()
            XCTAssertEqual(bench.log.who, ["close"])
        }
    }

    func testAutoCloseClosesWithTheEventAndWithItsParent() throws {
        try onEachBackend { bench in
            for byParent in [false, true] {
                let pipe = try bench.pipe(closing: [.writer])
                let parent = try TallocContext(under: bench.memory)
                let event = try bench.events.addFD(pipe.reader, .read, under: parent) { _, _ in }
                event.setAutoClose()
                if byParent { parent.free() } else { event.free() }
                XCTAssertThrowsError(try SystemIO.write(pipe.writer, [1]), "there is no reader any more") { error in
                    XCTAssertEqual(error as? TeventError, .systemCall(name: "write", code: EPIPE))
                }
            }
        }
    }

    func testWithoutACloseFunctionTheDescriptorStaysOpen() throws {
        try onEachBackend { bench in
            let pipe = try bench.pipe()
            try bench.events.addFD(pipe.reader, .read) { _, _ in }.free()
            XCTAssertEqual(try SystemIO.write(pipe.writer, [1]), 1)
            XCTAssertEqual(try SystemIO.read(pipe.reader), .bytes([1]))
        }
    }

    func testAnEventFreedInItsOwnHandlerIsNotCalledAgain() throws {
        try onEachBackend { bench in
            try bench.addReadyDescriptor(calls: 1)
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["descriptor"])
        }
    }

    func testAReadyEventFreedByItsNeighbourIsNotCalled() throws {
        try onEachBackend { bench in
            var watchers: [FDEvent] = []
            for _ in 0..<2 {
                let pipe = try bench.pipe()
                _ = try SystemIO.write(pipe.writer, [1])
                watchers.append(
                    try bench.events.addFD(pipe.reader, .read) { event, _ in
                        bench.log.add("one", "runs")
                        for watcher in watchers { watcher.free() }
                    })
            }
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["one"])
        }
    }

    func testNoBusyDescriptorStarvesAnother() throws {
        try onEachBackend { bench in
            for name in ["a", "b", "c"] { try bench.addReadyDescriptor(calls: 100, as: name) }
            for _ in 1...30 { try bench.events.loopOnce() }
            for name in ["a", "b", "c"] { XCTAssertEqual(bench.log.who.filter { $0 == name }.count, 10, name) }
        }
    }

    func testTwoEventsThatReadTheSameDescriptorTakeTurns() throws {
        try onEachBackend { bench in
            let pipe = try bench.pipe()
            _ = try SystemIO.write(pipe.writer, [1])
            for name in ["a", "b"] {
                try bench.events.addFD(pipe.reader, .read) { _, _ in bench.log.add(name, "runs") }
            }
            for _ in 1...6 { try bench.events.loopOnce() }
            XCTAssertEqual(bench.log.who, ["a", "b", "a", "b", "a", "b"])
        }
    }

    func testARegularFileIsAlwaysReady() throws {
        try onEachBackend { bench in
            let file = FileHandle(forReadingAtPath: #filePath)
            let descriptor = try XCTUnwrap(file?.fileDescriptor)
            var bytesRead = 0
            try bench.events.addFD(descriptor, .read) { event, _ in
                switch try? SystemIO.read(event.descriptor, upTo: 100) {
                case .bytes(let bytes): bytesRead += bytes.count
                case .endOfFile: event.free()
                default: XCTFail("a regular file neither blocks nor fails")
                }
            }
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bytesRead, try Data(contentsOf: URL(filePath: #filePath)).count)
        }
    }

    func testADescriptorThatIsNotOpenStopsTheLoopWithItsNumber() throws {
        try onEachBackend { bench in
            let pipe = try bench.pipe(closing: [.writer])
            try bench.events.addFD(pipe.reader, .read) { _, _ in XCTFail("there is nothing to read from") }
            SystemIO.close(pipe.reader)
            XCTAssertThrowsError(try bench.events.loopWait()) { error in
                XCTAssertEqual(error as? TeventError, .badDescriptor(pipe.reader))
            }
            XCTAssertEqual(try bench.events.loopWait(), .noEvents, "the event has left the loop")
        }
    }

    func testAnEventThatAsksForErrorsIsCalledWhenItsDescriptorIsNotOpen() throws {
        try onEachBackend { bench in
            let pipe = try bench.pipe(closing: [.writer])
            let event = try bench.events.addFD(pipe.reader, [.read, .error]) { _, ready in
                bench.log.add("event", "\(ready)")
            }
            SystemIO.close(pipe.reader)
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.what, ["error"])
            XCTAssertNil(event.context)
        }
    }

    func testAnEventFreedBeforeItsDescriptorIsClosedNeverSeesTheNumbersNextFile() throws {
        try onEachBackend { bench in
            let first = try bench.pipe(closing: [.writer])
            let event = try bench.events.addFD(first.reader, .read) { _, _ in XCTFail("another's data") }
            XCTAssertEqual(try bench.events.loopWait(), .timedOut)
            event.setAutoClose()
            event.free()
            let second = try bench.pipe()
            XCTAssertEqual(first.reader, second.reader)
            _ = try SystemIO.write(second.writer, [1])
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            try bench.events.addFD(second.reader, .read) { event, _ in
                bench.log.add("second", "runs")
                event.free()
            }
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["second"])
        }
    }

    func testWriteInterestIsServedAsLongAsThereIsRoomAndAgainWhenRoomIsMade() throws {
        try onEachBackend { bench in
            let pipe = try bench.pipe()
            var written = 0
            try bench.events.addFD(pipe.writer, .write) { event, _ in
                written += (try? SystemIO.write(event.descriptor, [UInt8](repeating: 0, count: 4096))) ?? 0
            }
            XCTAssertEqual(try bench.events.loopWait(), .timedOut, "the pipe is full")
            let full = written
            XCTAssertGreaterThan(full, 4096)
            XCTAssertEqual(try SystemIO.write(pipe.writer, [1]), 0, "no room is no error")
            guard case .bytes = try SystemIO.read(pipe.reader, upTo: 8192) else { return XCTFail("nothing to read") }
            XCTAssertEqual(try bench.events.loopWait(), .timedOut)
            XCTAssertGreaterThan(written, full)
        }
    }
}
