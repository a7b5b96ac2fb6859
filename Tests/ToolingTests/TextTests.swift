import XCTest

/// The text tool fills pages from their sources, and its check finds each kind of mistake in a page.
final class TextTests: XCTestCase {
    private var fixture: Fixture!
    private let page = "Tutorial/1-tea.md"
    private let source = "Chapters/1-Tea/boil-water/BoilWater.swift"

    override func setUpWithError() throws { fixture = try Fixture() }

    override func tearDown() { fixture = nil }

    func testAProjectInOrderPasses() throws {
        let result = try fixture.tour("text", "--check")
        XCTAssertEqual(result.stdout, "The text is in order.\n")
        XCTAssertEqual(result.exitCode, 0)
    }

    // MARK: Rewriting

    func testChangedCodeAndOutputAreUpdated() throws {
        let before = try fixture.read(page)
        try fixture.replace(source, "    boil(water)", "    if cold {\n        boil(water)\n\n    }")
        try fixture.write("Chapters/1-Tea/boil-water/expected.txt", "it sings\nit boils\n")
        XCTAssertEqual(try fixture.tour("text").stdout, "rewritten: Tutorial/1-tea.md\nThe text is in order.\n")
        let after = before.replacing("```swift\nboil(water)\n", with: "```swift\nif cold {\n    boil(water)\n\n}\n")
            .replacing("it boils", with: "it sings\nit boils")
        XCTAssertEqual(try fixture.read(page), after)
    }

    func testACommentWithoutAFenceGetsOne() throws {
        let before = try fixture.read(page)
        try fixture.replace(page, " -->\n```text\nit boils\n```\n", " -->\n")
        try assertFault("Tutorial/1-tea.md:8: no complete fence follows the comment")
        XCTAssertEqual(try fixture.tour("text").exitCode, 0)
        XCTAssertEqual(try fixture.read(page), before)
    }

    func testMarkersOfInnerSnippetsAreNotShown() throws {
        try fixture.replace(source, "boil(water)", "// snippet: inner\n    boil(water)\n    // snippet-end: inner")
        try fixture.append(page, "<!-- code: \(source)#inner -->\n")
        XCTAssertEqual(try fixture.tour("text").exitCode, 0)
        XCTAssertFalse(try fixture.read(page).contains("snippet"))
        XCTAssertEqual(try fixture.read(page).components(separatedBy: "```swift\nboil(water)\n```\n").count, 3)
    }

    func testAFenceIsLongerThanAnyInItsBody() throws {
        try fixture.write("Chapters/1-Tea/boil-water/expected.txt", "```\nit boils\n")
        XCTAssertEqual(try fixture.tour("text").exitCode, 0)
        XCTAssertTrue(try fixture.read(page).contains("````text\n```\nit boils\n````\n"))
        XCTAssertEqual(try fixture.tour("text", "--check").exitCode, 0)
    }

    func testTheCheckChangesNothing() throws {
        try fixture.replace(page, "it boils", "it froze")
        let before = try fixture.read(page)
        _ = try fixture.tour("text", "--check")
        XCTAssertEqual(try fixture.read(page), before)
    }

    // MARK: Fences

    func testStaleCodeIsFound() throws {
        try fixture.replace(page, "boil(water)", "boil(milk)")
        try assertFault("Tutorial/1-tea.md:3: not what its source says now")
    }

    func testStaleOutputIsFound() throws {
        try fixture.replace(page, "it boils", "it froze")
        try assertFault("Tutorial/1-tea.md:8: not what its source says now")
    }

    func testTypedSwiftIsFound() throws {
        try fixture.append(page, "\n```swift\nlet typed = true\n```\n")
        try assertFault("Tutorial/1-tea.md:13: Swift code that was typed, not cut from a file that compiles")
    }

    func testTypedCIsFree() throws {
        try fixture.append(page, "\n```c\nint typed;\n```\n")
        XCTAssertEqual(try fixture.tour("text", "--check").exitCode, 0)
    }

    func testWhatAnIndentedCodeBlockShowsIsNoComment() throws {
        try fixture.append(page, "\n    <!-- output: boil-watr -->\n    ```swift\n")
        XCTAssertEqual(try fixture.tour("text", "--check").exitCode, 0)
    }

    func testAFenceWithoutEndIsFound() throws {
        try fixture.append(page, "\n```c\nint typed;\n")
        try assertFault("Tutorial/1-tea.md:13: the fence never ends")
    }

