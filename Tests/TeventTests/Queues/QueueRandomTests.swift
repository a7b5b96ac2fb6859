import XCTest

/// Random programs with queues, also in triggers, callbacks, traces and deinits, checked against a simple model.
final class QueueRandomTests: EngineTestCase {
    func testRandomProgramsBehaveAsTheModelDoes() throws {
        try onEachBackend { backend in
            var triggersCalled = 0
            let seeds: ClosedRange<UInt64> = 1...50
            for seed in seeds {
                let program = try QueueProgram(seed: seed, backend: backend)
                for _ in 0..<40 where program.complaints.isEmpty { program.step() }
                program.end()
                XCTAssertEqual(program.complaints, [], "seed \(seed)")
                XCTAssertEqual(program.tokensAlive, 0, "seed \(seed): states or closures were kept")
                triggersCalled += program.triggersCalled
                if !program.complaints.isEmpty { return }
            }
            XCTAssertGreaterThan(triggersCalled, seeds.count * 10, "the programs hardly did anything")
        }
    }
}
