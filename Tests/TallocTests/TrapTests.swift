import Foundation
import Talloc
import TestSupport
import XCTest

/// Misuse that ends the program: each trap names the object, the call and the reason.
///
/// Run in child processes.
final class TrapTests: XCTestCase {
    private func assertTrapped(
        _ result: ProgramResult, saying message: String, line: UInt = #line
    ) {
        XCTAssertNotNil(result.signal, "exit code \(result.exitCode ?? -1)", line: line)
        XCTAssertTrue(result.stderr.contains(message), "standard error was: \(result.stderr)", line: line)
    }

    func testUsingAFreedChunkNamesItsTypeAndTheCall() throws {
        let result = try runInChild(self) {
            let chunk = try TallocChunk([1, 2])
            chunk.free()
            print(chunk.value)
        }
        assertTrapped(
            result,
            saying: "TallocChunk<Array<Int>>.value was called on a freed TallocChunk<Array<Int>>")
    }

    func testFreeingTwiceTraps() throws {
        let result = try runInChild(self) {
            let context = try TallocContext()
            context.free()
            context.free()
        }
        assertTrapped(result, saying: "TallocContext.free() was called on a freed TallocContext")
    }

    func testAFreedParentTraps() throws {
        let result = try runInChild(self) {
            let parent = try TallocContext()
            parent.free()
            _ = try TallocContext(under: parent)
        }
        assertTrapped(result, saying: "TallocContext.init(under:named:) was called on a freed TallocContext")
    }

    func testAHandleWhoseSlotServesAnotherObjectTraps() throws {
        let result = try runInChild(self) {
            let old = try TallocChunk(1)
            old.free()
            let new = try TallocChunk(2)
            print(old.value, new.value)
        }
        assertTrapped(result, saying: "TallocChunk<Int>.value was called on a freed TallocChunk<Int>")
        XCTAssertEqual(result.stdout.contains("2 2"), false)
    }

    func testTheValueOfAnotherTypeTrapsAndNamesBoth() throws {
        let result = try runInChild(self) {
            let chunk = try TallocChunk(42, named: "answer")
            print(chunk.tallocContext.chunk(expecting: String.self).value)
        }
        assertTrapped(
            result,
            saying: "'answer', a chunk of 'Int', was used as a chunk of 'String'; "
                + "look at the type it was made with")
    }

    func testTypesOfTheSameNameAreDistinguished() throws {
        enum Elsewhere { struct Oval {} }
        struct Oval {}
        let result = try runInChild(self) {
            let chunk = try TallocChunk(Elsewhere.Oval())
            XCTAssertNil(chunk.chunk(of: Oval.self))
            _ = chunk.chunk(expecting: Oval.self)
        }
        assertTrapped(result, saying: "a chunk of 'TallocTests.")
        XCTAssert(result.stderr.contains("Elsewhere.Oval' was used as a chunk of 'TallocTests."), result.stderr)
    }

    func testAContextUsedAsATypedChunkTraps() throws {
        let result = try runInChild(self) {
            _ = try TallocContext(named: "plain").chunk(expecting: Int.self)
        }
        assertTrapped(result, saying: "'plain' is no chunk of a value and was used as a chunk of 'Int'")
    }

    func testAskingAFreedChunkForItsTypeTraps() throws {
        let result = try runInChild(self) {
            let chunk = try TallocChunk(1)
            chunk.free()
            print(chunk.tallocContext.chunk(of: Int.self) as Any)
        }
        assertTrapped(result, saying: "TallocContext.chunk(of:) was called on a freed TallocContext")
    }

    func testExpectingATypeOfAFreedChunkTraps() throws {
        let result = try runInChild(self) {
            let chunk = try TallocChunk(1)
            chunk.free()
            _ = chunk.tallocContext.chunk(expecting: Int.self)
        }
        assertTrapped(result, saying: "TallocContext.chunk(expecting:) was called on a freed TallocContext")
    }

    func testMovingUnderItselfTraps() throws {
        let result = try runInChild(self) {
            let top = try TallocContext(named: "top")
            top.move(under: try TallocContext(under: TallocContext(under: top), named: "bottom"))
        }
        assertTrapped(result, saying: "'top' cannot move under 'bottom', which belongs to it")
    }

