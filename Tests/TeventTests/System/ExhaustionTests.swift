import Glibc
import Talloc
import Tevent
import XCTest

final class ExhaustionTests: EngineTestCase {
    func testExhaustionIsDistinguishedFromOtherErrors() {
        for code in [EMFILE, ENFILE, ENOBUFS, ENOMEM] {
            XCTAssertTrue(TeventError.systemCall(name: "accept", code: code).isExhaustion, "\(code)")
        }
        XCTAssertTrue(TeventError.outOfMemory(name: "Request").isExhaustion)
        for code in [EBADF, ECONNRESET, EINVAL, EPERM, 0] {
            XCTAssertFalse(TeventError.systemCall(name: "accept", code: code).isExhaustion, "\(code)")
        }
        XCTAssertFalse(TeventError.badDescriptor(3).isExhaustion)
        XCTAssertFalse(TeventError.nestedLoop.isExhaustion)
    }

    func testAnAddressOfAnotherMachineIsExplained() {
        XCTAssertEqual(
            TeventError.systemCall(name: "bind", code: EADDRNOTAVAIL).description,
            "bind failed: Cannot assign requested address; choose an address of this machine, such as 127.0.0.1")
    }

    func testATerminalIsDistinguishedFromAPipe() throws {
        try onEachBackend { _ in
            let terminal = opened(open("/dev/ptmx", O_RDWR | O_NOCTTY))
            XCTAssertTrue(SystemIO.isTerminal(terminal))
            XCTAssertFalse(SystemIO.isTerminal(try pipe().writer))
            XCTAssertFalse(SystemIO.isTerminal(-1))
        }
    }
}
