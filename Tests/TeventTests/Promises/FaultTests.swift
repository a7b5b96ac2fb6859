import CTestSupport
import Glibc
import Talloc
import XCTest

@testable import Tevent

/// Anything may be freed in any handler: random programs with all kinds of events, checked against what must always
/// hold.
final class FaultTests: EngineTestCase {
    func testRandomProgramsThatFreeAnythingInAnyHandler() throws {
        try runPrograms(seeds: 1...60) { _ in }
    }

    func testRandomProgramsThatFreeAnythingInAnyTraceToo() throws {
        try runPrograms(seeds: 1001...1040) { $0.tracesAct = true }
    }

    func testRandomProgramsWithNestedLoops() throws {
        try runPrograms(seeds: 2001...2040) { $0.nests = true }
    }

    func testRandomProgramsUnderAMemoryLimit() throws {
        try runPrograms(seeds: 3001...3040) { program in
            try? program.memory.setMemoryLimit(bytes: program.memory.totalSize + 6_000)
        }
    }

    private func runPrograms(seeds: ClosedRange<UInt64>, _ prepare: (RandomProgram) -> Void) throws {
        try onEachBackend { backend in
            var handlersRun = 0
            for seed in seeds {
                let program = try RandomProgram(seed: seed, backend: backend, pipes: (0..<4).map { _ in try pipe() })
                prepare(program)
                try program.run()
                program.tracesAct = false
                program.memory.free()
                XCTAssertEqual(program.tokens.alive, 0, "seed \(seed): handlers were kept")
                XCTAssertEqual(test_disposition(SIGUSR1), 0, "seed \(seed): a signal is caught still")
                XCTAssertEqual(test_disposition(SIGUSR2), 0, "seed \(seed): a signal is caught still")
                XCTAssertTrue(program.complaints.isEmpty, "seed \(seed): \(program.complaints)")
                handlersRun += program.handlersRun
            }
            XCTAssertGreaterThan(handlersRun, seeds.count * 10, "the programs hardly did anything")
        }
    }
}

/// A program that adds, changes and frees events at random, inside and outside handlers; the same for each seed.
private final class RandomProgram {
    let memory: TallocContext
    let tokens = Tokens()
    var tracesAct = false
    var nests = false
    private(set) var complaints: [String] = []
    private(set) var handlersRun = 0

    private var random: SeededGenerator
    private let clock = ManualClock()
    private var contexts: [EventContext]
    private var parents: [TallocContext]
    private var timers: [TimerEvent] = []
    private var immediates: [ImmediateEvent] = []
    private var signals: [SignalEvent] = []
    private var descriptors: [FDEvent] = []
    private let pipes: [(reader: Int32, writer: Int32)]
    private var depth = 0

    init(seed: UInt64, backend: String, pipes: [(reader: Int32, writer: Int32)]) throws {
        random = SeededGenerator(seed)
        self.pipes = pipes
        let memory = try TallocContext()
        self.memory = memory
        let clock = clock
        contexts = try (0..<2).map { _ in try EventContext(under: memory, backend: backend, clock: clock) }
        parents = try (0..<3).map { _ in try TallocContext(under: memory) }
    }

    func run() throws {
        for events in contexts {
            if nests { events.allowNesting() }
            if tracesAct {
                events.setTimerTrace { [unowned self] _, _ in sometimesAct() }
                events.setImmediateTrace { [unowned self] _, _ in sometimesAct() }
                events.setSignalTrace { [unowned self] _, _ in sometimesAct() }
                events.setFDTrace { [unowned self] _, _ in sometimesAct() }
                events.setLoopTrace { [unowned self] _ in sometimesAct() }
            }
        }
        for _ in 0..<80 {
            for _ in 0..<3 { act() }
            clock.advance(by: .nanoseconds(number(below: 5)))
            if let events = alive(contexts).randomElement(using: &random) { try events.loopOnce() }
            check()
        }
    }

    private func check() {
        for events in alive(contexts) {
            expect(events.record().pointee.timers.isConsistent, "a heap is in disorder")
            let listed: [any Event] = events.timers + events.immediates + events.signals + events.descriptors
            expect(listed.allSatisfy { !$0.isFreed && $0.context == events }, "a list holds what is not the context's")
        }
    }

    /// Called by every handler: checks that it may run, and acts.
    private func ran(_ event: some Event, in events: EventContext) {
        handlersRun += 1
        expect(!event.isFreed, "a handler ran after its event was freed")
        expect(!events.isFreed, "a handler ran after its context was freed")
        depth += 1
        defer { depth -= 1 }
        for _ in 0..<number(below: 4) { act() }
    }

