import Talloc
import XCTest

@testable import Tevent

/// A program that creates, ends and frees requests at random, the same for each seed, and checks that everything is as
/// it must be.
final class RequestProgram {
    let memory: TallocContext
    /// Whether everything happens deep inside callbacks, where the thread's own stack is used up.
    var isDeep = false
    private(set) var complaints: [String] = []
    private(set) var calls = 0
    private(set) var tokensAlive = 0

    private var random: SeededGenerator
    private let backend: String
    private let clock = ManualClock()
    private var contexts: [EventContext] = []
    private var entries: [Entry] = []
    private var made = 0
    private var depth = 0
    private var runningLoop: EventContext?
    private var isOver = false

    init(seed: UInt64, backend: String) throws {
        random = SeededGenerator(seed)
        self.backend = backend
        memory = try TallocContext()
        for _ in 0..<2 { contexts.append(try EventContext(under: memory, backend: backend, clock: clock)) }
    }

    // MARK: Running

    func step() {
        let count = number(below: 6)
        if isDeep {
            insideCallbacks(300, under: memory) {
                for _ in 0..<count { self.act() }
            }
        } else {
            for _ in 0..<count { act() }
        }
        check()
        if number(below: 2) == 0 { runALoop() }
    }

    private func runALoop() {
        guard let events = anyContext() else { return }
        runningLoop = events
        let isDrained = sure { try number(below: 2) == 0 ? events.loopWait() : events.loopOnce() } != .handled
        runningLoop = nil
        check()
        guard isDrained, !events.isFreed else { return }
        for entry in alive() {
            if entry.queue == events { entry.queue = nil }
            expectCalled(entry)
            if let deadline = entry.deadline, deadline.events == events {
                expect(deadline.at > events.now, "an end time has passed", entry)
            }
        }
    }

    func end() {
        isOver = true
        memory.free()
        expect(entries.allSatisfy(\.request.isFreed), "a request outlives its parent")
        entries = []
    }

    /// Compares the model with reality; no operation is running.
    private func check() {
        for entry in entries where entry.isGone { expect(entry.request.isFreed, "it should be freed", entry) }
        entries.removeAll(where: \.isGone)
        for entry in entries {
            guard !entry.request.isFreed else {
                expect(false, "it should be there", entry)
                continue
            }
            learn(entry)
            expect(entry.request.status == entry.status, "it is \(entry.request.status), not \(entry.status)", entry)
            expect(entry.request.endTime == deadline(entry), "the end time is wrong", entry)
            expectCalled(entry)
        }
    }

    private func deadline(_ entry: Entry) -> EventInstant? {
        entry.deadline.flatMap { $0.events.isFreed ? nil : $0.at }
    }

    /// Checks that the callback of an ended request was not forgotten.
    private func expectCalled(_ entry: Entry) {
        guard entry.hasEnded, entry.status != .received, entry.hasCallback else { return }
        expect(entry.queue != nil || entry.isLost, "its callback was not called", entry)
    }

    // MARK: What is called

    /// Notes what has happened to a request without an operation of the program: time passing, and freed contexts.
    private func learn(_ entry: Entry, duringCleanup: Bool = false) {
        if entry.status == .inProgress, entry.request.status == .timedOut {
            expect(deadline(entry).map { $0 <= clock.now } == true, "it timed out too early", entry)
            entry.status = .timedOut
        }
        if entry.hasEnded { entry.deadline = nil }
        if entry.hasEnded, !duringCleanup, let events = entry.deferral.take(), entry.queue == nil,
            entry.status != .received
        {
            if events.isFreed { entry.isLost = true } else { entry.queue = events }
        }
        if let events = entry.queue, events.isFreed {
            entry.queue = nil
            entry.isLost = true
        }
    }

    private func called(_ entry: Entry) {
        calls += 1
        guard !entry.isGone, !entry.request.isFreed else { return expect(false, "called after its end", entry) }
        learn(entry)
        expect(entry.request.status == entry.status, "called with a wrong status", entry)
        expect(entry.status != .received, "called after it was received", entry)
        if entry.hasEnded {
            entry.calls += 1
            entry.hasCallback = false
            expect(entry.calls == 1, "called twice", entry)
            let isFromItsLoop = entry.queue == nil || entry.queue == runningLoop || entry.isNotifying
            expect(isFromItsLoop, "a posted request was called from inside", entry)
            expect(!entry.hasCleanup || entry.heard.contains(entry.status), "called before its cleanup", entry)
            entry.queue = nil
        }
        actSometimes()
    }

