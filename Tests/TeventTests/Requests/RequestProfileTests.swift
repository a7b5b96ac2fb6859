import Talloc
import Tevent
import XCTest

/// When requests begin and end.
final class RequestProfileTests: EngineTestCase {
    private struct Fetch {}
    private struct Step {}

    func testAProfileKnowsWhenItsRequestBeganAndEnded() throws {
        try onBothBackends { events, clock in
            let request = try Request(Fetch(), under: events); let line = #line
            XCTAssertNil(request.profile)
            clock.advance(by: .seconds(1))
            let profile = request.startProfile(on: events)
            XCTAssertEqual(profile.start, events.now)
            XCTAssertNil(profile.stop)
            XCTAssertNil(profile.duration)
            XCTAssertNil(profile.finishOrigin)
            XCTAssertEqual(profile.status, .inProgress)
            clock.advance(by: .seconds(2))
            request.finish(); let end = #line
            clock.advance(by: .seconds(4))
            request.discard()
            XCTAssertEqual(profile.stop, profile.start.advanced(by: .seconds(2)))
            XCTAssertEqual(profile.duration, .seconds(2))
            XCTAssertEqual(profile.status, .done, "how it ended counts, not that it was received")
            XCTAssertNil(profile.error)
            XCTAssertEqual(profile.name, "Fetch")
            XCTAssertEqual(profile.origin, "\(#fileID):\(line)")
            XCTAssertEqual(profile.finishOrigin, "\(#fileID):\(end)")
            XCTAssertIdentical(request.profile, profile)
        }
    }

    func testAProfileKnowsWhyItsRequestFailed() throws {
        try onBothBackends { events, _ in
            let request = try Request(Fetch(), under: events)
            let profile = request.startProfile(on: events)
            request.fail(Oops())
            XCTAssertEqual(profile.status, .failed)
            XCTAssertEqual(profile.error as? Oops, Oops())
        }
    }

    func testAProfileKnowsOfATimeout() throws {
        try onBothBackends { events, clock in
            let request = try Request(Fetch(), under: events)
            let profile = request.startProfile(on: events)
            try request.setEndTime(after: .seconds(3), on: events)
            clock.advance(by: .seconds(3))
            XCTAssertEqual(try request.poll(on: events), .finished)
            XCTAssertEqual(profile.status, .timedOut)
            XCTAssertEqual(profile.duration, .seconds(3))
            XCTAssertNil(profile.finishOrigin, "the loop ended it, no line of the program")
        }
    }

    func testAProfileOutlivesItsRequestAndKnowsThatItWasFreedInProgress() throws {
        try onBothBackends { events, clock in
            let request = try Request(Fetch(), under: events)
            let profile = request.startProfile(on: events)
            let step = try XCTUnwrap(try Request(Step(), under: request).profile)
            clock.advance(by: .seconds(1))
            request.free()
            for profile in [profile, step] {
                XCTAssertEqual(profile.status, .received)
                XCTAssertEqual(profile.duration, .seconds(1))
            }
        }
    }

    func testARequestReceivedInProgressStopsItsProfile() throws {
        try onBothBackends { events, clock in
            let request = try Request(Fetch(), under: events)
            let profile = request.startProfile(on: events)
            clock.advance(by: .seconds(1))
            request.discard()
            clock.advance(by: .seconds(1))
            request.free()
            XCTAssertEqual(profile.status, .received)
            XCTAssertEqual(profile.duration, .seconds(1))
        }
    }

    func testAProfileStartedAfterTheEndHasStopped() throws {
        try onBothBackends { events, _ in
            let request = try Request(Fetch(), under: events)
            request.fail(Oops())
            let profile = request.startProfile(on: events)
            XCTAssertEqual(profile.duration, .zero)
            XCTAssertEqual(profile.status, .failed)
        }
    }

    func testAProfileStartedTwiceIsTheSame() throws {
        try onBothBackends { events, clock in
            let request = try Request(Fetch(), under: events)
            let profile = request.startProfile(on: events)
            clock.advance(by: .seconds(1))
            XCTAssertIdentical(request.startProfile(on: events), profile)
            let step = try Request(Step(), under: request)
            XCTAssertIdentical(step.startProfile(on: events), profile.subprofiles.first)
        }
    }

    func testSubrequestsAreProfiledInTheOrderTheyWereMade() throws {
        try onBothBackends { events, _ in
            let request = try Request(Fetch(), under: events)
            _ = try Request(Work(), under: request)
            let profile = request.startProfile(on: events)
            let first = try Request(Step(), under: request)
            let below = try Request([Int](), under: first)
            _ = try Request("", under: request)
            XCTAssertEqual(profile.subprofiles.map(\.name), ["Step", "String"])
            XCTAssertEqual(profile.subprofiles[0].subprofiles.map(\.name), ["Array<Int>"])
            XCTAssertIdentical(below.profile, profile.subprofiles[0].subprofiles[0])
            XCTAssertNil(try Request(Step(), under: events).profile)
        }
    }

    func testTheTreeOfProfilesIsPrintedWithTimes() throws {
        try onBothBackends { events, clock in
            let request = try Request(Fetch(), under: events)
            clock.advance(by: .seconds(1))
            let profile = request.startProfile(on: events)
            clock.advance(by: .milliseconds(2))
            let step = try Request(Step(), under: request)
            clock.advance(by: .microseconds(30))
            let inner = try Request(Step(), under: step)
            clock.advance(by: .microseconds(1500))
            inner.fail(code: 3)
            clock.advance(by: .milliseconds(1000))
            step.finish()
            let last = try Request(Work(), under: request)
            XCTAssertEqual(
                "\(profile)",
                """
                Fetch: 0.000 to … ms, in progress
                  Step: 2.000 to 1003.530 ms, done
                    Step: 2.030 to 3.530 ms, failed, the request failed with error code 3
                  Work: 1003.530 to … ms, in progress
                """)
            last.free()
            request.finish()
            XCTAssertEqual(
                "\(profile)".split(separator: "\n").last, "  Work: 1003.530 to 1003.530 ms, received")
            XCTAssertEqual("\(profile)".split(separator: "\n").first, "Fetch: 0.000 to 1003.530 ms, done")
        }
    }

    func testAProfileOfAContextWithoutAManualClockReadsTheSystems() throws {
        try onBothBackendsInRealTime { events in
            let before = events.now
            let request = try Request(Fetch(), under: events)
            let profile = request.startProfile(on: events)
            request.finish()
            XCTAssertTrue((before...events.now).contains(profile.start))
            XCTAssertTrue((profile.start...events.now).contains(try XCTUnwrap(profile.stop)))
        }
    }

    func testTheProfileHasStoppedWhenCleanupAndCallbackRun() throws {
        try onBothBackends { events, _ in
            var seen: [RequestStatus?] = []
            let request = try Request(Fetch(), under: events)
            request.startProfile(on: events)
            request.setCleanup { request, _ in seen.append(request.profile?.status) }
            request.setCallback { seen.append($0.profile?.status) }
            request.finish()
            XCTAssertEqual(seen, [.done, .done])
        }
    }
}