    func testAnUnknownSnippetSuggestsTheNearest() throws {
        try fixture.append(page, "<!-- code: \(source)#boyl -->\n")
        try assertFault("Tutorial/1-tea.md:12: \(source) has no snippet 'boyl'\n    Did you mean 'boil'?")
    }

    func testAnUnknownSourceSuggestsTheNearest() throws {
        try fixture.append(page, "<!-- code: Chapters/1-Tea/boil-water/BoilWatr.swift#boil -->\n")
        try assertFault(
            "there is no source file 'Chapters/1-Tea/boil-water/BoilWatr.swift'\n    Did you mean '\(source)'?")
    }

    func testAnUnknownExampleSuggestsTheNearest() throws {
        try fixture.append(page, "<!-- output: boil-watr -->\n")
        try assertFault("Tutorial/1-tea.md:12: no example is called 'boil-watr'\n    Did you mean 'boil-water'?")
    }

    func testOutputThatNoPageShowsIsFound() throws {
        try fixture.replace(page, "<!-- output: boil-water -->\n", "")
        try assertFault("Tutorial/1-tea.md: no page shows what 'boil-water' prints")
    }

    // MARK: Snippets

    func testASnippetThatNoPageShowsIsFound() throws {
        try fixture.write("Sources/Cup.swift", fixture.source(snippet: "cup", code: "fill(cup)"))
        try assertFault("Sources/Cup.swift:2: no page shows the snippet 'cup'")
    }

    func testAnEmptySnippetIsFound() throws {
        try fixture.replace(source, "    boil(water)\n", "\n")
        try assertFault("\(source):2: the snippet 'boil' is empty")
    }

    func testTwoSnippetsOfOneNameAreFound() throws {
        try fixture.append(source, fixture.source(snippet: "boil", code: "boil(milk)"))
        try assertFault("\(source):7: the file has another snippet called 'boil'")
    }

    func testASnippetWithoutEndIsFound() throws {
        try fixture.replace(source, "    // snippet-end: boil\n", "")
        try assertFault("\(source):2: the snippet 'boil' has no end")
    }

    func testAnEndWithoutSnippetIsFound() throws {
        try fixture.append(source, "// snippet-end: tea\n")
        try assertFault("\(source):6: 'snippet-end: tea' ends what never began")
    }

    func testAnInvalidNameIsFound() throws {
        try fixture.write("Sources/Cup.swift", fixture.source(snippet: "My Cup", code: "fill(cup)"))
        try assertFault("Sources/Cup.swift:2: 'My Cup' is no name for a snippet")
    }

    // MARK: Links

    func testABrokenLinkIsFoundInEveryPage() throws {
        for file in ["README.md", "CONTRIBUTING.md", "Tutorial/3-soup.md"] {
            try fixture.write(file, "See [the soup](soup.md).\n")
            try assertFault("\(file):1: the link to 'soup.md' points to nothing")
            try fixture.remove(file)
        }
    }

    func testAPictureThatIsMissingIsFound() throws {
        try fixture.append(page, "![A cup](cup.svg)\n")
        try assertFault("Tutorial/1-tea.md:12: the link to 'cup.svg' points to nothing")
    }

    func testAHeadingThatIsMissingIsFound() throws {
        try fixture.append(page, "[Cake](2-cake.md#the-icing)\n")
        try assertFault("the link to '2-cake.md#the-icing' names a heading that Tutorial/2-cake.md does not have")
    }

    func testAPlaceInASourceFileIsFound() throws {
        try fixture.append(page, "[code](../\(source)#L3)\n")
        try assertFault("the link to '../\(source)#L3' names a place in a file that is no page")
    }

    func testALinkOutOfTheProjectIsFound() throws {
        try fixture.append(page, "[away](../../away.md)\n")
        try assertFault("the link to '../../away.md' leads out of the project")
    }

    func testGoodLinksPass() throws {
        try fixture.append(
            page,
            """
            ## `Tea`, twice: why?
            ## Tea twice why
            [file](2-cake.md) [folder](../Chapters/) [heading](2-cake.md#a-page) [here](#tea-twice-why-1)
            [web](https://example.org/none) `[code](none.md)` [named][1] ![picture](../\(source) "with a title")

            [1]: <2-cake.md>

            """)
        let result = try fixture.tour("text", "--check")
        XCTAssertEqual(result.exitCode, 0, result.stdout)
    }

    // MARK: Helpers

    private func assertFault(_ fault: String, line: UInt = #line) throws {
        let result = try fixture.tour("text", "--check")
        XCTAssertEqual(result.exitCode, 1, line: line)
        XCTAssertTrue(result.stdout.contains(fault), result.stdout + result.stderr, line: line)
    }
}
