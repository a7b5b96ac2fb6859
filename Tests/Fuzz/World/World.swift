import Talloc
import Tevent

/// How the programs of a run are run.
struct Mode: Sendable {
    /// The steps that are done; nil means all.
    var kept: NumberList?
    /// Whether each step is written to standard error.
    var traces = false
    /// What is wrong with this program on purpose.
    var fault: SeededFault?

    func keeps(_ operation: Operation) -> Bool { kept?.contains(operation.number) ?? true }
}

/// A running program: the objects it has made, and what it knows of them.
///
/// All foreign code of the program comes here, to do its script.
final class World {
    let programClass: ProgramClass
    let mode: Mode
    let board: Board
    let clock = ManualClock()
    /// What everything is freed with that is not moved away.
    let root: TallocContext
    var registers = Registers()

    // What was made, also if no register has it any more.
    var everything: [TallocContext] = []
    var allContexts: [EventContext] = []
    var allPipes: [Pipe] = []
    var allSignals: [SignalModel] = []
    var allRequests: [RequestModel] = []
    var allQueues: [RequestQueue] = []
    /// The contexts whose loops start entries, by the entries' tags.
    var contextsOfEntries: [UInt64: EventContext] = [:]
    var allInboxes: [InboxModel] = []
    var threads: [SystemThread<[String]>] = []
    var listener: Int32?

    /// The objects whose values are being changed, so that freeing them, or what they are below, is misuse.
    var changing: [TallocContext] = []
    /// Numbers that were closed while an event watched them.
    var surprising: Set<Int32> = []
    /// Requests of the engine's that have not what their own work leaves in them: receiving one is misuse.
    var tampered: [AnyRequest] = []
    /// How often each signal was raised while an event of this process caught it.
    var raised: [Int32: Int] = [:]

    private(set) var complaints: [String] = []
    private(set) var foreignCount = 0
    /// How many steps run that may release handlers which were never called.
    private(set) var releasing = 0
    /// Whether foreign code does nothing: the program is over, or the program is checking what is left over.
    private(set) var isOver = false
    var isQuiet = false
    var quieted: [(event: FDEvent, flags: FDEvent.Flags)] = []
    /// Whether the present step asks nothing before it acts.
    private(set) var isCareless = false
    /// How many loops run inside each other.
    var loops = 0
    /// How many handlers have run.
    var handlerCount = 0
    var messageCount = 0
    /// How many entries were made, for their tags.
    var entryCount: UInt64 = 0
    private var depth = 0
    private var stepsLeft = 1500
    /// How many steps were left when the present one began.
    private var stepsLeftAtStart = 0

    init(_ programClass: ProgramClass, _ mode: Mode, _ board: Board) throws {
        self.programClass = programClass
        self.mode = mode
        self.board = board
        root = try TallocContext(named: "root")
    }

    // MARK: Steps

    /// Does steps, unless too many lie inside each other or have been done.
    func perform(_ steps: [Operation]) {
        guard !isOver, !isQuiet, depth < 12, !steps.isEmpty else { return }
        depth += 1
        defer { depth -= 1 }
        for step in steps where mode.keeps(step) && stepsLeft > 0 && !isOver {
            stepsLeft -= 1
            perform(step)
        }
    }

    private func perform(_ step: Operation) {
        if mode.traces { trace("#\(step.number) \(step.words)") }
        let wasCareless = isCareless
        let outer = stepsLeftAtStart
        (isCareless, stepsLeftAtStart) = (step.isCareless, stepsLeft)
        defer { (isCareless, stepsLeftAtStart) = (wasCareless, outer) }
        if let fault = mode.fault { commit(fault, step) }
        do { try step.kind.perform(self, step) } catch {
            expect(!"\(error)".isEmpty, "an error has no text")
            if mode.traces { trace("  threw \(error)") }
        }
    }

    /// Whether foreign code has done anything since the present step began.
    var isDisturbed: Bool { stepsLeft < stepsLeftAtStart }

    func trace(_ line: String) {
        let indent = String(repeating: "    ", count: max(depth - 1, 0))
        _ = try? SystemIO.write(SystemIO.standardError, Array("\(indent)\(line)\n".utf8))
    }

    /// Notes that something is not as it must be.
    func complain(_ complaint: String) {
        if mode.traces { trace("! \(complaint)") }
        complaints.append(complaint)
    }

    func expect(_ condition: Bool, _ complaint: @autoclosure () -> String) {
        if !condition { complain(complaint()) }
    }

    // MARK: Foreign code

    func foreignBegan() { foreignCount += 1 }

    /// A closure or a value that the engine held has been released.
    func foreignEnded(_ model: ForeignModel, _ farewell: [Operation]) {
        foreignCount -= 1
        let isExcused = model.isExcused || releasing > 0 || isOver || !programClass.isStrict
        if model.mustBeCalled, model.calls == 0, !isExcused, model.context?.isFreed != true {
            complain("the handler of \(model.words) was released and never called")
        }
        perform(farewell)
    }

    /// Runs what may release handlers that were never called.
    func releasing<Result>(_ body: () throws -> Result) rethrows -> Result {
        releasing += 1
        defer { releasing -= 1 }
        return try body()
    }

    // MARK: What is allowed

    /// Whether an object may be freed: no value in it or below it is being changed.
    func mayFree(_ object: some TallocObject) -> Bool {
        isCareless || !changing.contains { lies($0, at: object.tallocHandle) }
    }

    /// Whether an object may be moved under another one: that lies below it nowhere, as far as that can be told.
    func mayMove(_ object: TallocContext, under parent: TallocContext) -> Bool {
        guard !isCareless else { return true }
        guard changing.isEmpty, !lies(parent, at: object.tallocHandle) else { return false }
        // A parent that is being freed cannot be asked what it belongs to.
        var top = parent
        while let above = top.parent { top = above }
        return top == root || everything.contains(top)
    }

    private func lies(_ object: TallocContext, at handle: TallocHandle) -> Bool {
        guard !object.isFreed else { return false }
        var place: TallocContext? = object
        while let found = place, found.tallocHandle != handle { place = found.parent }
        return place != nil
    }

    // MARK: The end

    /// Frees all that is left, and looks whether it is gone.
    func end() {
        isOver = true
        releasing += 1
        for thread in threads { joinThread(thread) }
        for object in everything.reversed() where !object.isFreed { object.free() }
        if !root.isFreed { root.free() }
        for object in everything where !object.isFreed {
            complain("'\(object.name)' outlives everything it was made under")
        }
        registers = Registers()
        allRequests = []
        allPipes.forEach { $0.closeAll() }
        if let listener { SystemIO.close(listener) }
        if foreignCount != 0 { complain("\(foreignCount) closures and values were never released") }
    }

    func joinThread(_ thread: SystemThread<[String]>) {
        do { try thread.join().forEach(complain) } catch { complain("a thread threw \(error)") }
    }
}
