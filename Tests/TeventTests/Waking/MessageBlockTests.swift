import Talloc
import XCTest

@testable import Tevent

/// The memory of messages, which one thread takes and another gives back.
final class MessageBlockTests: XCTestCase {
    /// The block that an address belongs to, or what would be one.
    private func block(of memory: UnsafeMutableRawPointer) -> UInt { UInt(bitPattern: memory) / 32768 }

    private func allocate(_ size: Int) -> UnsafeMutableRawPointer { MessageBlock.allocate(size)! }

    func testMessagesOfAllSizesHaveMemoryOfTheirOwn() throws {
        let sizes = Array(1...2000)
        let messages = sizes.map { size in
            let memory = allocate(size)
            XCTAssertEqual(UInt(bitPattern: memory) % 16, 0)
            memory.initializeMemory(as: UInt8.self, repeating: UInt8(truncatingIfNeeded: size), count: size)
            return UInt(bitPattern: memory)
        }
        for (size, message) in zip(sizes, messages) {
            let bytes = UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: message), count: size)
            XCTAssertTrue(bytes.allSatisfy { $0 == UInt8(truncatingIfNeeded: size) }, "size \(size)")
        }
        try SystemThread(named: "receiver") {
            for (size, message) in zip(sizes, messages) {
                MessageBlock.free(UnsafeMutableRawPointer(bitPattern: message)!, size: size)
            }
        }.join()
    }

    func testMemoryIsUsedAgain() {
        var blocks: Set<UInt> = []
        for number in 0..<10_000 {
            let size = 1 + number % 1000
            let message = allocate(size)
            blocks.insert(block(of: message))
            MessageBlock.free(message, size: size)
        }
        XCTAssertLessThan(blocks.count, 5)
    }

    func testABlockIsNotUsedAgainBeforeItsLastMessageIsFreed() {
        let first = allocate(64)
        for _ in 0..<5_000 {
            let other = allocate(64)
            XCTAssertNotEqual(other, first)
            MessageBlock.free(other, size: 64)
        }
        MessageBlock.free(first, size: 64)
    }

    func testAThreadThatEndsLeavesTheRestOfItsBlockToOthers() throws {
        var blocks: Set<UInt> = []
        for _ in 0..<30 {
            let message = try SystemThread(named: "sender") {
                MessageBlock.allocate(64).map { UInt(bitPattern: $0) } ?? 0
            }.join()
            let memory = UnsafeMutableRawPointer(bitPattern: message)!
            blocks.insert(block(of: memory))
            MessageBlock.free(memory, size: 64)
        }
        XCTAssertLessThan(blocks.count, 5)
    }
}
