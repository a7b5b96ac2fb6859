import Glibc
import Synchronization
import Talloc
import Tevent
import XCTest

/// Many messages from many threads: each arrives exactly once, in its sender's order, and no sender starves.
final class ThreadLoadTests: EngineTestCase {
    /// What a loop has received; only its thread reads it.
    private final class Tally: @unchecked Sendable {
        private(set) var next: [Int]
        private(set) var mistakes: [String] = []
        private(set) var total = 0
        let received = SharedCount()

        init(senders: Int) { next = Array(repeating: 0, count: senders) }

        func note(_ number: Int, of sender: Int) {
            if number != next[sender], mistakes.count < 10 {
                mistakes.append("message \(number) of sender \(sender) came for \(next[sender])")
            }
            next[sender] = number + 1
            total += 1
            // Rarely, so that the senders rarely wait for this report.
            if total % 1024 == 0 { received.add(1024) }
        }
    }

    func testEachOfAMillionMessagesFromFourThreadsArrivesOnceAndInItsSendersOrder() throws {
        try onBothBackendsInRealTime { events in
            let (senders, each) = (4, rounds(125_000))
            let proxy = try ThreadInbox(on: events).proxy
            let (tally, sent) = (Tally(senders: senders), SharedCount())
            let threads = try (0..<senders).map { sender in
                try SystemThread(named: "sender \(sender)") {
                    for number in 0..<each {
                        try proxy.schedule(number) { _, number in tally.note(number, of: sender) }
                        guard number % 1024 == 0 else { continue }
                        // Not too far ahead, to save memory.
                        sent.add(1024)
                        waitUntil { sent.value - tally.received.value < 100_000 }
                    }
                }
            }
            XCTAssertEqual(try events.loop { tally.total == senders * each }, .finished)
            for thread in threads { try thread.join() }
            XCTAssertEqual(tally.mistakes, [])
            XCTAssertEqual(tally.next, Array(repeating: each, count: senders))
            events.maximumWait = .zero
            XCTAssertEqual(try events.loopOnce(), .timedOut, "there was one too many")
        }
    }

    func testMessagesAndImmediatesThatRescheduleThemselvesTakeTurns() throws {
        try onBothBackendsInRealTime { events in
            let count = rounds(20_000)
            let proxy = try ThreadInbox(on: events).proxy
            let tally = Tally(senders: 1)
            var local = 0
            var isOver = false
            let immediate = try ImmediateEvent(under: events)
            func again() {
                immediate.schedule(on: events) { _, _ in
                    local += 1
                    if !isOver { again() }
                }
            }
            again()
            let sender = try SystemThread(named: "sender") {
                for number in 0..<count { try proxy.schedule(number) { _, number in tally.note(number, of: 0) } }
            }
            XCTAssertEqual(try events.loop { tally.total == count }, .finished)
            try sender.join()
            isOver = true
            XCTAssertEqual(tally.mistakes, [])
            XCTAssertGreaterThan(local, 0)
        }
    }

    func testOfMessagesAndImmediatesThatWaitTogetherEachHasItsTurn() throws {
        try onBothBackends { events, _ in
            let proxy = try ThreadInbox(on: events).proxy
            let log = SharedLog()
            let immediate = try ImmediateEvent(under: events)
            func again(_ left: Int) {
                immediate.schedule(on: events) { _, _ in
                    log.add("immediate")
                    if left > 1 { again(left - 1) }
                }
            }
            again(4)
            for _ in 0..<2 { try proxy.schedule { _ in log.add("message") } }
            for _ in 0..<6 { XCTAssertEqual(try events.loopOnce(), .handled) }
            XCTAssertEqual(log.all, ["immediate", "message", "message", "immediate", "immediate", "immediate"])
        }
    }

    func testAMessageThatSendsItselfAgainLetsImmediatesRun() throws {
        try onBothBackends { events, _ in
            let proxy = try ThreadInbox(on: events).proxy
            let (log, echo) = (SharedLog(), Echo(proxy))
            echo.send(times: 3)
            var left = 3
            let immediate = try ImmediateEvent(under: events)
            func again() {
                immediate.schedule(on: events) { _, _ in
                    log.add("immediate")
                    left -= 1
                    if left > 0 { again() }
                }
            }
            again()
            echo.log = log
            for _ in 0..<6 { XCTAssertEqual(try events.loopOnce(), .handled) }
            XCTAssertEqual(log.all, ["immediate", "message", "immediate", "message", "immediate", "message"])
        }
    }

    private final class Echo: @unchecked Sendable {
        private let proxy: ThreadProxy
        var log: SharedLog?

        init(_ proxy: ThreadProxy) { self.proxy = proxy }

        func send(times: Int) {
            guard times > 0 else { return }
            proxy.send { _ in
                self.log?.add("message")
                self.send(times: times - 1)
            }
        }
    }

    func testManyThreadsSendToManyInboxesOfSeveralLoops() throws {
        try onEachBackend { backend in
            let loops = try (0..<3).map { _ in try Remote(backend: backend) }
            let count = rounds(5_000)
            let received = SharedCount()
            let proxies = loops.map(\.proxy)
            let senders = try (0..<3).map { sender in
                try SystemThread(named: "sender \(sender)") {
                    for number in 0..<count { try proxies[(sender + number) % 3].schedule { _ in received.add() } }
                }
            }
            for sender in senders { try sender.join() }
            for loop in loops { try loop.end() }
            XCTAssertEqual(received.value, 3 * count)
        }
    }
}
