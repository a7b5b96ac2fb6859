import Chapter4Requests
import Foundation
import Talloc
import Tevent
import XCTest

/// The load client, in one loop with its server.
final class LoadTests: EchoTestCase {
    private func run(_ plan: LoadPlan, against address: SocketAddress) throws -> LoadSummary {
        let load = try EchoLoad.send(to: [address], following: plan, on: events, under: memory)
        try wait("the end of the load") { !load.isInProgress }
        XCTAssertEqual(load.children.count, 0)
        defer { load.free() }
        return try load.receive()
    }

    func testEveryMessageComesBack() throws {
        try onEachBackend {
            let server = try startServer()
            let summary = try run(
                LoadPlan(connections: 20, messages: 25, sizes: 1...5000, seed: 3), against: server.address)
            XCTAssertEqual(summary.connected, 20)
            XCTAssertEqual(summary.messages, 500)
            XCTAssertEqual(summary.latencies.count, 500)
            XCTAssertEqual(summary.failures, [:])
            try wait { server.tally.gone == 20 }
            XCTAssertEqual(server.tally.echoed, summary.bytes)
            XCTAssertEqual(server.tally.lost, 0)
        }
    }

    func testMessagesLargerThanAllBuffersComeBack() throws {
        try onEachBackend {
            let summary = try run(
                LoadPlan(connections: 1, messages: 1, sizes: 10_000_000...10_000_000),
                against: try startServer().address)
            XCTAssertEqual(summary.bytes, 10_000_000)
            XCTAssertEqual(summary.failures, [:])
        }
    }

    func testTheSameSeedSendsTheSame() throws {
        try onEachBackend {
            let server = try startServer()
            let sums = try [5, 5, 6].map { seed in
                try run(LoadPlan(connections: 3, messages: 5, sizes: 1...9999, seed: seed), against: server.address)
                    .bytes
            }
            XCTAssertEqual(sums[0], sums[1])
            XCTAssertNotEqual(sums[0], sums[2])
        }
    }

    func testNoMessageBeginsWhenTheTimeIsOver() throws {
        let clock = ManualClock()
        try onEachBackend(clock: clock) {
            let server = try startServer()
            let plan = LoadPlan(connections: 2, messages: nil, duration: .seconds(3))
            let load = try EchoLoad.send(to: [server.address], following: plan, on: events, under: memory)
            try wait { load.summary.messages > 100 }
            XCTAssertTrue(load.isInProgress)
            clock.advance(by: .seconds(3))
            try wait("the end of the load") { !load.isInProgress }
            let summary = try load.receive()
            XCTAssertEqual(summary.failures, [:])
            XCTAssertEqual(summary.elapsed, .seconds(3))
        }
    }

    func testStoppedEarlyItReportsWhatItHasSeen() throws {
        try onEachBackend {
            let server = try startServer()
            let load = try EchoLoad.send(
                to: [server.address], following: LoadPlan(connections: 3, messages: 1_000_000), on: events,
                under: memory)
            try wait { load.summary.messages >= 10 }
            load.stop()
            load.stop()
            XCTAssertEqual(load.children.count, 0)
            let summary = try load.receive()
            XCTAssertEqual(summary.connected, 3)
            XCTAssertEqual(summary.messages, 10)
            XCTAssertEqual(summary.failures, [:])
            try wait { server.tally.present == 0 }
        }
    }

    // MARK: What goes wrong

    func testWithoutAListenerEveryConnectionFails() throws {
        try onEachBackend {
            let server = try startServer()
            let address = server.address
            server.free()
            let summary = try run(LoadPlan(connections: 3), against: address)
            XCTAssertEqual(summary.connected, 0)
            XCTAssertEqual(summary.failed, 3)
            XCTAssert(summary.failures.keys.allSatisfy { $0.contains("no server listens") }, "\(summary.failures)")
        }
    }

    /// The failure that a load of one connection reports for a server that answers like this.
    private func failure(of answer: @escaping (_ socket: Int32, _ bytes: [UInt8]) -> Void) throws -> [String: Int] {
        let plan = LoadPlan(connections: 1, messages: 3, sizes: 100...100)
        return try run(plan, against: try startBadServer(answer)).failures
    }

    func testOneWrongByteIsNoticed() throws {
        try onEachBackend {
            for place in [0, 50, 99] {
                let failures = try failure { socket, bytes in
                    var bytes = bytes
                    bytes[place] ^= 1
                    _ = try? SystemIO.write(socket, bytes)
                }
                XCTAssertEqual(failures, ["\(LoadError.wrongBytes)": 1], "byte \(place)")
            }
        }
    }

    func testTheAnswerToAnotherMessageIsNoticed() throws {
        try onEachBackend {
            var first: [UInt8]?
            let failures = try failure { socket, bytes in
                first = first ?? bytes
                _ = try? SystemIO.write(socket, first!)
            }
            XCTAssertEqual(failures, ["\(LoadError.wrongBytes)": 1])
        }
    }