    func testMovingUnderTheObjectItselfTraps() throws {
        let result = try runInChild(self) {
            let top = try TallocContext(named: "top")
            top.move(under: top)
        }
        assertTrapped(result, saying: "'top' cannot move under 'top'")
    }

    func testFreeingAChunkInTheMiddleOfAChangeTraps() throws {
        let result = try runInChild(self) {
            let parent = try TallocContext()
            let chunk = try TallocChunk([1], under: parent, named: "numbers")
            func change(_ value: inout [Int]) {
                parent.free()
                value.append(1)
            }
            change(&chunk.value)
        }
        assertTrapped(result, saying: "'numbers' was freed while its value was being changed")
    }

    func testChangingAChunkInTheMiddleOfAChangeTraps() throws {
        let result = try runInChild(self) {
            let chunk = try TallocChunk([1], named: "numbers")
            func change(_ value: inout [Int]) { chunk.value.append(2) }
            change(&chunk.value)
        }
        assertTrapped(result, saying: "the value of 'numbers' was used while it was being changed")
    }

    func testReplacingAValueInTheMiddleOfAChangeTraps() throws {
        let result = try runInChild(self) {
            let chunk = try TallocChunk([1], named: "numbers")
            func change(_ value: inout [Int]) { chunk.value = [] }
            change(&chunk.value)
        }
        assertTrapped(result, saying: "the value of 'numbers' was used while it was being changed")
    }

    func testReadingAChunkInTheMiddleOfAChangeTraps() throws {
        let result = try runInChild(self) {
            let chunk = try TallocChunk([1], named: "numbers")
            func change(_ value: inout [Int]) { value = chunk.value + chunk.value }
            change(&chunk.value)
        }
        assertTrapped(result, saying: "the value of 'numbers' was used while it was being changed")
    }

    func testAPlainDestructorForATypedChunkTraps() throws {
        let result = try runInChild(self) {
            try TallocChunk(1, named: "typed").tallocContext.setDestructor { _ in .allow }
        }
        assertTrapped(result, saying: "'typed' is not plain memory and has a destructor of its own")
    }

    func testAMemoryLimitOfNothingTraps() throws {
        let result = try runInChild(self) { try TallocContext().setMemoryLimit(bytes: 0) }
        assertTrapped(result, saying: "a memory limit must be more than 0 bytes, not 0; nil lifts the limit")
    }

    func testANegativePoolTraps() throws {
        let result = try runInChild(self) { _ = try TallocPool(objects: -1, bytes: 10) }
        assertTrapped(result, saying: "a pool for -1 objects of 10 bytes cannot be made")
    }

    func testTheAbortHookReceivesTheReasonBeforeTheProgramEnds() throws {
        let result = try runInChild(self) {
            TallocLibrary.setAbortHook { FileHandle.standardOutput.write(Data("told: \($0)\n".utf8)) }
            let context = try TallocContext()
            context.free()
            _ = context.name
        }
        assertTrapped(result, saying: "TallocContext.name was called on a freed TallocContext")
        XCTAssertTrue(result.stdout.contains("told: TallocContext.name was called"), result.stdout)
    }

    func testAnAbortHookThatTrapsEndsTheProgramWithBothReasons() throws {
        let result = try runInChild(self) {
            TallocLibrary.setAbortHook { _ in
                guard let chunk = try? TallocChunk(1) else { return }
                chunk.free()
                chunk.value += 1
            }
            let context = try TallocContext()
            context.free()
            _ = context.name
        }
        assertTrapped(result, saying: "TallocContext.name was called on a freed TallocContext")
        assertTrapped(
            result, saying: "the abort hook, called with that reason, then trapped as well: TallocChunk<Int>.value was")
    }

    func testAskingWhetherItIsFreedNeverTraps() throws {
        let result = try runInChild(self) {
            let context = try TallocContext()
            context.free()
            _ = try TallocContext()
            guard context.isFreed else { fatalError("it was freed") }
        }
        XCTAssertEqual(result.exitCode, 0, result.stderr)
    }
}
