import Chapter2Events
import Foundation
import Talloc
import TestSupport
import Tevent
import TeventExtras
import XCTest

final class LineReaderTests: XCTestCase {
    /// What a reader reports about pieces that are written one by one, each read before the next is written.
    private func inputs(_ pieces: [String], limit: Int = 100, backend: String) throws -> [LineReader.Input] {
        let bench = try Bench(backend)
        defer { bench.memory.free() }
        let pipe = try bench.pipe(closing: [.reader])
        var inputs: [LineReader.Input] = []
        let reader = try LineReader(of: pipe.reader, on: bench.events, limit: limit) { _, input in inputs.append(input)
        }
        for piece in pieces {
            XCTAssertEqual(try SystemIO.write(pipe.writer, piece.utf8), piece.utf8.count)
            try bench.events.loopOnce()
        }
        SystemIO.close(pipe.writer)
        XCTAssertEqual(try bench.events.loopWait(), .noEvents)
        XCTAssert(reader.isFreed, "a reader is freed at the end")
        return inputs
    }

    private func check(
        _ pieces: [String], limit: Int = 100, become expected: [LineReader.Input], line: UInt = #line
    ) throws {
        for backend in ["epoll", "poll"] {
            XCTAssertEqual(try inputs(pieces, limit: limit, backend: backend), expected, backend, line: line)
        }
    }

    func testALineInPartsIsPutTogether() throws {
        try check(["one ", "li", "ne\n"], become: [.line("one line"), .end])
    }

    func testSeveralLinesInOneReadComeOneByOne() throws {
        try check(["one\ntwo\n\nfour\n"], become: [.line("one"), .line("two"), .line(""), .line("four"), .end])
    }

    func testALastLineWithoutLineBreakIsALine() throws {
        try check(["one\ntwo"], become: [.line("one"), .line("two"), .end])
    }

    func testNothingAtAllIsJustTheEnd() throws { try check([], become: [.end]) }

    func testALineBreakAloneIsAnEmptyLine() throws { try check(["\n"], become: [.line(""), .end]) }

    func testALineLongerThanTheLimitIsCutAndTheNextIsWhole() throws {
        try check(["12345\n123456\n12"], limit: 5, become: [.line("12345"), .cutLine("12345"), .line("12"), .end])
        try check(["123", "456", "789\nab\n"], limit: 5, become: [.cutLine("12345"), .line("ab"), .end])
        try check(["123456"], limit: 5, become: [.cutLine("12345"), .end])
    }

    func testAVeryLongLineDoesNotMakeTheReaderGrow() throws {
        var splitter = LineSplitter(limit: 10)
        for _ in 0..<1000 { XCTAssertEqual(splitter.append([UInt8](repeating: 65, count: 1000)), []) }
        XCTAssertEqual(splitter.append("\nb\n".utf8), [.init(text: "AAAAAAAAAA", isCut: true), .init(text: "b")])
        XCTAssertNil(splitter.finish())
    }

    func testBytesThatAreNotTextAreShownAsReplacementCharacters() throws {
        var splitter = LineSplitter(limit: 10)
        XCTAssertEqual(splitter.append([0x61, 0xFF, 0x0A]), [.init(text: "a\u{FFFD}")])
    }

    func testACharacterCutInTwoByReadsIsPutTogether() throws {
        var splitter = LineSplitter(limit: 10)
        XCTAssertEqual(splitter.append([0xC3]), [])
        XCTAssertEqual(splitter.append([0xA4, 0x0A]), [.init(text: "ä")])
    }

