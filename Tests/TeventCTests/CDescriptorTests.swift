import CTalloc
import CTevent
import Glibc
import TestSupport
import XCTest

/// Descriptor events: flags, closing, freeing, and handlers that a program calls itself.
final class CDescriptorTests: CAPITestCase {
    /// Runs a test on each backend with a pipe that is closed at the end, unless the test has closed an end.
    private func withPipe(_ body: (_ ev: OpaquePointer, _ reader: Int32, _ writer: Int32) throws -> Void) throws {
        try onEachBackend { ev in
            let ends = pipe()
            try body(ev, ends.reader, ends.writer)
            release(ev)
            for end in [ends.reader, ends.writer] where fcntl(end, F_GETFD) >= 0 { close(end) }
        }
    }

    func testAHandlerIsGivenWhatIsReady() throws {
        try withPipe { ev, reader, writer in
            var fde: OpaquePointer?
            fde = descriptor(ev, reader) { given, event, flags in
                XCTAssertEqual(given, ev)
                XCTAssertEqual(event, fde)
                self.log.append("\(flags)")
            }
            XCTAssertEqual(String(cString: talloc_get_name(chunk(fde))), "struct tevent_fd")
            write(writer)
            once(ev)
            release(fde)
            fde = descriptor(ev, writer, Flag.write) { _, _, flags in self.log.append("\(flags)") }
            once(ev)
            XCTAssertEqual(log, ["1", "2"])
        }
    }

    func testTheEndOfTheOtherSideCountsAsReadable() throws {
        try withPipe { ev, reader, writer in
            descriptor(ev, reader) { _, _, flags in self.log.append("\(flags)") }
            close(writer)
            once(ev)
            XCTAssertEqual(log, ["1"])
        }
    }

    func testFlagsAreKeptAndObeyed() throws {
        try withPipe { ev, reader, writer in
            write(writer)
            let fde = descriptor(ev, reader) { _, _, _ in self.log.append("read") }
            XCTAssertEqual(tevent_fd_get_flags(fde), Flag.read)
            tevent_fd_set_flags(fde, 0)
            XCTAssertEqual(tevent_fd_get_flags(fde), 0)
            XCTAssertTrue(isQuiet(ev))
            tevent_fd_set_flags(fde, Flag.read)
            once(ev)
            tevent_fd_set_flags(fde, Flag.read | Flag.write)
            XCTAssertEqual(tevent_fd_get_flags(fde), Flag.read | Flag.write)
            tevent_fd_set_flags(fde, Flag.write)
            XCTAssertTrue(isQuiet(ev), "there is no writer")
            XCTAssertEqual(log, ["read"])
        }
    }

