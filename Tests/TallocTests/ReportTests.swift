import Talloc
import XCTest

final class ReportTests: XCTestCase {
    func testTheReportDrawsTheTreeInTheOrderItCame() throws {
        try withTallocContext(named: "server") { server in
            let first = try TallocContext(under: server, named: "first client")
            let session = try TallocContext(under: first, named: "session")
            _ = try TallocContext(under: session, named: "buffer")
            _ = try TallocContext(under: first, named: "address")
            let second = try TallocContext(under: server, named: "second client")
            _ = try TallocContext(under: second, named: "session")
            XCTAssertEqual(
                server.report().drawing(.names),
                """
                server
                ├─ first client
                │  ├─ session
                │  │  └─ buffer
                │  └─ address
                └─ second client
                   └─ session
                """)
        }
    }

    func testTheReportAlignsSizesAndBlocks() throws {
        try withTallocContext(named: "root") { root in
            _ = try TallocContext(under: root, named: "a longer name")
            let size = root.totalSize / 2
            XCTAssertEqual(
                root.report().description,
                """
                root              \(size) bytes, 2 blocks
                └─ a longer name  \(size) bytes, 1 block
                """)
        }
    }

    func testTheReportOfASingleObjectIsOneLine() throws {
        try withTallocContext(named: "alone") { XCTAssertEqual($0.report().drawing(.names), "alone") }
    }

    func testEntriesHaveNameDepthSizeAndBlocks() throws {
        try withTallocContext(named: "root") { root in
            let child = try TallocChunk(1, under: root, named: "child")
            _ = try TallocChunk(2, under: child, named: "grandchild")
            let entries = root.report().entries
            XCTAssertEqual(entries.map(\.name), ["root", "child", "grandchild"])
            XCTAssertEqual(entries.map(\.depth), [0, 1, 2])
            XCTAssertEqual(entries.map(\.blocks), [3, 2, 1])
            XCTAssertEqual(entries.reduce(0) { $0 + $1.size }, root.totalSize)
        }
    }

    func testAReportIsAPictureOfItsMoment() throws {
        try withTallocContext(named: "root") { root in
            let report = root.report()
            _ = try TallocContext(under: root)
            XCTAssertEqual(report.entries.count, 1)
            XCTAssertEqual(root.report().entries.count, 2)
        }
    }

    func testAReportOfManyChildrenIsWhole() throws {
        try withTallocContext(named: "root") { root in
            for number in 0..<2_000 { try TallocContext(under: root).setName("child \(number)") }
            let names = root.report().entries.filter { $0.depth == 1 }.map(\.name)
            XCTAssertEqual(names, (0..<2_000).map { "child \($0)" })
        }
    }
}