    func testNothingToReadNowIsNeitherTheEndNorAnError() throws {
        try onEachBackend { bench in
            // The same wait finds both pipes ready; the first handler takes what the reader was going to read.
            let pipe = try bench.pipe()
            let other = try bench.pipe()
            try bench.events.addFD(other.reader, .read) { event, _ in
                XCTAssertEqual(try? SystemIO.read(pipe.reader), .bytes(Array("stolen\n".utf8)))
                bench.log.add("thief", "runs")
                event.free()
            }
            let reader = try LineReader(of: pipe.reader, on: bench.events) { _, input in
                bench.log.add("reader", "\(input)")
            }
            _ = try SystemIO.write(pipe.writer, "stolen\n".utf8)
            _ = try SystemIO.write(other.writer, [1])
            XCTAssertEqual(try bench.events.loopWait(), .timedOut)
            XCTAssertEqual(bench.log.what, ["runs"])
            XCTAssertFalse(reader.isFreed)
            _ = try SystemIO.write(pipe.writer, "read\n".utf8)
            XCTAssertEqual(try bench.events.loopWait(), .timedOut)
            XCTAssertEqual(bench.log.what, ["runs", "line(\"read\")"])
        }
    }

    func testAReaderWithMuchToReadLeavesTurnsToOthers() throws {
        try onEachBackend { bench in
            let pipe = try bench.pipe()
            _ = try SystemIO.write(pipe.writer, [UInt8](repeating: 10, count: 3 * 4096))
            var lines = 0
            try LineReader(of: pipe.reader, on: bench.events) { _, _ in lines += 1 }
            try bench.events.loopOnce()
            XCTAssertEqual(lines, 4096, "one read for each call of the loop")
        }
    }

    func testAHandlerThatFreesTheReaderGetsNoMoreOfTheSameRead() throws {
        try onEachBackend { bench in
            let pipe = try bench.pipe()
            _ = try SystemIO.write(pipe.writer, "one\ntwo\nthree\n".utf8)
            try LineReader(of: pipe.reader, on: bench.events) { reader, input in
                bench.log.add("reader", "\(input)")
                if input == .line("two") { reader.free() }
            }
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.what, ["line(\"one\")", "line(\"two\")"])
        }
    }

    func testAHandlerMayFreeTheReaderAtTheLastLine() throws {
        try onEachBackend { bench in
            let pipe = try bench.pipe(closing: [.reader])
            _ = try SystemIO.write(pipe.writer, "last".utf8)
            SystemIO.close(pipe.writer)
            try LineReader(of: pipe.reader, on: bench.events) { reader, input in
                bench.log.add("reader", "\(input)")
                reader.free()
            }
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.what, ["line(\"last\")"])
        }
    }

    func testTheDescriptorStaysOpenOrIsClosedOrHandedOverAsChosen() throws {
        try onEachBackend { bench in
            var handedOver: [Int32] = []
            for closing in [LineReader.Closing.leaveOpen, .close, .call { handedOver.append($0) }] {
                let pipe = try bench.pipe(closing: [.writer])
                let reader = try LineReader(of: pipe.reader, on: bench.events, closing: closing) { _, _ in }
                XCTAssertEqual(try bench.events.loopWait(), .timedOut)
                reader.free()
                if case .close = closing {
                    XCTAssertThrowsError(try SystemIO.write(pipe.writer, [1]))
                } else {
                    XCTAssertEqual(try SystemIO.write(pipe.writer, [1]), 1)
                    SystemIO.close(pipe.reader)
                }
                if case .call = closing { XCTAssertEqual(handedOver, [pipe.reader]) }
            }
            XCTAssertEqual(handedOver.count, 1)
        }
    }

    func testItIsFreedWithItsOwnerWithoutCallingItsHandler() throws {
        try onEachBackend { bench in
            let owner = try TallocContext(under: bench.memory)
            let pipe = try bench.pipe()
            _ = try SystemIO.write(pipe.writer, "one\n".utf8)
            let reader = try LineReader(of: pipe.reader, on: bench.events, under: owner) { _, _ in XCTFail("was freed")
            }
            XCTAssertEqual(reader.parent, owner)
            owner.free()
            XCTAssert(reader.isFreed)
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
        }
    }

    func testADescriptorThatIsNotOpenFailsTheReader() throws {
        try onEachBackend { bench in
            let pipe = try bench.pipe(closing: [.writer])
            let reader = try LineReader(of: pipe.reader, on: bench.events) { _, input in
                bench.log.add("reader", "\(input == .failed(.systemCall(name: "read", code: EBADF)))")
            }
            SystemIO.close(pipe.reader)
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.what, ["true"])
            XCTAssert(reader.isFreed)
        }
    }

    func testANumberThatCannotBeADescriptorIsRefusedAndNothingIsLeftBehind() throws {
        try onEachBackend { bench in
            let owner = try TallocContext(under: bench.memory)
            for descriptor: Int32 in [-1, 1_000_000] {
                XCTAssertThrowsError(
                    try LineReader(of: descriptor, on: bench.events, closing: .close, under: owner) { _, _ in }
                ) { XCTAssertEqual($0 as? TeventError, .badDescriptor(descriptor)) }
            }
            XCTAssertEqual(owner.children, [])
        }
    }
}

