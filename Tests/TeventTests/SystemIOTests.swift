import CTestSupport
import Glibc
import Tevent
import XCTest

final class SystemIOTests: EngineTestCase {
    func testAReadBringsWhatIsThereAtMostWhatWasAskedFor() throws {
        try onEachBackend { _ in
            let pipe = try pipe()
            write(pipe.writer, "hello, loop")
            XCTAssertEqual(try SystemIO.read(pipe.reader, upTo: 5), .bytes(Array("hello".utf8)))
            XCTAssertEqual(try SystemIO.read(pipe.reader), .bytes(Array(", loop".utf8)))
        }
    }

    func testAnEmptyPipeWouldBlock() throws {
        try onEachBackend { _ in XCTAssertEqual(try SystemIO.read(try pipe().reader), .wouldBlock) }
    }

    func testAClosedWriterIsTheEndOfTheFile() throws {
        try onEachBackend { _ in
            let pipe = try pipe()
            close(pipe.writer)
            XCTAssertEqual(try SystemIO.read(pipe.reader), .endOfFile)
        }
    }

    func testAFullPipeTakesNothingAndThrowsNothing() throws {
        try onEachBackend { _ in
            let pipe = try pipe()
            let block = [UInt8](repeating: 7, count: 50_000)
            var total = 0
            while true {
                let written = try SystemIO.write(pipe.writer, block)
                total += written
                if written == 0 { break }
            }
            XCTAssertGreaterThan(total, block.count, "the last block was taken in part")
            XCTAssertEqual(try SystemIO.write(pipe.writer, block), 0)
        }
    }

    func testWritingToWhatNobodyReadsThrowsInsteadOfEndingTheProgram() throws {
        try onEachBackend { _ in
            let pipe = try pipe()
            close(pipe.reader)
            assertThrows(.systemCall(name: "write", code: EPIPE), try SystemIO.write(pipe.writer, [1]))
            let sockets = try sockets()
            close(sockets.1)
            assertThrows(.systemCall(name: "write", code: EPIPE), try SystemIO.write(sockets.0, [1]))
            XCTAssertEqual(test_is_blocked(SIGPIPE), 0)
            XCTAssertEqual(test_disposition(SIGPIPE), 0)
        }
    }

    func testABrokenPipeSignalCaughtByTheProgramIsNotStolenLater() throws {
        try onBothBackends { events, _ in
            var told = 0
            try events.addSignal(.pipe) { _, arrival in told += arrival.count }
            let pipe = try pipe()
            close(pipe.reader)
            assertThrows(.systemCall(name: "write", code: EPIPE), try SystemIO.write(pipe.writer, [1]))
            XCTAssertEqual(try events.loopWait(), .timedOut, "the write's own is kept from the program")
            Signal.pipe.raise()
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(told, 1)
        }
    }

    func testErrorsNameTheCall() throws {
        assertThrows(.systemCall(name: "read", code: EBADF), try SystemIO.read(-1))
        assertThrows(.systemCall(name: "write", code: EBADF), try SystemIO.write(-1, [1]))
        XCTAssertEqual(
            TeventError.systemCall(name: "read", code: EBADF).description, "read failed: Bad file descriptor")
    }

    func testPipesAndSocketsDoNotBlockAndAreNotInherited() throws {
        try onEachBackend { _ in
            let pipe = try SystemIO.pipe()
            let sockets = try SystemIO.socketPair()
            for end in [pipe.reader, pipe.writer, sockets.0, sockets.1].map(opened) {
                XCTAssertNotEqual(fcntl(end, F_GETFL) & O_NONBLOCK, 0)
                XCTAssertNotEqual(fcntl(end, F_GETFD) & FD_CLOEXEC, 0)
            }
        }
    }

    func testAnyCollectionOfBytesCanBeWritten() throws {
        try onEachBackend { _ in
            for end in [try pipe(), try sockets()] {
                let bytes = Array("0123456789".utf8)
                XCTAssertEqual(try SystemIO.write(end.1, bytes[2..<5]), 3)
                XCTAssertEqual(try read(end.0), "234", "a part of an array")
                XCTAssertEqual(try SystemIO.write(end.1, bytes.lazy.reversed()), 10)
                XCTAssertEqual(try read(end.0), "9876543210", "bytes that are not beside each other")
            }
        }
    }

    func testWritingNothingWritesNothing() throws {
        try onEachBackend { _ in XCTAssertEqual(try SystemIO.write(try pipe().writer, []), 0) }
    }
}