    func testTwoEventsMayShareADescriptor() throws {
        try onEachBackend { ev in
            var ends: [Int32] = [0, 0]
            XCTAssertEqual(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends), 0)
            write(ends[1])
            descriptor(ev, ends[0], Flag.read) { _, fde, flags in
                self.log.append("read \(flags)")
                release(fde)
            }
            descriptor(ev, ends[0], Flag.write) { _, fde, flags in
                self.log.append("write \(flags)")
                release(fde)
            }
            wait(ev)
            XCTAssertEqual(log.sorted(), ["read 1", "write 2"])
            ends.forEach { close($0) }
        }
    }

    // MARK: Closing

    func testTheCloseFunctionIsCalledOnceWithAllItNeeds() throws {
        try withPipe { ev, reader, _ in
            let note = keep { (given: OpaquePointer?, fde: OpaquePointer?, descriptor: Int32) in
                self.log.append("\(given == ev) \(descriptor == reader)")
                XCTAssertEqual(tevent_fd_get_tag(fde), 4711)
                close(descriptor)
            }
            let fde = _tevent_add_fd(ev, memory, reader, Flag.read, { _, _, _, _ in }, note, nil, nil)
            tevent_fd_set_tag(fde, 4711)
            tevent_fd_set_close_fn(fde) { ev, fde, descriptor, data in
                kept(data, as: ((OpaquePointer?, OpaquePointer?, Int32) -> Void).self)(ev, fde, descriptor)
            }
            XCTAssertEqual(release(fde), 0)
            XCTAssertEqual(log, ["true true"])
            XCTAssertEqual(fcntl(reader, F_GETFD), -1)
        }
    }

    func testTheCloseFunctionCanBeTakenBack() throws {
        try withPipe { ev, reader, _ in
            let fde = descriptor(ev, reader) { _, _, _ in }
            tevent_fd_set_auto_close(fde)
            tevent_fd_set_close_fn(fde, nil)
            XCTAssertEqual(release(fde), 0)
            XCTAssertGreaterThanOrEqual(fcntl(reader, F_GETFD), 0)
        }
    }

    func testADescriptorClosesItselfIfAsked() throws {
        try withPipe { ev, reader, writer in
            write(writer)
            let fde = descriptor(ev, reader) { _, fde, _ in
                XCTAssertGreaterThanOrEqual(fcntl(reader, F_GETFD), 0)
                XCTAssertEqual(release(fde), -1)
                XCTAssertEqual(fcntl(reader, F_GETFD), -1, "closed at once, though the event is still there")
                self.log.append("ran")
            }
            tevent_fd_set_auto_close(fde)
            once(ev)
            XCTAssertEqual(log, ["ran"])
        }
    }

    func testADescriptorWhoseContextWasFreedStillClosesItself() throws {
        try onEachBackend { ev in
            let ends = pipe()
            let fde = descriptor(ev, ends.reader, under: memory) { _, _, _ in }
            tevent_fd_set_auto_close(fde)
            release(ev)
            release(fde)
            XCTAssertEqual(fcntl(ends.reader, F_GETFD), -1)
            close(ends.writer)
        }
    }

    // MARK: Freeing

    func testOneFreedInItsOwnHandlerStaysUntilThatReturns() throws {
        try withPipe { ev, reader, writer in
            write(writer)
            let parent = newChunk(under: memory)
            descriptor(ev, reader, under: parent) { _, fde, _ in
                XCTAssertEqual(release(fde), -1)
                tevent_fd_set_tag(fde, 4711)
                XCTAssertEqual(tevent_fd_get_tag(fde), 4711)
                XCTAssertEqual(tevent_fd_get_flags(fde), 0)
                tevent_fd_set_flags(fde, Flag.read)
                self.log.append("ran")
            }
            wait(ev)
            XCTAssertEqual(log, ["ran"])
            XCTAssertEqual(talloc_total_blocks(parent), 1)
        }
    }

    func testFreeingItTwiceInItsHandlerIsAFault() throws {
        let result = try runInChild(self) {
            let ev = try context()
            let ends = pipe()
            write(ends.writer)
            descriptor(ev, ends.reader) { _, fde, _ in
                release(fde)
                release(fde)
            }
            once(ev)
        }
        assertAborted(result, saying: "twice")
    }

    /// The program's own backends do so.
    func testADestructorOfTheProgramCallsTheCommonOne() throws {
        try withPipe { ev, reader, writer in
            let fde = descriptor(ev, reader) { _, _, _ in self.log.append("ran") }
            tevent_fd_set_auto_close(fde)
            _talloc_set_destructor(chunk(fde)) { tevent_common_fd_destructor($0.map { OpaquePointer($0) }) }
            XCTAssertEqual(release(fde), 0)
            XCTAssertEqual(fcntl(reader, F_GETFD), -1)
            XCTAssertFalse(tevent_common_have_events(ev))
            XCTAssertTrue(isQuiet(ev))
        }
    }

    func testOneFreedByAnotherHandlerDoesNotRun() throws {
        try onEachBackend { ev in
            let (first, second) = (pipe(), pipe())
            var events: [OpaquePointer?] = []
            for (index, ends) in [first, second].enumerated() {
                write(ends.writer)
                events.append(
                    descriptor(ev, ends.reader) { _, fde, _ in
                        self.log.append("ran")
                        XCTAssertEqual(release(events[1 - index]), 0)
                        XCTAssertEqual(release(fde), -1)
                    })
            }
            wait(ev)
            XCTAssertEqual(log, ["ran"])
            for end in [first.reader, first.writer, second.reader, second.writer] { close(end) }
        }
    }

    // MARK: Handlers called by the program

    func testTheProgramMayCallTheHandler() throws {
        try withPipe { ev, reader, _ in
            let fde = descriptor(ev, reader) { _, _, flags in self.log.append("\(flags)") }
            var isRemoved = true
            XCTAssertEqual(tevent_common_invoke_fd_handler(fde, Flag.write, &isRemoved), 0)
            XCTAssertFalse(isRemoved)
            XCTAssertEqual(tevent_common_invoke_fd_handler(fde, Flag.read, nil), 0)
            XCTAssertEqual(log, ["2", "1"])
        }
    }

    func testTheProgramMayCallTheHandlerOfATracedEvent() throws {
        try withPipe { ev, reader, _ in
            tevent_set_trace_fd_callback(ev, { _, _, _ in }, nil)
            let fde = descriptor(ev, reader) { _, _, flags in self.log.append("\(flags)") }
            XCTAssertEqual(tevent_common_invoke_fd_handler(fde, Flag.write, nil), 0)
            XCTAssertEqual(log, ["2"])
        }
    }

    func testTheProgramLearnsThatTheHandlerFreedItsEvent() throws {
        try withPipe { ev, reader, _ in
            let fde = descriptor(ev, reader) { _, fde, _ in XCTAssertEqual(release(fde), -1) }
            var isRemoved = false
            XCTAssertEqual(tevent_common_invoke_fd_handler(fde, Flag.read, &isRemoved), 0)
            XCTAssertTrue(isRemoved)
        }
    }

    func testAnEventWithoutAContextRunsNothing() throws {
        try onEachBackend { ev in
            let ends = pipe()
            let fde = descriptor(ev, ends.reader, under: memory) { _, _, _ in self.log.append("ran") }
            release(ev)
            var isRemoved = true
            XCTAssertEqual(tevent_common_invoke_fd_handler(fde, Flag.read, &isRemoved), 0)
            XCTAssertFalse(isRemoved)
            XCTAssertEqual(log, [])
            close(ends.reader)
            close(ends.writer)
        }
    }
}
