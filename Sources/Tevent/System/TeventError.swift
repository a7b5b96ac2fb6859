import Glibc
import Talloc

/// An error of the engine; each description says what to do.
public enum TeventError: Error, Equatable, CustomStringConvertible {
    /// There is no memory for the named object; nothing of it remains.
    case outOfMemory(name: String)
    /// No backend has this name.
    case unknownBackend(name: String)
    /// A handler started a loop of its own context, which does not allow nesting.
    case nestedLoop
    /// The nesting hook refused to let the loop start.
    case loopRefused(level: Int)
    /// The number is not that of a signal that a program can catch.
    case badSignal(Int32)
    /// The number is not that of an open descriptor; an event that watched it has been taken out of the loop.
    case badDescriptor(Int32)
    /// No address was found for a host; `reason` is the system's.
    case unknownHost(name: String, reason: String)
    /// The system refused a call; `code` is its `errno`.
    case systemCall(name: String, code: Int32)

    /// A readable sentence: what happened, and what you can do about it.
    public var description: String {
        switch self {
        case .outOfMemory(let name):
            "out of memory: '\(name)' could not be made; free something, or raise the memory limit above it"
        case .unknownBackend(let name):
            "there is no backend '\(name)'; choose one of: \(EventContext.backends.joined(separator: ", "))"
        case .nestedLoop:
            "a loop of this context is running already; call allowNesting() first if a handler must run it again"
        case .loopRefused(let level):
            "the nesting hook refused a loop at level \(level)"
        case .badSignal(let number):
            "signal \(number) cannot be caught; choose one from 1 to \(EventContext.signalCount), "
                + "but not \(SIGKILL) (SIGKILL) or \(SIGSTOP) (SIGSTOP)"
        case .badDescriptor(let descriptor):
            "descriptor \(descriptor) is not open; free its event before closing it, or let the event close it"
        case .unknownHost(let name, let reason):
            "host '\(name)' was not found: \(reason); check its spelling, or give its number, such as 127.0.0.1"
        case .systemCall(let name, let code):
            "\(name) failed: \(String(cString: strerror(code)))" + Self.advice(name, code)
        }
    }

    /// What to do about a failed system call, for the common failures.
    private static func advice(_ call: String, _ code: Int32) -> String {
        switch (call, code) {
        case (_, EMFILE), (_, ENFILE): "; close descriptors, or raise the limit (ulimit -n)"
        case (_, EADDRINUSE): "; choose another port, or port 0 to let the system choose"
        case ("bind", EADDRNOTAVAIL): "; choose an address of this machine, such as 127.0.0.1"
        case ("bind", EACCES): "; ports under 1024 need privileges, choose a higher one"
        case (_, ECONNREFUSED): "; no server listens there, start it or check host and port"
        default: ""
        }
    }

    /// Converts an error of talloc, for functions that create both memory and events.
    public init(_ error: TallocError) {
        switch error {
        case .outOfMemory(let name): self = .outOfMemory(name: name)
        }
    }

    /// The error of the system call that failed last.
    static func failed(_ call: String) -> TeventError { .systemCall(name: call, code: errno) }
}
