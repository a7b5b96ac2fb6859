import CTestSupport
import Glibc
import TestSupport
import XCTest

@testable import Tevent

/// System calls that fail, each in turn: the failure is reported or the call is made again, and no event is lost.
final class FailingCallTests: EngineTestCase {
    /// The errors with which a call may fail, from its manual page.
    private static let codes: KeyValuePairs<String, [Int32]> = [
        "epoll_create1": [EMFILE, ENFILE, ENOMEM], "epoll_ctl": [ENOMEM, ENOSPC], "epoll_wait": [EINTR, ENOMEM],
        "poll": [EINTR, ENOMEM], "eventfd": [EMFILE, ENFILE, ENOMEM], "pipe2": [EMFILE, ENFILE],
        "fcntl": [EMFILE, EINTR], "read": [EINTR, EAGAIN, EIO], "write": [EINTR, EAGAIN, EIO],
        "send": [EINTR, EAGAIN, ENOMEM, EIO], "socket": [EMFILE, ENFILE, ENOMEM], "socketpair": [EMFILE, ENFILE],
        "bind": [ENOMEM, EADDRINUSE], "listen": [EADDRINUSE], "connect": [EINTR, ENOMEM, ECONNREFUSED],
        "accept4": [EINTR, EAGAIN, ECONNABORTED, EMFILE, ENOMEM], "getsockname": [ENOBUFS], "setsockopt": [ENOMEM],
        "close": [EINTR, EIO],
    ]

    override func setUpWithError() throws { try skipUnlessCallsCanFail() }

    /// How many calls of each name the program makes.
    private func calls(_ backend: String) throws -> [String: Int] {
        test_note_calls()
        let program = try FailingCallProgram(backend: backend)
        try program.run()
        test_stop_failing_calls()
        XCTAssertEqual(program.happened.sorted(), FailingCallProgram.everything.sorted())
        XCTAssertEqual(program.failures, [])
        let names = (0...).lazy.map { test_call($0) }.prefix { $0 != nil }.map { String(cString: $0!) }
        return Dictionary(grouping: names) { $0 }.mapValues(\.count)
    }

    private func failEachCall(times: Int, line: UInt = #line) throws {
        try onEachBackend { backend in
            let calls = try calls(backend)
            XCTAssertEqual(calls.keys.filter { name in !Self.codes.contains { $0.key == name } }, [], line: line)
            let descriptors = openDescriptors()
            for (name, codes) in Self.codes {
                for number in 0..<(calls[name] ?? 0) {
                    for code in codes {
                        let what = "call \(number) of \(name) failed with \(code)"
                        try failCall(name, number, code, times: times, backend, what, line)
                    }
                }
                XCTAssertEqual(openDescriptors(), descriptors, "calls of \(name) failed", line: line)
            }
        }
    }

    private func failCall(
        _ name: String, _ number: Int, _ code: Int32, times: Int, _ backend: String, _ what: String, _ line: UInt
    ) throws {
        let result = try failing(name, after: number, times: times, code) {
            let program = try FailingCallProgram(backend: backend)
            try program.run()
            return program
        }
        switch result {
        case .success(let program):
            XCTAssertEqual(program.happened.sorted(), FailingCallProgram.everything.sorted(), what, line: line)
            for failure in program.failures {
                XCTAssertTrue(Self.tells(failure, name, code), "\(what): \(failure)", line: line)
            }
        case .failure(let error): XCTFail("\(what): \(error)", line: line)
        }
    }

    /// Whether an error names what failed.
    private static func tells(_ failure: TeventError, _ name: String, _ code: Int32) -> Bool {
        switch failure {
        // `write` uses `send` where possible.
        case .systemCall(let call, code): call == name || name.hasPrefix(call) || (call, name) == ("write", "send")
        // The engine asks whether a number is open before it relies on it, and moves new ones with the same call.
        case .systemCall, .badDescriptor: name == "fcntl"
        default: false
        }
    }

    func testEachCallMayFailOnce() throws { try failEachCall(times: 1) }

    func testEachCallMayFailThreeTimesInARow() throws { try failEachCall(times: 3) }

    // MARK: Single calls

    func testALoopIsWokenAlsoIfASignalInterruptsTheCallThatWakesIt() throws {
        try onBothBackends { events, _ in
            let proxy = try ThreadInbox(on: events).proxy
            events.waker.value.pointee.isSleeping.store(true, ordering: .sequentiallyConsistent)
            _ = try failing("write", times: 2, EINTR) { try proxy.schedule { _ in } }.get()
            XCTAssertEqual(events.waker.takeWakeups(), 1)
        }
    }

    func testTheChildOfAForkBeginsAgainAlsoIfThatFailsAtFirst() throws {
        for (name, code) in [("eventfd", EMFILE), ("epoll_create1", EMFILE), ("epoll_ctl", ENOMEM)] {
            for number in 0..<3 {
                try onBothBackendsInRealTime { events in
                    let status = try loopInChild(events, name, after: number, code)
                    XCTAssertEqual(status, 0, "call \(number) of \(name) failed")
                }
            }
        }
    }

    /// Runs the loop in a child in which a call fails, and returns how the child ended: 0 if nothing was lost.
    private func loopInChild(_ events: EventContext, _ name: String, after number: Int, _ code: Int32) throws -> Int32 {
        var failures = 0
        var isRead = false
        let isWoken = OwnBox<Bool>()
        try events.addFD(readyDescriptor(), .read) { event, _ in
            isRead = true
            event.free()
        }
        let inbox = try ThreadInbox(on: events)
        let child = test_fork()
        var status: Int32 = 0
        guard child == 0 else { return waitpid(child, &status, 0) == child ? status : -1 }
        alarm(20)
        _ = try failing(name, after: number, times: 1, code) {
            while !isRead { do { try events.loopOnce() } catch { failures += 1 } }
        }
        let (proxy, waker) = (inbox.proxy, events.waker)
        _ = try SystemThread(named: "sender") {
            while !waker.isSleeping { sched_yield() }
            try proxy.schedule { _ in isWoken.value = true }
        }
        try events.loop { isWoken.value == true }
        _exit(failures > 1 || isWoken.value == nil ? 1 : 0)
    }

    func testAClosedDescriptorIsReportedAlsoIfTheLookForItFails() throws {
        let result = try runInChild(self, timeout: .seconds(20)) {
            let events = try EventContext(backend: "epoll")
            events.record().pointee.auditDelay = 1_000_000
            let pipe = try SystemIO.pipe()
            try events.addFD(pipe.reader, .read) { _, _ in }
            // The backend watches it by then, and does not report it.
            try events.addTimer(after: .milliseconds(1)) { _, _ in SystemIO.close(pipe.reader) }
            guard
                case .failure(TeventError.badDescriptor(pipe.reader)) =
                    try failing("poll", times: 2, ENOMEM, { try events.loopWait() })
            else { exit(2) }
        }
        XCTAssertEqual(result.exitCode, 0, result.stderr)
    }
}

extension EngineTestCase {
    func skipUnlessCallsCanFail() throws {
        try XCTSkipIf(test_can_fail_calls() == 0, "a sanitizer has its own functions in place of the system's")
    }

    /// Runs something while calls of one name fail, after this many others.
    func failing<Value>(
        _ name: String, after number: Int = 0, times: Int, _ code: Int32, _ body: () throws -> Value
    ) throws -> Result<Value, any Error> {
        try skipUnlessCallsCanFail()
        let name = strdup(name)
        defer { free(name) }
        test_fail_calls(name, number, times, code)
        defer { test_stop_failing_calls() }
        return Result(catching: body)
    }
}