    private func cleanUp(_ entry: Entry, _ status: RequestStatus) {
        // A request whose parent is freed while it is being received is freed a little later.
        guard !entry.request.isFreed, !entry.isGone || isOver || entry.ancestors.contains(where: \.isEnding) else {
            return expect(false, "cleaned up after its end", entry)
        }
        learn(entry, duringCleanup: true)
        expect(entry.request.status == status, "cleaned up with a wrong status", entry)
        expect(entry.request.state.id == entry.id, "cleaned up without its state", entry)
        expect(!entry.heard.contains(status), "cleaned up twice", entry)
        if status == .received {
            expect(
                isOver || entry.ancestors.contains(where: \.isEnding), "received although no code did so", entry
            )
            entry.status = .received
            entry.deadline = nil
        } else {
            expect(entry.status == status && entry.calls == 0, "cleaned up too late", entry)
        }
        entry.heard.append(status)
        actSometimes()
    }

    private func actSometimes() {
        guard depth < 5 else { return }
        depth += 1
        defer { depth -= 1 }
        for _ in 0..<number(below: 3) { act() }
    }

    // MARK: Operations

    private func act() {
        switch number(below: 36) {
        case 0..<6: create()
        case 6, 7: if let entry = pick(inProgress: true) { setCallback(entry) }
        case 8: if let entry = pick() { setCleanup(entry) }
        case 9: if let entry = pick(inProgress: true) { setCancel(entry) }
        case 10..<18: if let entry = pick(inProgress: true) { finish(entry) }
        case 18, 19: if let entry = pick() { post(entry) }
        case 20: if let entry = pick(inProgress: true), let events = anyContext() { deferCallback(entry, events) }
        case 21, 22: if let entry = pick(inProgress: true), let events = anyContext() { setEndTime(entry, events) }
        case 23: if let entry = pick() { resetEndTime(entry) }
        case 24: if let entry = pick() { cancel(entry) }
        case 25, 26: if let entry = pick() { receive(entry) }
        case 27, 28: if let entry = pick() { free(entry) }
        case 29: if let entry = pick() { notify(entry) }
        case 30: clock.advance(by: .nanoseconds(number(below: 3)))
        case 31: if let entry = pick() { expect(!entry.request.description.isEmpty, "it has no description", entry) }
        case 32: if number(below: 8) == 0 { anyContext()?.free() }
        case 33:
            guard contexts.count < 20, !isOver else { return }
            if let events = try? EventContext(under: memory, backend: backend, clock: clock) { contexts.append(events) }
        default: if let entry = pick(), !entry.hasEnded { entry.request.state.id = entry.id }
        }
    }

    private func create() {
        guard !isOver, entries.count < 30 else { return }
        let parent = number(below: 3) == 0 ? nil : pick()
        made += 1
        let id = made
        let state = Entry.State(id: id, token: token())
        let request = try? Request(state, under: parent?.request.tallocContext ?? memory)
        guard let request else { return }
        let entry = Entry(request, id: id, parent: parent)
        entries.append(entry)
        if number(below: 4) > 0 { setCallback(entry) }
        if number(below: 3) == 0 { setCleanup(entry) }
    }

    private func setCallback(_ entry: Entry) {
        let token = token()
        entry.hasCallback = true
        entry.request.setCallback { [unowned self] _ in withExtendedLifetime(token) { called(entry) } }
    }

    private func setCleanup(_ entry: Entry) {
        // A function set after the end is called only for what follows.
        guard !entry.hasEnded else { return }
        entry.hasCleanup = number(below: 4) > 0
        guard entry.hasCleanup else { return entry.request.setCleanup(nil) }
        let token = token()
        entry.request.setCleanup { [unowned self] _, status in withExtendedLifetime(token) { cleanUp(entry, status) } }
    }

