import Talloc
import TestSupport
import Tevent
import XCTest

extension EngineTestCase {
    /// Runs a set-up under every memory limit until one suffices; each failure must leave everything as it was.
    func underEveryLimit(
        line: UInt = #line, _ setUp: (_ memory: TallocContext, _ token: Token) throws -> Void
    ) throws {
        for limit in stride(from: 1, through: 200_000, by: 8) {
            weak var held: Token?
            let memory = try TallocContext()
            defer { memory.free() }
            let descriptors = openDescriptors()
            var failed: Error?
            do {
                let token = Token()
                held = token
                try memory.setMemoryLimit(bytes: limit)
                do { try setUp(memory, token) } catch { failed = error }
            }
            memory.freeChildren()
            XCTAssertNil(held, "a handler was kept under a limit of \(limit) bytes", line: line)
            XCTAssertEqual(memory.totalBlocks, 1, "under a limit of \(limit) bytes", line: line)
            XCTAssertEqual(openDescriptors(), descriptors, "under a limit of \(limit) bytes", line: line)
            guard let failed else {
                XCTAssertGreaterThan(limit, 100, "the limit was never felt", line: line)
                return
            }
            if let failed = failed as? TeventError, case .outOfMemory(let name) = failed {
                XCTAssertTrue(name.hasPrefix("struct tevent_"), name, line: line)
            } else {
                XCTFail("\(failed)", line: line)
            }
        }
        XCTFail("no limit sufficed", line: line)
    }
}
