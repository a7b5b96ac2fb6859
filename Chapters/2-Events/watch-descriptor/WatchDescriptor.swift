import ArgumentParser
import Chapter1ContextAndLoops
import Tevent

/// A descriptor event by hand: flags, the end of the data, and closing the descriptor.
@main
struct WatchDescriptor: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "watch-descriptor",
        abstract: "Watch a pipe: read it, turn the interest off and on, and let the event close it.",
        discussion: """
            Each loopOnce below either runs the one handler there is, or says why not. What the handler reads is shown \
            as it comes.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let log = EventLog()
        let events = try loop.makeContext()
        defer { events.free() }

        // snippet: watch
        let pipe = try SystemIO.pipe()
        let event = try events.addFD(pipe.reader, .read) { event, ready in
            do {
                switch try SystemIO.read(event.descriptor, upTo: 5) {
                case .bytes(let bytes): log.add("handler", "\(ready): \(String(decoding: bytes, as: UTF8.self))")
                case .wouldBlock: log.add("handler", "\(ready): nothing yet, wait for the next call")
                case .endOfFile: log.add("handler", "\(ready): the end of the data")
                }
            } catch {
                log.add("handler", "\(error)")
                event.free()
            }
        }
        // snippet-end: watch

        // snippet: level
        _ = try SystemIO.write(pipe.writer, "helloworld".utf8)
        log.add("loopOnce", "\(try events.loopOnce())")
        log.add("loopOnce", "\(try events.loopOnce())")
        // snippet-end: level

        // snippet: flags
        _ = try SystemIO.write(pipe.writer, "again".utf8)
        event.flags = []
        log.add("flags", "\(event.flags)")
        log.add("loopOnce", "\(try events.loopOnce())")
        event.flags = .read
        log.add("flags", "\(event.flags)")
        log.add("loopOnce", "\(try events.loopOnce())")
        // snippet-end: flags

        // snippet: end
        SystemIO.close(pipe.writer)
        log.add("loopOnce", "\(try events.loopOnce())")
        // snippet-end: end

        // snippet: close
        event.setCloseFunction { descriptor in
            log.add("close", "the event's own descriptor: \(descriptor == pipe.reader)")
            SystemIO.close(descriptor)
        }
        event.free()
        log.add("loopOnce", "\(try events.loopOnce())")
        print(log)
        // snippet-end: close
    }
}
