import CChildProcess
import Glibc

/// A child process whose input, output and errors the caller controls.
///
/// One `poll` serves all pipes, so a child that writes a lot while it is being written to never blocks. The child leads
/// its own process group: a Ctrl-C in the terminal reaches only the parent, and killing the child kills everything that
/// it started. A running child is killed when its `ChildProcess` is released.
public final class ChildProcess {
    /// How a wait for the child ended.
    public enum Progress {
        /// The awaited condition holds.
        case done
        /// The deadline passed first.
        case timedOut
        /// ``wakeUp`` became readable first.
        case interrupted
    }

    /// The child's process ID, which is also the ID of its process group.
    public let processID: Int32
    /// What the child has written to standard output so far.
    public private(set) var output: [UInt8] = []
    /// What the child has written to standard error so far.
    public private(set) var errors: [UInt8] = []
    /// How the child ended, or nil while it runs.
    public private(set) var ending: Ending?
    /// A descriptor that ends every wait once it is readable, or -1 for none.
    public var wakeUp: Int32 = -1

    private var child: started_child
    private var pendingInput: [UInt8] = []
    private var closesInput = false
    private var hasEnded = false
    private var nextLine = 0

    /// Starts the program at a path; its arguments exclude the program's name.
    public init(
        _ path: String, arguments: [String] = [], environment: [String: String], directory: String? = nil
    ) throws(ChildProcessError) {
        var child = started_child()
        let variables = environment.map { "\($0.key)=\($0.value)" }
        let error = withCStrings([path] + arguments) { argv in
            withCStrings(variables) { envp in child_start(&child, path, argv, envp, directory) }
        }
        guard error == 0 else { throw ChildProcessError(path: path, reason: String(cString: strerror(error))) }
        self.child = child
        processID = child.pid
    }

    deinit {
        kill()
        finish()
        for descriptor in [child.input, child.output, child.error, child.exit_fd] where descriptor >= 0 {
            close(descriptor)
        }
    }

    // MARK: Towards the child

    /// Queues text for standard input; the next waits write it.
    public func send(_ text: String) {
        pendingInput += text.utf8
        flushInput()
    }

    /// Closes standard input once everything queued is written.
    public func closeInput() {
        closesInput = true
        flushInput()
    }

    /// Stops reading standard output; from then on the child writes into a broken pipe.
    public func closeOutput() {
        if child.output >= 0 { close(child.output) }
        child.output = -1
    }

    /// Sends the child a signal.
    public func signal(_ number: Int32) {
        if ending == nil { _ = Glibc.kill(processID, number) }
    }

    /// Kills the child and everything that it started.
    public func kill() {
        if ending == nil { _ = Glibc.kill(-processID, SIGKILL) }
    }

    /// Kills the child and everything that it started, and returns once all of these processes have ended.
    public func stop() {
        kill()
        wakeUp = -1
        // The pipes close when the last of them ends; the limit is for a process that is stuck in the kernel.
        _ = wait(until: .now + .seconds(5))
    }

    // MARK: From the child

    /// Whether the child and every process that shares its output have ended.
    public var isFinished: Bool { hasEnded && child.output < 0 && child.error < 0 }

    /// Waits until the child and every process that shares its output have ended.
    ///
    /// Kills whatever then remains in its process group.
    public func wait(until deadline: ContinuousClock.Instant) -> Progress {
        let progress = pump(until: deadline) { isFinished }
        if progress == .done {
            kill()
            finish()
        }
        return progress
    }

    /// Waits for the next line of standard output; nil when output ends or time is up.
    public func readLine(until deadline: ContinuousClock.Instant) -> String? {
        let newline = UInt8(ascii: "\n")
        _ = pump(until: deadline) { child.output < 0 || output[nextLine...].contains(newline) }
        guard let end = output[nextLine...].firstIndex(of: newline) ?? (child.output < 0 ? output.count : nil),
            nextLine < output.count
        else { return nil }
        defer { nextLine = min(end + 1, output.count) }
        return String(decoding: output[nextLine..<end], as: UTF8.self)
    }

    /// Serves the pipes until the condition holds, checking it after each change.
    public func pump(until deadline: ContinuousClock.Instant, _ condition: () -> Bool) -> Progress {
        while !condition() {
            let remaining = ContinuousClock.now.duration(to: deadline).milliseconds
            guard remaining > 0 else { return .timedOut }
            var descriptors = [
                pollfd(fd: child.output, events: Int16(POLLIN), revents: 0),
                pollfd(fd: child.error, events: Int16(POLLIN), revents: 0),
                pollfd(fd: pendingInput.isEmpty ? -1 : child.input, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: hasEnded ? -1 : child.exit_fd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&descriptors, nfds_t(descriptors.count), remaining) > 0 else { continue }
            if descriptors[0].revents != 0 { drain(&child.output, into: &output) }
            if descriptors[1].revents != 0 { drain(&child.error, into: &errors) }
            if descriptors[2].revents != 0 { flushInput() }
            if descriptors[3].revents != 0 { hasEnded = true }
            if descriptors[4].revents != 0 { return .interrupted }
        }
        return .done
    }

    // MARK: Inside

    private func drain(_ descriptor: inout Int32, into bytes: inout [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = read(descriptor, &buffer, buffer.count)
        if count > 0 {
            bytes += buffer[..<count]
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            close(descriptor)
            descriptor = -1
        }
    }

    private func flushInput() {
        guard child.input >= 0 else { return }
        while !pendingInput.isEmpty {
            let written = child_write(child.input, pendingInput, pendingInput.count)
            if written > 0 {
                pendingInput.removeFirst(written)
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                // The child no longer reads. How it ends will show what it makes of that.
                pendingInput = []
                closesInput = true
            }
        }
        if closesInput {
            close(child.input)
            child.input = -1
        }
    }

    /// Reaps the child, and waits for it if it is still ending.
    private func finish() {
        guard ending == nil else { return }
        ending = Ending(ofChild: processID)
    }
}

/// Hands strings to a C function as the array of C strings that `exec` expects.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    let copies = strings.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    return copies.withUnsafeBufferPointer { body($0.baseAddress!) }
}
