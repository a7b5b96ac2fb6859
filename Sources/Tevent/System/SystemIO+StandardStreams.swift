@preconcurrency import Glibc

extension SystemIO {
    /// Whether it is a terminal, where a line can be overwritten.
    ///
    /// The corresponding C function is `isatty()`.
    public static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Makes the program answer for its standard streams; call it once, before anything is opened or printed.
    ///
    /// - **A stream that is closed** stays closed: reading from it, or writing to it, fails. But its number is taken, so
    ///   that no file or socket, whatever opens it, receives what the program prints.
    /// - **Output that cannot be written** makes the program fail. When it exits, it prints one line on standard error,
    ///   such as "first-loop: standard output: No space left on device", and its exit code is 1 instead of its own.
    /// - **A reader that has gone away** ends the program without a message, by `SIGPIPE`, as it ends other tools in a
    ///   pipeline; a shell shows that as 141. It happens with the next output, even if whatever started the program had
    ///   told it to ignore the signal. A program that has to go on, such as a server with clients, catches
    ///   ``Signal/pipe``. The signal then ends it when it exits.
    ///
    /// A program that ends by a trap, or by another signal, does not look at its output.
    ///
    /// The corresponding C function is `atexit()`, with a function that calls `fflush()` and `ferror()`. GNU's programs
    /// have one, called `close_stdout()`.
    public static func guardStandardStreams() {
        StandardDescriptors.occupy()
        stopIgnoringBrokenPipes()
        atexit { SystemIO.answerForOutput() }
    }

    private static func stopIgnoringBrokenPipes() {
        var action = sigaction()
        sigaction(SIGPIPE, nil, &action)
        // A handler, such as that of an event that catches the signal, stays.
        guard unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
        else { return }
        signal(SIGPIPE, SIG_DFL)
    }

    private static func answerForOutput() {
        let wasLost = ferror(stdout) != 0
        let code = fflush(stdout) == 0 ? 0 : errno
        if wasLost || code != 0 { end(withoutOutput: code == 0 ? whyOutputFails() : code) }
    }

    /// Why writing to standard output fails now, or 0 if it does not.
    ///
    /// A stream that hands on each line at once drops a line that cannot be written, and the reason with it.
    private static func whyOutputFails() -> Int32 {
        guard Glibc.write(standardOutput, nil, 0) == 0 else { return errno }
        var output = pollfd(fd: standardOutput, events: 0, revents: 0)
        if poll(&output, 1, 0) > 0 { return EPIPE }
        // A disk takes a write of nothing even when it is full. What is no disk has no blocks at all.
        var disk = statvfs()
        return fstatvfs(standardOutput, &disk) == 0 && disk.f_blocks > 0 && disk.f_bavail == 0 ? ENOSPC : 0
    }

    private static func end(withoutOutput code: Int32) -> Never {
        guard code != EPIPE else {
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
            // It may be blocked.
            _exit(128 + SIGPIPE)
        }
        let program = CommandLine.arguments.first?.split(separator: "/").last ?? "program"
        let reason = code == 0 ? "some of it could not be written" : String(cString: strerror(code))
        _ = try? write(standardError, "\(program): standard output: \(reason)\n".utf8)
        _exit(EXIT_FAILURE)
    }
}
