import CTalloc
import CTevent
import Glibc
import TestSupport
import XCTest

/// What the suites of the C API share: a talloc tree of their own, contexts with each backend, and a log.
///
/// The tests call the functions that C programs call. Handlers in C capture nothing, so their private data is the address
/// of an object that holds a closure; the test case keeps it until the test ends.
class CAPITestCase: XCTestCase {
    /// The root of everything in a test; it is freed when the test ends.
    private(set) var memory: UnsafeMutableRawPointer?
    /// What handlers note, in order.
    var log: [String] = []
    private var kept: [AnyObject] = []
    private var before: [Int32: String] = [:]
    private var backend: String?

    override class func setUp() { prepareDispatch() }

    override func setUp() {
        // A loop that sleeps forever ends the tests; the output ends with the name of this one.
        alarm(30)
        before = openDescriptors()
        memory = talloc_named_const(nil, 0, c("test"))
    }

    override func tearDown() {
        alarm(0)
        release(memory)
        memory = nil
        kept = []
        tevent_set_abort_fn(nil)
        XCTAssertEqual(openDescriptors(), before, "descriptors were left open")
    }

    /// Runs a test once with a context of each backend, which is freed afterwards together with everything that was
    /// created.
    func onEachBackend(_ body: (_ ev: OpaquePointer) throws -> Void) throws {
        for name in ["epoll", "poll", "poll_mt"] {
            backend = name
            defer { backend = nil }
            log = []
            try body(XCTUnwrap(tevent_context_init_byname(memory, name)))
            talloc_free_children(memory)
        }
    }

    /// A context with the standard backend.
    func context() throws -> OpaquePointer { try XCTUnwrap(tevent_context_init(memory)) }

    /// Keeps a closure, or another value, until the test ends, and returns its address for a handler.
    func keep<Value>(_ value: Value) -> UnsafeMutableRawPointer {
        let box = Box(value)
        kept.append(box)
        return Unmanaged.passUnretained(box).toOpaque()
    }

    /// Runs one turn of a loop, which must succeed.
    func once(_ ev: OpaquePointer, file: StaticString = #filePath, line: UInt = #line) {
        XCTAssertEqual(_tevent_loop_once(ev, here), 0, file: file, line: line)
    }

    /// Runs a context's loop until nothing is left, which must succeed.
    func wait(_ ev: OpaquePointer, file: StaticString = #filePath, line: UInt = #line) {
        XCTAssertEqual(_tevent_loop_wait(ev, here), 0, file: file, line: line)
    }

    /// Whether a turn of the loop would find nothing to do: it runs only a mark that is scheduled last.
    func isQuiet(_ ev: OpaquePointer) -> Bool {
        var isQuiet = false
        let old = log
        let mark = timer(ev) { _, _, _ in isQuiet = true }
        once(ev)
        if !isQuiet { release(mark) }
        return isQuiet && log == old
    }

    /// The two ends of a pipe, which the caller must close.
    func pipe() -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        XCTAssertEqual(Glibc.pipe(&ends), 0)
        return (ends[0], ends[1])
    }

    func write(_ descriptor: Int32, _ text: String = "x") {
        XCTAssertEqual(Glibc.write(descriptor, text, text.utf8.count), text.utf8.count)
    }

    override func recordFailure(
        withDescription description: String, inFile filePath: String, atLine lineNumber: Int, expected: Bool
    ) {
        let prefix = backend.map { "[\($0)] " } ?? ""
        super.recordFailure(
            withDescription: prefix + description, inFile: filePath, atLine: lineNumber, expected: expected)
    }
}

/// Holds a value, so that a C handler can be given its address.
final class Box<Value> {
    let value: Value
    init(_ value: Value) { self.value = value }
}

/// The value whose address `CAPITestCase.keep` has returned.
func kept<Value>(_ address: UnsafeMutableRawPointer?, as type: Value.Type = Value.self) -> Value {
    Unmanaged<Box<Value>>.fromOpaque(address!).takeUnretainedValue().value
}

/// A literal as a C string that stays where it is.
func c(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

/// The location that C's macros would pass.
var here: UnsafePointer<CChar> { c("test.c:1") }

/// The equivalent of C's macro `talloc_free`.
@discardableResult
func release(_ chunk: UnsafeMutableRawPointer?) -> CInt { _talloc_free(chunk, here) }

@discardableResult
func release(_ object: OpaquePointer?) -> CInt { release(UnsafeMutableRawPointer(object)) }

func chunk(_ object: OpaquePointer?) -> UnsafeMutableRawPointer? { UnsafeMutableRawPointer(object) }

/// A chunk without bytes, to use as a parent.
func newChunk(under parent: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    talloc_named_const(parent, 0, c("chunk"))
}

extension timeval: @retroactive Equatable {
    /// Whether two times have the same seconds and microseconds.
    public static func == (left: timeval, right: timeval) -> Bool {
        left.tv_sec == right.tv_sec && left.tv_usec == right.tv_usec
    }
}

/// The reasons that the process's abort function has received.
nonisolated(unsafe) private(set) var abortReasons: [String] = []

/// Makes errors that would end the process continue instead, and notes their reasons; undone when the test ends.
func noteAborts() {
    abortReasons = []
    tevent_set_abort_fn { reason in abortReasons.append(reason.map { String(cString: $0) } ?? "") }
}

/// Checks that a child process ended as C programs do, with a reason.
func assertAborted(
    _ result: ProgramResult, saying reason: String, file: StaticString = #filePath, line: UInt = #line
) {
    XCTAssertEqual(result.signal, SIGABRT, "exit code \(result.exitCode ?? -1)", file: file, line: line)
    XCTAssertTrue(result.stderr.contains(reason), "standard error was: \(result.stderr)", file: file, line: line)
}