    private func setCancel(_ entry: Entry) {
        let token = token()
        entry.request.setCancel { [unowned self] _ in
            withExtendedLifetime(token) {
                expect(entry.status == .inProgress, "cancelled after its end", entry)
                actSometimes()
                if !entry.isGone, !entry.request.isFreed, entry.status == .inProgress, number(below: 2) == 0 {
                    finish(entry)
                }
                return true
            }
        }
    }

    private func finish(_ entry: Entry) {
        let hasCleanup = entry.hasCleanup
        let end = number(below: 4)
        entry.status = [.done, .failed, .failed, .noMemory][end]
        let status = entry.status
        switch end {
        case 0: entry.request.finish()
        case 1: entry.request.fail(Oops())
        case 2: entry.request.fail(code: UInt64(entry.id) + 1)
        default: entry.request.attempt { throw TallocError.outOfMemory(name: "x") }
        }
        expect(!hasCleanup || entry.heard.contains(status), "it was not cleaned up", entry)
        guard !entry.isGone, !entry.request.isFreed else { return }
        learn(entry)
        expectCalled(entry)
    }

    private func post(_ entry: Entry) {
        guard entry.hasEnded, let events = anyContext() else { return }
        entry.request.post(on: events)
        entry.queue = events
        entry.isLost = false
        if entry.status != .received, entry.calls == 0 { setCallback(entry) }
    }

    private func deferCallback(_ entry: Entry, _ events: EventContext) {
        entry.request.deferCallback(on: events)
        entry.deferral = events
    }

    private func setEndTime(_ entry: Entry, _ events: EventContext) {
        let deadline = events.now.advanced(by: .nanoseconds(number(below: 4)))
        if (try? entry.request.setEndTime(at: deadline, on: events)) != nil { entry.deadline = (events, deadline) }
    }

    private func resetEndTime(_ entry: Entry) {
        entry.request.resetEndTime()
        entry.deadline = nil
    }

    private func cancel(_ entry: Entry) {
        let mayBeCancelled = entry.status == .inProgress
        expect(!entry.request.cancel() || mayBeCancelled, "cancelled after its end", entry)
    }

    private func notify(_ entry: Entry) {
        entry.isNotifying = true
        entry.request.notify()
        entry.isNotifying = false
    }

    private func receive(_ entry: Entry) {
        let wasReceived = entry.status == .received
        let wasEnding = entry.isEnding
        entry.isEnding = true
        if entry.hasEnded, !wasReceived {
            entry.status = .received
            let id = try? entry.request.receive { $0.id }
            expect(id == nil || id == entry.id, "a wrong result", entry)
        } else {
            entry.status = .received
            entry.request.discard()
        }
        entry.isEnding = wasEnding
        if !wasReceived { for other in entries where other !== entry && other.isBelow(entry) { other.isGone = true } }
    }

    private func free(_ entry: Entry) {
        let wasEnding = entry.isEnding
        entry.isEnding = true
        let isFreed = entry.request.free()
        entry.isEnding = wasEnding
        expect(isFreed || isOver || entry.ancestors.contains(where: \.isEnding), "it could not be freed", entry)
        for other in entries where other.isBelow(entry) { other.isGone = true }
    }

    // MARK: Choosing

    private func alive() -> [Entry] { entries.filter { !$0.isGone && !$0.request.isFreed } }

    /// An existing request, in progress if wanted; nil if a few tries have found none.
    private func pick(inProgress: Bool = false) -> Entry? {
        for _ in 0..<6 {
            guard let entry = entries.randomElement(using: &random) else { return nil }
            guard !entry.isGone, !entry.request.isFreed else { continue }
            if !inProgress || (entry.status == .inProgress && entry.request.isInProgress) { return entry }
        }
        return nil
    }

    private func anyContext() -> EventContext? { contexts.filter { !$0.isFreed }.randomElement(using: &random) }

    private func number(below limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }

    private func token() -> Token {
        tokensAlive += 1
        let token = Token { [unowned self] in tokensAlive -= 1 }
        return token
    }

    private func expect(_ condition: Bool, _ complaint: String, _ entry: Entry? = nil) {
        if !condition { complaints.append("\(complaint) \(entry.map { "(request \($0.id))" } ?? "")") }
    }
}