extension LineReaderTests {
    func testAHandlerThatRunsTheLoopGetsTheLinesInOrderAndEachOnce() throws {
        for backend in ["epoll", "poll"] {
            let bench = try Bench(backend)
            defer { bench.memory.free() }
            bench.events.allowNesting()
            let pipe = try bench.pipe(closing: [.reader])
            var inputs: [LineReader.Input] = []
            try LineReader(of: pipe.reader, on: bench.events) { _, input in
                inputs.append(input)
                guard input == .line("1") || input == .line("6") else { return }
                if input == .line("1") { _ = try? SystemIO.write(pipe.writer, "4\n5\n6".utf8) }
                if input == .line("1") { SystemIO.close(pipe.writer) }
                _ = try? bench.events.loopOnce()
            }
            XCTAssertEqual(try SystemIO.write(pipe.writer, "1\n2\n3\n".utf8), 6)
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(inputs, (1...6).map { .line("\($0)") } + [.end], backend)
        }
    }

    func testALoopRunByWhatItsHandlerHeldComesToAnEnd() throws {
        for backend in ["epoll", "poll"] {
            let bench = try Bench(backend)
            defer { bench.memory.free() }
            let pipe = try bench.pipe()
            let reader = try LineReader(
                of: pipe.reader, on: bench.events,
                handler(holding: AtEnd { XCTAssertEqual(try? bench.events.loopWait(), .noEvents) }))
            XCTAssertEqual(try SystemIO.write(pipe.writer, "1\n".utf8), 2)
            reader.free()
        }
    }

    private func handler(holding held: AtEnd) -> LineReader.Handler { { _, _ in XCTFail("it was freed: \(held)") } }

    func testATraceThatFreesItsEventEndsIt() throws {
        for backend in ["epoll", "poll"] {
            let bench = try Bench(backend)
            defer { bench.memory.free() }
            var handedOver: [Int32] = []
            bench.events.setFDTrace { event, point in if point == .attach { event.free() } }
            for closing in [LineReader.Closing.close, .call { handedOver.append($0) }] {
                let pipe = try bench.pipe(closing: [.writer])
                try LineReader(of: pipe.reader, on: bench.events, closing: closing) { _, _ in }
                if case .close = closing {
                    XCTAssertThrowsError(try SystemIO.write(pipe.writer, [1]))
                } else {
                    XCTAssertEqual(handedOver, [pipe.reader])
                    SystemIO.close(pipe.reader)
                }
            }
            bench.events.setFDTrace(nil)
        }
    }

    func testALineOfNoBytesIsRefusedInWords() throws {
        let result = try runInChild(self) { _ = LineSplitter(limit: 0) }
        XCTAssertNotNil(result.signal)
        XCTAssertTrue(result.stderr.contains("at least one byte"), result.stderr)
    }
}

/// Runs a function when the last reference is gone.
private final class AtEnd {
    private let run: () -> Void

    init(_ run: @escaping () -> Void) { self.run = run }

    deinit { run() }
}