    private func sometimesAct() {
        guard tracesAct, depth < 3, number(below: 4) == 0 else { return }
        depth += 1
        defer { depth -= 1 }
        act()
    }

    private func act() {
        switch number(below: 40) {
        case 0..<12: add()
        case 12..<18: freeAnEvent()
        case 18: if let parent = alive(parents).randomElement(using: &random) { parent.free() }
        case 19: if number(below: 6) == 0, let events = alive(contexts).randomElement(using: &random) { events.free() }
        case 20..<23: alive(timers).randomElement(using: &random)?.update(after: .nanoseconds(number(below: 4)))
        case 23..<26: scheduleAnImmediate()
        case 26: alive(immediates).randomElement(using: &random)?.cancel()
        case 27..<30:
            let flags: [FDEvent.Flags] = [[], .read, .write, [.read, .write], .error]
            alive(descriptors).randomElement(using: &random)?.flags = flags.randomElement(using: &random)!
        case 30..<34:
            let signal = Bool.random(using: &random) ? Signal.user1 : .user2
            if test_disposition(signal.rawValue) == 2 { signal.raise() }
        case 34, 35: _ = try? SystemIO.write(pipes.randomElement(using: &random)!.writer, [1])
        case 36: _ = try? SystemIO.read(pipes.randomElement(using: &random)!.reader)
        case 37: alive(contexts).randomElement(using: &random)?.stop()
        case 38: if parents.count < 20, let new = try? TallocContext(under: memory) { parents.append(new) }
        default:
            guard nests, depth < 4, let events = alive(contexts).randomElement(using: &random) else { return }
            _ = try? Bool.random(using: &random) ? events.loopOnce() : events.loop(until: { depth > 0 })
        }
    }

    private func add() {
        guard let events = alive(contexts).randomElement(using: &random) else { return }
        let token = Tokens.Token(tokens)
        let parent = alive(parents).randomElement(using: &random)
        let isUnderContext = number(below: 3) == 0
        let owner = isUnderContext ? nil : parent
        switch number(below: 4) {
        case 0:
            let delay = Duration.nanoseconds(number(below: 6))
            let timer = try? events.addTimer(after: delay, under: owner) { [unowned self] timer, _ in
                withExtendedLifetime(token) { ran(timer, in: events) }
            }
            if let timer { timers.append(timer) }
        case 1:
            guard let owner = owner ?? alive(parents).first, let immediate = try? ImmediateEvent(under: owner) else {
                return
            }
            immediates.append(immediate)
        case 2:
            let signal = Bool.random(using: &random) ? Signal.user1 : .user2
            let wantsInfo = Bool.random(using: &random)
            let event = try? events.addSignal(signal, wantsInfo: wantsInfo, under: owner) { [unowned self] event, _ in
                withExtendedLifetime(token) { ran(event, in: events) }
            }
            if let event { signals.append(event) }
        default:
            let pipe = pipes.randomElement(using: &random)!
            let end = Bool.random(using: &random) ? pipe.reader : pipe.writer
            let isCopy = number(below: 3) == 0
            let descriptor = isCopy ? dup(end) : end
            let flags: FDEvent.Flags = end == pipe.reader ? .read : .write
            let event = try? events.addFD(descriptor, flags, under: owner) { [unowned self] event, _ in
                withExtendedLifetime(token) { ran(event, in: events) }
            }
            if let event { descriptors.append(event) }
            guard isCopy else { return }
            // A trace may have freed the event already.
            if let event, !event.isFreed { event.setAutoClose() } else { SystemIO.close(descriptor) }
        }
    }

    private func scheduleAnImmediate() {
        guard let immediate = alive(immediates).randomElement(using: &random),
            let events = alive(contexts).randomElement(using: &random)
        else { return }
        let token = Tokens.Token(tokens)
        immediate.schedule(on: events) { [unowned self] immediate, events in
            withExtendedLifetime(token) { ran(immediate, in: events) }
        }
    }

    private func freeAnEvent() {
        switch number(below: 4) {
        case 0: alive(timers).randomElement(using: &random)?.free()
        case 1: alive(immediates).randomElement(using: &random)?.free()
        case 2: alive(signals).randomElement(using: &random)?.free()
        default: alive(descriptors).randomElement(using: &random)?.free()
        }
    }

    private func alive<Object: TallocObject>(_ objects: [Object]) -> [Object] { objects.filter { !$0.isFreed } }

    private func number(below limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }

    private func expect(_ condition: Bool, _ complaint: String) {
        if !condition { complaints.append(complaint) }
    }
}
