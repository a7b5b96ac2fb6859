import Talloc
import TestSupport
import Tevent
import XCTest

extension EngineTestCase {
    /// Runs a set-up repeatedly, each time with another allocation that fails, until it needs no more allocations.
    ///
    /// Each failure must leave everything as it was.
    func failingEachAllocation(
        line: UInt = #line, _ setUp: (_ memory: TallocContext, _ token: Token) throws -> Void
    ) throws {
        for number in 0..<1_000 {
            weak var held: Token?
            let memory = try TallocContext()
            defer { memory.free() }
            let descriptors = openDescriptors()
            var failed: Error?
            do {
                let token = Token()
                held = token
                MemoryLimits.failAllocation(after: number)
                do { try setUp(memory, token) } catch { failed = error }
            }
            let hasSucceeded = MemoryLimits.failAllocation(after: nil)
            memory.freeChildren()
            XCTAssertNil(held, "a handler was kept when allocation \(number) failed", line: line)
            XCTAssertEqual(memory.totalBlocks, 1, "when allocation \(number) failed", line: line)
            XCTAssertEqual(openDescriptors(), descriptors, "when allocation \(number) failed", line: line)
            if hasSucceeded {
                XCTAssertGreaterThan(number, 0, "nothing was allocated", line: line)
                return XCTAssertNil(failed, line: line)
            }
            if let failed = failed as? TeventError, case .outOfMemory(let name) = failed {
                XCTAssertTrue(name.hasPrefix("struct tevent_"), name, line: line)
            } else {
                XCTFail("\(String(describing: failed)) when allocation \(number) failed", line: line)
            }
        }
        XCTFail("it never succeeded", line: line)
    }
}
