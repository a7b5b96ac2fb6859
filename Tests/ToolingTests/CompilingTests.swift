import XCTest

@testable import TestSupport

/// What the checks that code does not compile find out.
final class CompilingTests: XCTestCase {
    func testTheCompilersErrorsComeWithTheirLines() throws {
        let errors = try compile(["let number: Int = 1", "let word: Int = \"one\"", "func f() { missing() }"])
        XCTAssertEqual(errors.map(\.line), [2, 3])
        XCTAssertTrue(errors[0].message.contains("cannot convert value of type 'String'"), "\(errors)")
        XCTAssertEqual(errors[1].message, "cannot find 'missing' in scope")
    }

    func testWhatIsSentIsCheckedAndTheModulesOfTheTestsAreFound() throws {
        let errors = try compile([
            "import Tevent",
            "func run(_ events: EventContext) throws {",
            "    _ = try SystemThread(named: \"loop\") { try events.loopOnce() }",
            "}",
        ])
        XCTAssertEqual(errors.map(\.line), [3])
        XCTAssertTrue(errors.first?.message.contains("risks causing data races") == true, "\(errors)")
    }

    func testAFileThatIsRightHasNoErrors() throws {
        XCTAssertEqual(try compile(["import Talloc", "let memory = TallocContext.self"]), [])
    }

    func testCommentsNameErrorsAndTheLinesToTakeOut() {
        let file = MarkedFile(lines: [
            "one()  // error: first // error: second", "thread {  // error: third", "  two()  // without", "}",
        ])
        XCTAssertEqual(file.expected.map(\.description), ["line 1: first", "line 1: second", "line 2: third"])
        XCTAssertEqual(file.linesWithoutErrors, ["", "thread {  ", "", "}"])
    }

    func testErrorsAreComparedByTheirLinesAndWords() {
        let file = MarkedFile(lines: ["one()  // error: red", "two()  // error: blue"])
        let red = CompilerError(line: 1, message: "all is red here")
        let elsewhere = CompilerError(line: 3, message: "blue")
        let again = CompilerError(line: 1, message: "red once more")
        let (missing, unexpected) = file.compare(with: [red, elsewhere, again])
        XCTAssertEqual(missing, [CompilerError(line: 2, message: "blue")])
        XCTAssertEqual(unexpected, [elsewhere, again])
    }
}
