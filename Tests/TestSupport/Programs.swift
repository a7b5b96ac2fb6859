import Foundation

/// Runs a built program as a user would, and returns what it wrote and how it ended.
///
/// The program is found by its name next to the running tests; a name that contains a `/` is a path. `redirected` is
/// how a shell sets up the standard streams first, such as `>/dev/full` or `<&- >&-`.
public func runProgram(
    _ name: String, arguments: [String] = [], input: String? = nil, environment: [String: String] = [:],
    directory: String? = nil, redirected: String? = nil, timeout: Duration = .seconds(60)
) throws -> ProgramResult {
    let program = try startProgram(
        name, arguments: arguments, environment: environment, directory: directory, redirected: redirected)
    if let input { program.send(input) }
    program.closeInput()
    return try program.wait(timeout: timeout)
}

/// Starts a built program whose input, output and signals the test controls.
public func startProgram(
    _ name: String, arguments: [String] = [], environment: [String: String] = [:], directory: String? = nil,
    redirected: String? = nil
) throws -> RunningProgram {
    let path = name.contains("/") ? name : programsFolder.appending(path: name).path()
    let environment = childEnvironment.merging(environment) { $1 }
    guard let redirected else {
        return try RunningProgram(path: path, arguments: arguments, environment: environment, directory: directory)
    }
    return try RunningProgram(
        path: "/bin/sh", arguments: ["-c", "exec \"$0\" \"$@\" \(redirected)", path] + arguments,
        environment: environment, directory: directory)
}

/// Runs code in a child process, and returns how that ended; a trap ends only the child.
///
/// The child is another instance of the running test bundle, told to run only the calling test. There, this call runs
/// the code and ends the process with exit code 0, unless the code has ended it before. Call it at most once in a test,
/// as in `let result = try runInChild(self) { context.use() }`.
public func runInChild(
    _ test: AnyObject, function: String = #function, timeout: Duration = .seconds(60), _ body: () throws -> Void
) throws -> ProgramResult {
    let name = "\(String(reflecting: type(of: test)))/\(function.prefix { $0 != "(" })"
    if ProcessInfo.processInfo.environment[childMark] == name {
        do {
            try body()
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            exit(1)
        }
        exit(0)
    }
    return try runProgram(
        runningExecutable.path(), arguments: [name], environment: [childMark: name], timeout: timeout)
}

/// The folder of the programs that were built together with the running tests.
public var programsFolder: URL { runningExecutable.deletingLastPathComponent() }

private var runningExecutable: URL { URL(filePath: "/proc/self/exe").resolvingSymlinksInPath() }

private let childMark = "TEVENT_TEST_CHILD"

/// The tests' own environment, except that traps end a child immediately and by their signal, sanitized or not.
private var childEnvironment: [String: String] {
    var environment = ProcessInfo.processInfo.environment
    environment["SWIFT_BACKTRACE"] = "enable=no"
    let native = "handle_abort=0:handle_sigill=0:handle_sigtrap=0:handle_sigbus=0:handle_sigfpe=0"
    for sanitizer in ["ASAN_OPTIONS", "TSAN_OPTIONS"] {
        environment[sanitizer] = [environment[sanitizer], native].compactMap(\.self).joined(separator: ":")
    }
    return environment
}
