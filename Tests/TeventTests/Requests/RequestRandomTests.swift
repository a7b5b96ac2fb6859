import Talloc
import XCTest

@testable import Tevent

/// Random programs with requests, also in callbacks, cleanup and cancel functions, checked against a simple model.
final class RequestRandomTests: EngineTestCase {
    func testRandomProgramsBehaveAsTheModelDoes() throws {
        try runPrograms(seeds: 1...80) { _ in }
    }

    func testRandomProgramsInsideManyCallbacks() throws {
        // With little stack, so that it is used up by then.
        nonisolated(unsafe) let test = self
        try onSmallStack { try test.runPrograms(seeds: 1001...1025) { $0.isDeep = true } }
    }

    func testRandomProgramsUnderAMemoryLimit() throws {
        try runPrograms(seeds: 2001...2040) { program in
            try program.memory.setMemoryLimit(bytes: program.memory.totalSize + 16_000)
        }
    }

    private func runPrograms(seeds: ClosedRange<UInt64>, _ prepare: (RequestProgram) throws -> Void) throws {
        try onEachBackend { backend in
            var calls = 0
            for seed in seeds {
                let program = try RequestProgram(seed: seed, backend: backend)
                try prepare(program)
                for _ in 0..<60 { program.step() }
                program.end()
                XCTAssertEqual(program.tokensAlive, 0, "seed \(seed): states or closures were kept")
                XCTAssertEqual(program.complaints, [], "seed \(seed)")
                calls += program.calls
                if !program.complaints.isEmpty { return }
            }
            XCTAssertGreaterThan(calls, seeds.count * 10, "the programs hardly did anything")
        }
    }
}
