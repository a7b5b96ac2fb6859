import Chapter4Requests
import Foundation
import Talloc
import TestSupport
import Tevent
import XCTest

/// The server when descriptors have run out; each test runs in its own process, whose limit it lowers.
final class FullServerTests: EchoTestCase {
    /// A server that has two clients, no descriptor for the third, and a clock that stands still.
    private func withFullServer(
        _ test: (_ server: Request<EchoServer>, _ clients: [Int32], _ clock: ManualClock) throws -> Void
    ) throws {
        let clock = ManualClock()
        try onEachBackend(clock: clock) {
            var timesFull = 0
            let server = try startServer(retryDelay: .seconds(1)) { [self] _, news in
                if case .full(let error) = news {
                    check("\(error)".contains("raise the limit"), "\(error)")
                    timesFull += 1
                }
            }
            let clients = try (0..<3).map { _ in try connect(to: server.address) }
            limitDescriptors(more: 2)
            try wait("the limit") { timesFull == 1 }
            check(server.tally.accepted == 2, "accepted \(server.tally.accepted)")
            try test(server, clients, clock)
            limitDescriptors(more: nil)
        }
    }

    private func inChild(_ function: String = #function, _ test: () throws -> Void) throws {
        let result = try runInChild(self, function: function, test)
        XCTAssertEqual(result.exitCode, 0, result.stdout + result.stderr)
        XCTAssertEqual(result.stderr, "")
    }

    func testThoseItHasAreServedWithoutABusyLoop() throws {
        try inChild {
            try withFullServer { server, clients, _ in
                var turns = 0
                events.setLoopTrace { if $0 == .afterWait { turns += 1 } }
                check(try events.loopWait() == .timedOut, "nothing is to be done")
                check(turns == 1, "\(turns) turns for nothing")
                for client in clients[..<2] { check(try roundTrip([1, 2, 3], on: client) == [1, 2, 3], "answer") }
                turns = 0
                check(try events.loopWait() == .timedOut, "nothing is to be done")
                check(turns == 1, "\(turns) turns for nothing")
                check(server.tally.accepted == 2, "no other client could be accepted")
            }
        }
    }

    func testWhenAClientHasLeftTheNextIsAcceptedAtOnce() throws {
        try inChild {
            try withFullServer { server, clients, _ in
                // The client's own descriptor stays open, so the one that becomes free is the server's.
                try SystemIO.shutdownWriting(clients[0])
                try wait("the next one") { server.tally.accepted == 3 }
                check(try roundTrip([7], on: clients[2]) == [7], "answer")
                check(server.tally.gone == 1, "one has left")
            }
        }
    }

    func testDescriptorsThatAreFreeAgainAreNoticedAfterAWhile() throws {
        try inChild {
            try withFullServer { server, clients, clock in
                limitDescriptors(more: 1)
                check(try events.loopWait() == .timedOut, "nothing is to be done")
                check(server.tally.accepted == 2, "too early")
                clock.advance(by: .milliseconds(999))
                check(try events.loopWait() == .timedOut, "nothing is to be done")
                check(server.tally.accepted == 2, "too early")
                clock.advance(by: .milliseconds(1))
                try wait("the next one") { server.tally.accepted == 3 }
                check(try roundTrip([7], on: clients[2]) == [7], "answer")
            }
        }
    }

    func testItTriesNowAndThenAndLeavesNothingBehind() throws {
        try inChild {
            try withFullServer { server, _, clock in
                let blocks = server.totalBlocks
                var turns = 0
                events.setLoopTrace { if $0 == .afterWait { turns += 1 } }
                for _ in 1...50 {
                    clock.advance(by: .seconds(1))
                    check(try events.loopWait() == .timedOut, "nothing is to be done")
                }
                check(turns <= 100, "\(turns) turns: one to try, one to wait")
                check(server.totalBlocks == blocks, "\(server.totalBlocks - blocks) blocks piled up")
            }
        }
    }

    func testAFullServerStops() throws {
        try inChild {
            try withFullServer { server, _, _ in
                server.stop()
                check(events.descriptors.isEmpty, "events are left")
                check(try events.loopWait() == .noEvents, "a timer is left")
            }
        }
    }

    // MARK: In the child

    /// Ends the child with a message unless the condition holds; XCTest's reports there would be lost.
    private func check(_ condition: @autoclosure () throws -> Bool, _ message: String, line: Int = #line) {
        do { if try condition() { return } } catch { FileHandle.standardError.write(Data("\(error)\n".utf8)) }
        FileHandle.standardError.write(Data("\(backend), line \(line): \(message)\n".utf8))
        exit(2)
    }

    /// Lets the process open this many more descriptors than it has; nil lifts the limit.
    private func limitDescriptors(more: Int?) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard let more else { return }
        let free = (0...more).map { _ in dup(0) }
        for descriptor in free { Glibc.close(descriptor) }
        limit.rlim_cur = rlim_t(free[more])
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
