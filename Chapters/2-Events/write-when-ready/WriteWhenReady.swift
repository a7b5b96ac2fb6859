import ArgumentParser
import Chapter1ContextAndLoops
import Tevent

/// Write interest: on while something waits to be written, off otherwise.
@main
struct WriteWhenReady: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "write-when-ready",
        abstract: "Send more than a pipe can hold, without blocking and without needless calls.",
        discussion: """
            The same message is sent twice: by a handler that leaves its write interest on, which is then called \
            needlessly until the program gives up, and by one that turns it off when everything is written.
            """)

    @Option(parsing: .unconditional, help: "How many kilobytes to send.")
    var size = 1000

    @OptionGroup var loop: LoopOptions

    func validate() throws {
        guard (1...100_000).contains(size) else {
            throw ValidationError("--size must be from 1 to 100000 kilobytes, not \(size).")
        }
    }

    func run() throws {
        try send("Write interest left on:", turningOff: false)
        try send("Write interest turned off:", turningOff: true)
    }

    /// Sends a message through a pipe that the same loop reads, then keeps the loop running with nothing to do.
    private func send(_ title: String, turningOff: Bool) throws {
        let events = try loop.makeContext()
        defer { events.free() }
        let pipe = try SystemIO.pipe()
        let total = size * 1000
        var received = 0
        var callsForNothing = 0

        // snippet: writer
        var message = [UInt8](repeating: 0, count: total)[...]
        let writer = try events.addFD(pipe.writer, .write) { event, _ in
            guard !message.isEmpty else {
                callsForNothing += 1
                if callsForNothing == 1000 { events.stop() }
                return
            }
            do {
                message = message.dropFirst(try SystemIO.write(event.descriptor, message.prefix(65_536)))
                if turningOff, message.isEmpty { event.flags = [] }
            } catch {
                event.free()
            }
        }
        writer.setAutoClose()
        // snippet-end: writer

        // snippet: reader
        let reader = try events.addFD(pipe.reader, .read) { event, _ in
            if case .bytes(let bytes)? = try? SystemIO.read(event.descriptor, upTo: 65_536) { received += bytes.count }
            if received == total { event.free() }
        }
        reader.setAutoClose()
        let result = try events.loopWait()
        // snippet-end: reader

        print(title)
        print("  received \(received) of \(total) bytes")
        print("  called with nothing to write: \(callsForNothing) times")
        print("  the loop has ended: \(result)")
    }
}
