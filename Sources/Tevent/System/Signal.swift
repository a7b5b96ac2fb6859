import Glibc

/// The number of a signal, with its name.
public struct Signal: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The system's number for the signal.
    public let rawValue: Int32

    /// The signal with this number, whether or not it exists.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// `SIGHUP`: the terminal was closed, or "read your configuration again".
    public static let hangUp = Signal(rawValue: SIGHUP)
    /// `SIGINT`: Ctrl-C.
    public static let interrupt = Signal(rawValue: SIGINT)
    /// `SIGQUIT`: Ctrl-\.
    public static let quit = Signal(rawValue: SIGQUIT)
    /// `SIGUSR1`: for the program's own use.
    public static let user1 = Signal(rawValue: SIGUSR1)
    /// `SIGUSR2`: for the program's own use.
    public static let user2 = Signal(rawValue: SIGUSR2)
    /// `SIGPIPE`: writing to a pipe or socket whose other end is closed.
    public static let pipe = Signal(rawValue: SIGPIPE)
    /// `SIGTERM`: a polite request to end.
    public static let terminate = Signal(rawValue: SIGTERM)
    /// `SIGCHLD`: a child process has changed.
    public static let child = Signal(rawValue: SIGCHLD)
    /// `SIGWINCH`: the size of the terminal's window has changed.
    public static let windowChange = Signal(rawValue: SIGWINCH)

    /// The signals that queue up, so that each one sent is delivered; the first is 0.
    ///
    /// An index that the system does not have yields a signal that does not exist and cannot be caught.
    public static func realTime(_ index: Int32) -> Signal {
        guard index >= 0 else { return Signal(rawValue: index) }
        let (number, isTooLarge) = __libc_current_sigrtmin().addingReportingOverflow(index)
        return Signal(rawValue: isTooLarge ? .max : number)
    }

    /// The name, such as "SIGINT".
    public var description: String {
        if let name = Self.names[rawValue] { return "SIG\(name)" }
        let firstRealTime = __libc_current_sigrtmin()
        return rawValue >= firstRealTime ? "SIGRTMIN+\(rawValue - firstRealTime)" : "signal \(rawValue)"
    }

    private static let names: [Int32: String] = [
        SIGHUP: "HUP", SIGINT: "INT", SIGQUIT: "QUIT", SIGILL: "ILL", SIGTRAP: "TRAP", SIGABRT: "ABRT", SIGBUS: "BUS",
        SIGFPE: "FPE", SIGKILL: "KILL", SIGUSR1: "USR1", SIGSEGV: "SEGV", SIGUSR2: "USR2", SIGPIPE: "PIPE",
        SIGALRM: "ALRM", SIGTERM: "TERM", SIGCHLD: "CHLD", SIGCONT: "CONT", SIGSTOP: "STOP", SIGTSTP: "TSTP",
        SIGTTIN: "TTIN", SIGTTOU: "TTOU", SIGURG: "URG", SIGXCPU: "XCPU", SIGXFSZ: "XFSZ", SIGVTALRM: "VTALRM",
        SIGPROF: "PROF", SIGWINCH: "WINCH", SIGIO: "IO", SIGSYS: "SYS",
    ]

    /// Sends the signal to this process; it is delivered before the call returns.
    ///
    /// The corresponding C function is `raise()`.
    public func raise() { Glibc.raise(rawValue) }
}
