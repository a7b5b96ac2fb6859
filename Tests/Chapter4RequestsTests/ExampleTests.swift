import Foundation
import TestSupport
import XCTest

/// The chapter's programs, run as a reader runs them.
final class ExampleTests: XCTestCase {
    func testAddLater() throws { try check("add-later") }

    func testEchoServer() throws { try check("echo-server", ["--demo"]) }

    func testEchoLoad() throws { try check("echo-load", ["--demo"]) }

    private func check(_ example: String, _ arguments: [String] = []) throws {
        try assertExample(example, chapterFolder: "4-Requests", arguments: arguments)
        try assertRefuses(["--backend", "kqueue"], by: example, saying: "Error: there is no backend 'kqueue'")
    }
}