    func testAByteTooMuchIsNoticedEvenAtTheVeryEnd() throws {
        try onEachBackend {
            var answers = 0
            let failures = try failure { socket, bytes in
                answers += 1
                _ = try? SystemIO.write(socket, answers == 3 ? bytes + [0] : bytes)
            }
            XCTAssertEqual(failures, ["\(LoadError.wrongBytes)": 1])
        }
    }

    func testAServerThatClosesEarlyIsNoticed() throws {
        try onEachBackend {
            let failures = try failure { socket, bytes in
                _ = try? SystemIO.write(socket, bytes[..<50])
                try? SystemIO.shutdownWriting(socket)
            }
            XCTAssertEqual(failures, ["\(LoadError.closed)": 1])
        }
    }

    func testAServerThatResetsIsNoticed() throws {
        try onEachBackend {
            let server = try startServer()
            let load = try EchoLoad.send(
                to: [server.address], following: LoadPlan(connections: 4, messages: 1_000_000, sizes: 99...99_999),
                on: events, under: memory)
            try wait { load.summary.messages >= 10 }
            server.free()
            try wait { !load.isInProgress }
            XCTAssertEqual(try load.receive().failed, 4)
        }
    }

    func testAServerThatNeverAnswersIsGivenUp() throws {
        let clock = ManualClock()
        try onEachBackend(clock: clock) {
            var heard = 0
            let address = try startBadServer { _, bytes in heard += bytes.count }
            let load = try EchoLoad.send(
                to: [address], following: LoadPlan(connections: 1, patience: .seconds(2)), on: events, under: memory)
            try wait { heard == 64 }
            clock.advance(by: .milliseconds(1999))
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertTrue(load.isInProgress)
            clock.advance(by: .milliseconds(1))
            try wait { !load.isInProgress }
            XCTAssertEqual(try load.receive().failures, ["no complete answer within 2.0 seconds": 1])
        }
    }

    func testItsPatienceStartsAgainWithEachMessage() throws {
        let clock = ManualClock()
        try onEachBackend(clock: clock) {
            var held: (socket: Int32, bytes: [UInt8])?
            let address = try startBadServer { held = ($0, $1) }
            let load = try EchoLoad.send(
                to: [address], following: LoadPlan(connections: 1, messages: 3, patience: .seconds(2)), on: events,
                under: memory)
            for _ in 1...3 {
                try wait("a message") { held != nil }
                clock.advance(by: .milliseconds(1900))
                XCTAssertEqual(try events.loopWait(), .timedOut)
                if let (socket, bytes) = held.take() { _ = try SystemIO.write(socket, bytes) }
            }
            try wait { !load.isInProgress }
            XCTAssertEqual(try load.receive().failures, [:])
        }
    }

    // MARK: Its parts

    func testPercentilesAreAtMostThreePercentTooLong() {
        var generator = SeededGenerator(seed: 9)
        var latencies = Latencies()
        XCTAssertEqual(latencies.percentile(50), .zero)
        var all: [Int] = []
        for exponent in 0..<40 {
            for _ in 0..<50 { all.append(Int.random(in: 0...(1 << exponent), using: &generator)) }
        }
        for nanoseconds in all { latencies.note(.nanoseconds(nanoseconds)) }
        all.sort()
        for percent in [0, 1, 10, 50, 90, 99, 99.9, 100] {
            let exact = Double(all[max(1, Int((percent / 100 * Double(all.count)).rounded(.up))) - 1])
            let told = latencies.percentile(percent) / .nanoseconds(1)
            XCTAssertGreaterThanOrEqual(told, exact, "\(percent) %")
            XCTAssertLessThanOrEqual(told, exact * 1.032, "\(percent) %")
        }
        XCTAssertEqual(latencies.maximum, .nanoseconds(all.last!))
        XCTAssertEqual(latencies.percentile(100), latencies.maximum)
        XCTAssertEqual(latencies.count, all.count)
    }

    func testTheLongestTimesHaveARange() {
        var latencies = Latencies()
        for duration in [Duration.nanoseconds(-5), .zero, .seconds(9_000_000_000)] { latencies.note(duration) }
        XCTAssertEqual(latencies.percentile(30), .zero)
        XCTAssertEqual(latencies.maximum, .seconds(9_000_000_000))
    }

    func testMessagesHaveAllSizesAndHardlyTwoAreAlike() {
        var messages = Messages(from: .init(sizes: 30...40, seed: 1), seed: 2)
        let sent = (0..<1000).map { _ in messages.next() }
        XCTAssertEqual(Set(sent.map(\.count)), Set(30...40))
        XCTAssertGreaterThan(Set(sent).count, 990)
        var same = Messages(from: .init(sizes: 30...40, seed: 1), seed: 2)
        XCTAssertEqual(same.next(), sent[0])
    }
}
