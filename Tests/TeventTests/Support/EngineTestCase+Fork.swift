import CTestSupport
import Glibc
import XCTest

@testable import Tevent

extension EngineTestCase {
    /// Runs a body in a forked child, which reports through a pipe and ends immediately; returns its report.
    func inChild(_ body: () throws -> String) throws -> String {
        let pipe = try pipe()
        let child = test_fork()
        if child == 0 {
            // Ends the child if it waits forever.
            alarm(20)
            let said: String
            do { said = try body() } catch { said = "\(error)" }
            _ = try? SystemIO.write(pipe.writer, Array(said.utf8))
            _exit(0)
        }
        close(pipe.writer)
        XCTAssertEqual(waitpid(child, nil, 0), child)
        defer { close(pipe.reader) }
        return try read(pipe.reader)
    }
}
