import Synchronization
import Talloc
import Tevent
import XCTest

/// Messages that reach a loop from its own thread and from others, one by one.
final class ThreadProxyTests: EngineTestCase {
    // MARK: Where and when

    func testAMessageRunsOnTheThreadAndTheContextOfItsInbox() throws {
        try onBothBackendsInRealTime { events in
            let inbox = try ThreadInbox(on: events)
            let (proxy, own, here) = (inbox.proxy, Own(events), thisThread())
            let runs = SharedCount()
            let sender = try SystemThread(named: "sender") {
                XCTAssertNotEqual(thisThread(), here)
                try proxy.schedule { events in
                    XCTAssertEqual(thisThread(), here)
                    XCTAssertEqual(events, own.value)
                    runs.add()
                }
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            try sender.join()
            XCTAssertEqual(runs.value, 1)
        }
    }

    func testMessagesOfTheLoopsOwnThreadRunInTheOrderSentOneATurn() throws {
        try onBothBackends { events, _ in
            let proxy = try ThreadInbox(on: events).proxy
            let log = SharedLog()
            for name in ["a", "b", "c"] { try proxy.schedule { _ in log.add(name) } }
            XCTAssertEqual(log.all, [], "nothing runs while it is sent")
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(log.all, ["a"])
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(log.all, ["a", "b", "c"])
            XCTAssertEqual(try events.loopOnce(), .timedOut)
        }
    }

    func testAMessageSentByAHandlerRunsAfterThoseThatWait() throws {
        try onBothBackends { events, _ in
            let proxy = try ThreadInbox(on: events).proxy
            let log = SharedLog()
            try proxy.schedule { _ in
                log.add("a")
                sure { try proxy.schedule { _ in log.add("c") } }
            }
            try proxy.schedule { _ in log.add("b") }
            for _ in 0..<3 { XCTAssertEqual(try events.loopOnce(), .handled) }
            XCTAssertEqual(log.all, ["a", "b", "c"])
        }
    }

    func testManyInboxesOfOneContextKeepTheOrderOfArrival() throws {
        try onBothBackends { events, _ in
            let proxies = try (0..<50).map { _ in try ThreadInbox(on: events).proxy }
            let log = SharedLog()
            let order = (0..<500).map { $0 * 7 % 50 }
            for index in order { try proxies[index].schedule { _ in log.add("\(index)") } }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(log.all, order.map { "\($0)" })
        }
    }

    func testAStopInAMessageEndsTheLoop() throws {
        try onBothBackends { events, _ in
            let proxy = try ThreadInbox(on: events).proxy
            try proxy.schedule { $0.stop() }
            XCTAssertEqual(try events.loopWait(), .stopped)
        }
    }

    func testANestedLoopRunsTheNextMessage() throws {
        try onBothBackends { events, _ in
            events.allowNesting()
            let proxy = try ThreadInbox(on: events).proxy
            let log = SharedLog()
            try proxy.schedule { events in
                log.add("outer begins")
                XCTAssertEqual(sure { try events.loopOnce() }, .handled)
                log.add("outer ends")
            }
            try proxy.schedule { _ in log.add("inner") }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(log.all, ["outer begins", "inner", "outer ends"])
        }
    }

    // MARK: Replies

    func testAReplyToAReplyToAReply() throws {
        try onEachBackend { backend in
            let log = SharedLog()
            let there = try Remote(backend: backend)
            let here = try EventContext(backend: backend)
            defer { here.free() }
            here.maximumWait = .seconds(30)
            let (mine, theirs) = (try ThreadInbox(on: here).proxy, there.proxy)
            try theirs.schedule { _ in
                log.add("question")
                sure {
                    try mine.schedule { _ in
                        log.add("reply")
                        sure {
                            try theirs.schedule { _ in
                                log.add("reply to the reply")
                                sure {
                                    try mine.schedule { events in
                                        log.add("reply to that")
                                        events.stop()
                                    }
                                }
                            }
                        }
                    }
                }
            }
            XCTAssertEqual(try here.loopWait(), .stopped)
            try there.end()
            XCTAssertEqual(log.all, ["question", "reply", "reply to the reply", "reply to that"])
        }
    }

    func testTwoLoopsPlayPingPong() throws {
        try onEachBackend { backend in
            let there = try Remote(backend: backend)
            let here = try EventContext(backend: backend)
            defer { here.free() }
            here.maximumWait = .seconds(30)
            let mine = try ThreadInbox(on: here).proxy
            let ball = Ball(sides: [mine, there.proxy], limit: rounds(10_000))
            ball.fly(hits: 0)
            XCTAssertEqual(try here.loopWait(), .stopped)
            try there.end()
            XCTAssertEqual(ball.hits.value, ball.limit)
        }
    }

    /// What two loops send back and forth.
    private final class Ball: Sendable {
        let hits = SharedCount()
        let limit: Int
        private let sides: [ThreadProxy]

        init(sides: [ThreadProxy], limit: Int) {
            self.sides = sides
            self.limit = limit
        }

        func fly(hits number: Int) {
            sure {
                try sides[number % 2].schedule { events in
                    XCTAssertEqual(self.hits.value, number)
                    guard number < self.limit else { return events.stop() }
                    self.hits.add()
                    self.fly(hits: number + 1)
                }
            }
        }
    }

    // MARK: What keeps a loop waiting

    func testAnInboxKeepsTheLoopWaitingAndLetsItEndWhenFreed() throws {
        try onBothBackendsInRealTime { events in
            XCTAssertFalse(events.hasEvents)
            let inbox = try ThreadInbox(on: events)
            XCTAssertTrue(events.hasEvents)
            let (proxy, waker, own) = (inbox.proxy, events.waker, Own(inbox))
            let sender = try SystemThread(named: "sender") {
                waker.waitUntilAsleep()
                try proxy.schedule { _ in own.value.free() }
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            try sender.join()
            XCTAssertFalse(events.hasEvents)
        }
    }

    // MARK: What it reports about itself

    func testAnInboxHasATagAnOriginAContextAndAName() throws {
        try withTallocContext { memory in
            let events = try EventContext(under: memory)
            let inbox = try ThreadInbox(on: events, under: memory)
            XCTAssertEqual(inbox.tag, 0)
            inbox.tag = 7
            XCTAssertEqual(inbox.tag, 7)
            XCTAssertTrue(inbox.origin.hasPrefix("TeventTests/ThreadProxyTests.swift:"), inbox.origin)
            XCTAssertEqual(inbox.context, events)
            XCTAssertEqual(inbox.name, "struct tevent_thread_proxy")
            XCTAssertEqual(inbox.parent, memory)
            XCTAssertEqual(try ThreadInbox(on: events).parent, events.tallocContext)
            events.free()
            XCTAssertNil(inbox.context)
        }
    }
}

/// A loop that runs on its own thread until it is told to end.
final class Remote {
    let proxy: ThreadProxy
    private let thread: SystemThread<LoopResult>

    init(backend: String) throws {
        let events = try EventContext(backend: backend)
        events.maximumWait = .seconds(30)
        proxy = try ThreadInbox(on: events).proxy
        thread = try SystemThread(named: "remote") {
            defer { events.free() }
            return try events.loopWait()
        }
    }

    /// Ends the loop after everything that has been sent, and its thread.
    func end(file: StaticString = #filePath, line: UInt = #line) throws {
        try proxy.schedule { $0.stop() }
        XCTAssertEqual(try thread.join(), .stopped, file: file, line: line)
    }
}
