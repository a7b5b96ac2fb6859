@preconcurrency import Glibc

extension SystemIO {
    /// Whether a descriptor is a terminal, where a line can be overwritten.
    ///
    /// The corresponding C function is `isatty()`.
    public static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Makes the program handle closed or failing standard streams; call it once, before anything is opened or printed.
    ///
    /// - **A closed stream** stays closed: reading from it and writing to it fail. But its number is occupied, so that
    ///   no file or socket, whatever opens it, receives what the program prints.
    /// - **Output that cannot be written** makes the program fail. When it exits, it prints one line to standard error,
    ///   such as "first-loop: standard output: No space left on device", and its exit code is 1 instead of its own.
    /// - **A reader that has exited** ends the program without a message, by `SIGPIPE`, as it ends other tools in a
    ///   pipeline; a shell shows that as 141. This happens at the next output, even if the program was started with the
    ///   signal ignored. A program that must go on, such as a server with clients, catches ``Signal/pipe``. The signal
    ///   then ends it when it exits.
    ///
    /// A program that ends by a trap, or by another signal, does not check its output.
    ///
    /// The corresponding C function is `atexit()`, with a function that calls `fflush()` and `ferror()`. GNU's programs
    /// use one called `close_stdout()`.
    public static func guardStandardStreams() {
        StandardDescriptors.occupy()
        stopIgnoringBrokenPipes()
        atexit { SystemIO.answerForOutput() }
    }

    private static func stopIgnoringBrokenPipes() {
        var action = sigaction()
        sigaction(SIGPIPE, nil, &action)
        // Keep an installed handler, such as that of an event that catches the signal.
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
    /// A line-buffered stream drops a line that cannot be written, along with the reason.
    private static func whyOutputFails() -> Int32 {
        guard Glibc.write(standardOutput, nil, 0) == 0 else { return errno }
        var output = pollfd(fd: standardOutput, events: 0, revents: 0)
        if poll(&output, 1, 0) > 0 { return EPIPE }
        // A disk accepts an empty write even when it is full. Anything else has no blocks.
        var disk = statvfs()
        return fstatvfs(standardOutput, &disk) == 0 && disk.f_blocks > 0 && disk.f_bavail == 0 ? ENOSPC : 0
    }

    private static func end(withoutOutput code: Int32) -> Never {
        guard code != EPIPE else {
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
            // The signal may be blocked.
            _exit(128 + SIGPIPE)
        }
        let program = CommandLine.arguments.first?.split(separator: "/").last ?? "program"
        let reason = code == 0 ? "some of it could not be written" : String(cString: strerror(code))
        _ = try? write(standardError, "\(program): standard output: \(reason)\n".utf8)
        _exit(EXIT_FAILURE)
    }
}
