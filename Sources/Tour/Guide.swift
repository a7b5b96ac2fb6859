import ArgumentParser
import Foundation

/// Leads through examples: builds them, runs each under its heading, compares, and sums up.
struct Guide {
    let repository: Repository
    let report = Report(style: .forStandardOutput)
    let runner: Runner

    init(repository: Repository, options: RunOptions) throws {
        self.repository = repository
        let interruption = Interruption()
        let programs = options.programs.map(Programs.init(folder:)) ?? .besideTheTour
        if options.programs == nil {
            report.isBuilding()
            try programs.build(in: repository, interruption: interruption)
        }
        runner = Runner(
            programs: programs, timeout: options.timeout, recordings: options.recordings, interruption: interruption)
    }

    /// Runs the examples and compares their output; fails if one is not as expected.
    func show(_ stops: [Stop]) throws {
        let start = ContinuousClock.now
        var unexpected: [Stop] = []
        for (index, stop) in stops.enumerated() {
            report.heading(stop, number: index + 1, of: stops.count)
            let begin = ContinuousClock.now
            let run = try runner.run(stop) { report.outputLine($0) }
            let expected = try? repository.read(stop.expectedPath)
            if !report.verdict(on: run, expected: expected, after: begin.duration(to: .now)) {
                unexpected.append(stop)
            }
        }
        report.summary(of: stops, unexpected: unexpected, after: start.duration(to: .now))
        if !unexpected.isEmpty { throw ExitCode.failure }
    }

    /// Records what the examples print as their expected output; one that fails keeps what it has.
    func record(_ stops: [Stop]) throws {
        for stop in stops {
            let run = try runner.run(stop) { _ in }
            if let failure = run.failure {
                throw Complaint("'\(stop.example.name)' is not recorded: \(failure).\n\(run.output)\(run.errors)")
            }
            let isNews = (try? repository.read(stop.expectedPath)) != run.output
            try repository.write(run.output, to: stop.expectedPath)
            say("\(isNews ? "recorded" : "unchanged"): \(stop.expectedPath)")
        }
        say("Now bring the tutorial up to date: swift run tour text")
    }
}
