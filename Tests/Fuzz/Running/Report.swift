/// Describes the results of a campaign.
struct Report: Sendable {
    private let plan: Campaign.Plan
    private let mode: Mode

    init(_ plan: Campaign.Plan, mode: Mode) {
        self.plan = plan
        self.mode = mode
    }

    /// What was found, and how to reproduce it.
    func headline(_ finding: Finding) -> String {
        """
        FAILED: class \(finding.programClass.name), seed \(finding.seed): \(finding.verdict.description)
            fuzz \(command(finding)) --trace
        """
    }

    /// The finding with the steps that lead to it.
    ///
    /// - Throws: ``Interrupted``.
    func description(of finding: Finding) throws -> String {
        let steps = program(finding.seed, finding.programClass).flatMap(\.flattened).map(\.number).filter {
            mode.kept?.contains($0) ?? true
        }
        let shrinking = Shrinking { try verdict(of: finding, keeping: $0)?.signature == finding.verdict.signature }
        guard try shrinking.stillFails(steps) else {
            return "\(headline(finding))\n    It does not always end like this, so its steps were not reduced."
        }
        let kept = try NumberList(shrinking.shrink(steps))
        return """
            \(headline(finding))
            With these steps alone, --keep \(kept):
            \(self.steps(of: finding.seed, finding.programClass, kept, indent: "    "))
            """
    }

    /// The steps of a program, one per line.
    func steps(of seed: Int) -> String { steps(of: seed, ProgramClass.of(seed, among: plan.classes), mode.kept) }

    func summary(_ outcome: Campaign.Outcome, _ duration: Duration) -> String {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        let rate = Int(Double(outcome.programs) / max(seconds, 0.001) * 60)
        let tenths = Int(seconds * 10)
        return "\(outcome.programs) programs in \(tenths / 10).\(tenths % 10) s (\(rate) a minute): "
            + "\(outcome.findings.count) different findings, \(outcome.repeated) more like them, "
            + "\(outcome.traps) right traps"
    }

    // MARK: Inside

    private func command(_ finding: Finding) -> String {
        "--class \(finding.programClass.name) --seed \(finding.seed)"
            + (mode.fault.map { " --fault \($0.rawValue)" } ?? "")
    }

    private func program(_ seed: Int, _ programClass: ProgramClass) -> [Operation] {
        var generator = Generator(programClass, seed: seed)
        return generator.program()
    }

    private func steps(of seed: Int, _ programClass: ProgramClass, _ kept: NumberList?, indent: String = "") -> String {
        program(seed, programClass).flatMap { $0.lines(indent) { kept?.contains($0.number) ?? true } }
            .joined(separator: "\n")
    }

    private func verdict(of finding: Finding, keeping steps: [Int]) throws -> Verdict? {
        let arguments = [
            "--seeds", "\(finding.seed)", "--class", finding.programClass.name, "--keep", "\(NumberList(steps))",
        ]
        let fault = mode.fault.map { ["--fault", $0.rawValue] } ?? []
        return try Child(arguments + fault, timeout: min(plan.timeout, .seconds(5)), plan.interruption).verdict()
    }
}
