import Talloc
import Tevent

/// How to run the programs of a run.
struct Mode: Sendable {
    /// The steps to run; nil means all.
    var kept: NumberList?
    /// Whether to write each step to standard error.
    var traces = false
    /// The deliberate fault, if any.
    var fault: SeededFault?

    func keeps(_ operation: Operation) -> Bool { kept?.contains(operation.number) ?? true }
}

/// A running program: the objects it has created, and what it knows about them.
///
/// All foreign code of the program runs its scripts here.
final class World {
    let programClass: ProgramClass
    let mode: Mode
    let board: Board
    let clock = ManualClock()
    /// The parent of everything that is not moved away.
    let root: TallocContext
    var registers = Registers()

    // Everything that was created, even if no register holds it any more.
    var everything: [TallocContext] = []
    var allContexts: [EventContext] = []
    var allPipes: [Pipe] = []
    var allSignals: [SignalModel] = []
    var allRequests: [RequestModel] = []
    var allQueues: [RequestQueue] = []
    /// The contexts whose loops start entries, by the entries' tags.
    var contextsOfEntries: [UInt64: EventContext] = [:]
    var allInboxes: [InboxModel] = []
    var allLines: [LinesModel] = []
    var allTasks: [TaskModel] = []
    /// In which order what waits in each context has to run.
    var orders: [RunOrder] = []
    var hasAwaitedMany = false
    var threads: [SystemThread<[String]>] = []
    var listener: Int32?

    /// The objects whose values are being changed; freeing them or their ancestors is misuse.
    var changing: [TallocContext] = []
    /// Numbers that were closed while an event watched them.
    var surprising: Set<Int32> = []
    /// Requests of the engine that lack what their own work leaves in them: receiving one is misuse.
    var tampered: [AnyRequest] = []
    /// How often each signal was raised while an event of this process caught it.
    var raised: [Int32: Int] = [:]

    private(set) var complaints: [String] = []
    var forkCount = 0
    /// Whether this process is the child of one that runs the program.
    private(set) var isInChild = false
    private(set) var foreignCount = 0
    /// How many running steps may release handlers that were never called.
    private(set) var releasing = 0
    /// Whether foreign code does nothing, because the program is over or is checking what is left over.
    private(set) var isOver = false
    var isQuiet = false
    var quieted: [(event: FDEvent, flags: FDEvent.Flags)] = []
    /// Whether the current step checks nothing before it acts.
    private(set) var isCareless = false
    /// How many loops run inside each other.
    var loops = 0
    /// How many handlers have run.
    var handlerCount = 0
    var messageCount = 0
    /// How many entries were created, for their tags.
    var entryCount: UInt64 = 0
    private var depth = 0
    private var stepsLeft = 1500
    /// How many steps were left when the current one began.
    private var stepsLeftAtStart = 0

    init(_ programClass: ProgramClass, _ mode: Mode, _ board: Board) throws {
        self.programClass = programClass
        self.mode = mode
        self.board = board
        root = try TallocContext(named: "root")
    }

    // MARK: Steps

    /// Runs steps, unless they are nested too deeply or too many have run.
    func perform(_ steps: [Operation]) {
        guard !isOver, !isQuiet, depth < 12, !steps.isEmpty else { return }
        depth += 1
        defer { depth -= 1 }
        for step in steps where mode.keeps(step) && stepsLeft > 0 && !isOver {
            stepsLeft -= 1
            perform(step)
        }
    }

    /// Does the steps of a task, some of which wait.
    func perform(_ steps: [Operation], in task: TaskModel) async {
        for step in steps {
            guard let wait = step.kind.wait else {
                perform([step])
                continue
            }
            guard !isOver, !isQuiet, mode.keeps(step), stepsLeft > 0 else { continue }
            stepsLeft -= 1
            if mode.traces { trace("\(task.words): #\(step.number) \(step.words)") }
            do { try await wait(self, step, task) } catch {
                expect(!"\(error)".isEmpty, "an error has no text")
                if mode.traces { trace("\(task.words):  threw \(error)") }
            }
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

    /// Whether foreign code has done anything since the current step began.
    var isDisturbed: Bool { stepsLeft < stepsLeftAtStart }

    func trace(_ line: String) {
        let indent = String(repeating: "    ", count: max(depth - 1, 0))
        _ = try? SystemIO.write(SystemIO.standardError, Array("\(indent)\(line)\n".utf8))
    }

    /// Reports that something is wrong.
    func complain(_ complaint: String) {
        if mode.traces { trace("! \(complaint)") }
        complaints.append(complaint)
    }

    func expect(_ condition: Bool, _ complaint: @autoclosure () -> String) {
        if !condition { complain(complaint()) }
    }

    // MARK: Foreign code

    func foreignBegan() { foreignCount += 1 }

    /// Called when the engine has released a closure or a value.
    func foreignEnded(_ model: ForeignModel, _ farewell: [Operation]) {
        foreignCount -= 1
        let isExcused = model.isExcused || releasing > 0 || isOver || !programClass.isStrict
        if model.mustBeCalled, model.calls == 0, !isExcused, model.context?.isFreed != true {
            complain("the handler of \(model.words) was released and never called")
        }
        perform(farewell)
    }

    /// Runs a function that may release handlers that were never called.
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

    /// Whether an object may be moved under another one, which must not be below it, as far as that can be told.
    func mayMove(_ object: TallocContext, under parent: TallocContext) -> Bool {
        guard !isCareless else { return true }
        guard changing.isEmpty, !lies(parent, at: object.tallocHandle) else { return false }
        // The parent of an object that is being freed cannot be determined.
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

    /// From here on, what the parent complains about is its own.
    func beInChild() {
        isInChild = true
        complaints = []
    }

    /// Frees everything that is left, and checks that nothing is left over.
    func end() {
        for thread in threads { joinThread(thread) }
        freeEverything()
        registers = Registers()
        allRequests = []
        allLines = []
        checkTasksAtTheEnd()
        allPipes.forEach { $0.closeAll() }
        if let listener { SystemIO.close(listener) }
        if foreignCount != 0 { complain("\(foreignCount) closures and values were never released") }
    }

    func freeEverything() {
        isOver = true
        releasing += 1
        for object in everything.reversed() where !object.isFreed { object.free() }
        if !root.isFreed { root.free() }
        for object in everything where !object.isFreed {
            complain("'\(object.name)' outlives everything it was made under")
        }
    }

    func joinThread(_ thread: SystemThread<[String]>) {
        do { try thread.join().forEach(complain) } catch { complain("a thread threw \(error)") }
    }
}
