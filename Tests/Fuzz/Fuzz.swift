import ArgumentParser
import Tevent

@main
struct Fuzz: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fuzz",
        abstract: "Runs random programs over the whole public API, none of which may break the engine.",
        discussion: """
            A program is a list of steps that is generated from its seed. It gives the engine foreign code that runs further \
            steps: handlers, traces, destructors, deinits. Each program runs in a separate process. A crash, a hang, a trap \
            without one of the engine's messages, a lost event and a closure that was not released are findings. In classes \
            with misuse, a trap with one of the engine's messages is not.

            Each finding is printed with the fewest steps that lead to it. The exit code is 1 if there was one.
            """)

    @Option(help: "Which programs to run, such as 1-2000 or 3,5,8-11.")
    var seeds: NumberList?

    @Option(help: "Run this program alone.")
    var seed: Int?

    @Option(
        name: .customLong("class"), help: "A class of programs; may be given several times. All of them, by default.")
    var classNames: [String] = []

    @Flag(help: "List the classes.")
    var list = false

    @Option(help: "How many processes to use at a time.")
    var jobs = 2

    @Option(help: "Run programs for this many seconds, from a seed that is picked at random.")
    var seconds: Int?

    @Option(help: "How many seconds a program may take.")
    var timeout = 20

    @Option(help: "End after this many different findings, or ten times as many similar ones.")
    var findings = 5

    @Option(help: "Do only these steps, such as 1-8,12; with --seed.")
    var keep: NumberList?

    @Flag(help: "Write each step to standard error as it is done; with --seed.")
    var trace = false

    @Flag(help: "Print the steps of the program instead of doing them; with --seed.")
    var show = false

    @Flag(help: "Leave findings as they are, with all steps.")
    var noShrink = false

    @Option(help: "Commit a fault on purpose, to check that it is found: \(SeededFault.allNames).")
    var fault: SeededFault?

    @Flag(help: "Record what the programs do as well, which must change nothing.")
    var recorded = false

    @Flag(help: .hidden)
    var worker = false

    func validate() throws {
        for name in classNames where ProgramClass.named(name) == nil {
            throw ValidationError("There is no class '\(name)'; --list names them all.")
        }
        if (keep != nil || trace || show), seed == nil, !worker {
            throw ValidationError("Give the program with --seed.")
        }
        if seed.map({ $0 < 0 }) == true { throw ValidationError("Seeds are not negative.") }
        if [seeds != nil, seed != nil, seconds != nil].count(where: { $0 }) > 1 {
            throw ValidationError("Give only one of --seeds, --seed and --seconds.")
        }
        if jobs < 1 || timeout < 1 || findings < 1 || seconds.map({ $0 < 1 }) == true {
            throw ValidationError("Numbers must be at least 1.")
        }
    }

    func run() throws {
        SystemIO.printLineByLine()
        if list { return print(ProgramClass.all.map { "\($0.name): \($0.summary)" }.joined(separator: "\n")) }
        if recorded, worker { try DiscardedRecording.begin() }
        if worker || trace { return try Worker(classes: classes, mode: mode).run(seeds ?? seedList) }
        if show { return print(try Report(plan(), mode: mode).steps(of: seed ?? 0)) }
        try runCampaign()
    }

    private var seedList: NumberList { NumberList(seed.map { [$0...$0] } ?? []) }

    private var classes: [ProgramClass] {
        classNames.isEmpty ? ProgramClass.all : classNames.compactMap(ProgramClass.named)
    }

    private var mode: Mode { Mode(kept: keep, traces: trace, fault: fault) }

    private func plan() throws -> Campaign.Plan {
        var arguments = classNames.flatMap { ["--class", $0] }
        if recorded { arguments += ["--recorded"] }
        if let keep { arguments += ["--keep", "\(keep)"] }
        if let fault { arguments += ["--fault", fault.rawValue] }
        return try Campaign.Plan(
            classes: classes, seeds: seeds ?? seedList, jobs: jobs, timeout: .seconds(timeout), arguments: arguments,
            mostFindings: findings, interruption: Interruption())
    }

    /// The exit code that a shell expects of a program that Ctrl-C has ended.
    private static let interruptedCode: Int32 = 130

    private func runCampaign() throws {
        var plan = try plan()
        let start = ContinuousClock.now
        if let seconds {
            let first = Int.random(in: 1..<1_000_000_000)
            print("seeds from \(first) on, for \(seconds) seconds")
            plan.seeds = NumberList([first...first + 100_000_000])
            plan.end = start + .seconds(seconds)
        }
        guard !plan.seeds.ranges.isEmpty else {
            throw ValidationError("Say which programs to run: --seeds, --seed or --seconds.")
        }
        let report = Report(plan, mode: mode)
        defer { if recorded { DiscardedRecording.removeAll() } }
        let outcome = try Campaign(plan) { print("\n\(report.headline($0))") }.run()
        var isInterrupted = outcome.isInterrupted
        for finding in outcome.findings where !noShrink && !isInterrupted {
            do { print("\n\(try report.description(of: finding))") } catch is Interrupted { isInterrupted = true }
        }
        print(report.summary(outcome, start.duration(to: .now)))
        if !outcome.findings.isEmpty { throw ExitCode.failure }
        if isInterrupted { throw ExitCode(Self.interruptedCode) }
    }
}

extension SeededFault {
    fileprivate static var allNames: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
