import Talloc
import Tevent

/// A program with a forbidden outcome.
struct Finding: Sendable {
    let seed: Int
    let programClass: ProgramClass
    let verdict: Verdict
}

/// Runs many programs in separate processes, several at a time.
final class Campaign: Sendable {
    /// What to run, and how.
    struct Plan: Sendable {
        var classes: [ProgramClass]
        var seeds: NumberList
        /// When to stop starting programs; nil runs all seeds.
        var end: ContinuousClock.Instant?
        var jobs: Int
        /// How long one program may take.
        var timeout: Duration
        /// Further arguments for the workers.
        var arguments: [String]
        /// After how many different findings it ends; it also ends after ten times as many similar ones.
        var mostFindings: Int
        /// What ends it early.
        var interruption: Interruption
    }

    /// The results so far.
    struct Outcome: Sendable {
        var programs = 0
        var traps = 0
        var findings: [Finding] = []
        /// How many further findings were like one of these.
        var repeated = 0
        var isInterrupted = false
    }

    private struct State {
        /// The next range, and what part of it has been given to jobs.
        var nextRange = 0
        var taken = 0
        var outcome = Outcome()
    }

    private static let portion = 200

    private let plan: Plan
    private let state = Locked(State())
    private let found: @Sendable (Finding) -> Void

    init(_ plan: Plan, found: @escaping @Sendable (Finding) -> Void) {
        self.plan = plan
        self.found = found
    }

    func run() throws -> Outcome {
        let threads = try (0..<plan.jobs).map { number in
            try SystemThread(named: "job \(number)") { [self] in
                do {
                    while let portion = takePortion() { try run(portion) }
                } catch is Interrupted {
                    state.withLock { $0.outcome.isInterrupted = true }
                }
            }
        }
        for thread in threads { try thread.join() }
        return state.withLock { $0.outcome }
    }

    /// The next few seeds; not too many, so that all jobs have something to do.
    private func takePortion() -> ClosedRange<Int>? {
        guard plan.end.map({ $0 > .now }) != false else { return nil }
        guard !isEnough else { return nil }
        return state.withLock { state in
            guard state.nextRange < plan.seeds.ranges.count else { return nil }
            let range = plan.seeds.ranges[state.nextRange]
            let first = range.lowerBound + state.taken
            guard range.upperBound - first >= Self.portion else {
                (state.nextRange, state.taken) = (state.nextRange + 1, 0)
                return first...range.upperBound
            }
            state.taken += Self.portion
            return first...first + Self.portion - 1
        }
    }

    private var isEnough: Bool {
        state.withLock { state in
            let outcome = state.outcome
            let all = outcome.findings.count + outcome.repeated
            return outcome.isInterrupted || outcome.findings.count >= plan.mostFindings || all >= plan.mostFindings * 10
        }
    }

    /// Runs programs until one ends the process, then continues with those after it in another process.
    private func run(_ portion: ClosedRange<Int>) throws {
        var next = portion.lowerBound
        while next <= portion.upperBound, !isEnough {
            let seeds = next...portion.upperBound
            let child = try Child(
                ["--seeds", "\(NumberList([seeds]))"] + plan.arguments, timeout: plan.timeout, plan.interruption)
            var last: Int?
            var verdict: Verdict?
            news: while true {
                switch try child.next() {
                case .begins(let seed):
                    last = seed
                    state.withLock { $0.outcome.programs += 1 }
                case .ended(let end):
                    verdict = end
                    break news
                }
            }
            guard let verdict else { return }
            if verdict.kind == .leak { return try findLeak(in: seeds) }
            judge(verdict, last ?? next)
            next = (last ?? next) + 1
        }
    }

    /// Leaks are found when the process ends, so it is unknown which program caused them.
    private func findLeak(in seeds: ClosedRange<Int>) throws {
        guard seeds.count > 1 else {
            return judge(Verdict(.leak, "memory is left when the program has ended"), seeds.lowerBound)
        }
        let middle = seeds.lowerBound + seeds.count / 2
        for half in [seeds.lowerBound...middle - 1, middle...seeds.upperBound] {
            let child = try Child(
                ["--seeds", "\(NumberList([half]))"] + plan.arguments, timeout: plan.timeout, plan.interruption)
            if try child.verdict()?.kind == .leak { return try findLeak(in: half) }
        }
    }

    private func judge(_ verdict: Verdict, _ seed: Int) {
        let programClass = ProgramClass.of(seed, among: plan.classes)
        guard verdict.isFinding(for: programClass) else { return state.withLock { $0.outcome.traps += 1 } }
        let finding = Finding(seed: seed, programClass: programClass, verdict: verdict)
        let isNew = state.withLock { state in
            let isNew = !state.outcome.findings.contains { $0.verdict.signature == verdict.signature }
            if isNew { state.outcome.findings.append(finding) } else { state.outcome.repeated += 1 }
            return isNew
        }
        if isNew { found(finding) }
    }
}
