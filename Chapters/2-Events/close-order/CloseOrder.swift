import ArgumentParser
import Chapter1ContextAndLoops
import Tevent

/// Closes a descriptor that an event still watches, and shows the right order.
@main
struct CloseOrder: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "close-order",
        abstract: "Close a descriptor too early and read another file's data; then do it right.",
        discussion: """
            The system reuses the number of a closed file immediately. An event that still watches the number watches \
            another file from then on.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        print("The descriptor closed before its event:")
        try closeFirst()
        print("The event freed before its descriptor:")
        try freeFirst()
    }

    // snippet: wrong
    private func closeFirst() throws {
        let events = try loop.makeContext()
        let mine = try SystemIO.pipe()
        try watch(mine.reader, on: events)
        SystemIO.close(mine.reader)

        let somebodyElses = try SystemIO.pipe()
        _ = try SystemIO.write(somebodyElses.writer, "not for you".utf8)
        print("  same number: \(mine.reader == somebodyElses.reader)")
        print("  loopOnce: \(try events.loopOnce())")
        events.free()
        for end in [mine.writer, somebodyElses.reader, somebodyElses.writer] { SystemIO.close(end) }
    }
    // snippet-end: wrong

    // snippet: right
    private func freeFirst() throws {
        let events = try loop.makeContext()
        let mine = try SystemIO.pipe()
        let event = try watch(mine.reader, on: events)
        event.setAutoClose()
        event.free()

        let somebodyElses = try SystemIO.pipe()
        _ = try SystemIO.write(somebodyElses.writer, "not for you".utf8)
        print("  same number: \(mine.reader == somebodyElses.reader)")
        print("  loopOnce: \(try events.loopOnce())")
        events.free()
        for end in [mine.writer, somebodyElses.reader, somebodyElses.writer] { SystemIO.close(end) }
    }
    // snippet-end: right

    @discardableResult
    private func watch(_ descriptor: Int32, on events: EventContext) throws -> FDEvent {
        try events.addFD(descriptor, .read) { event, _ in
            if case .bytes(let bytes)? = try? SystemIO.read(event.descriptor) {
                print("  the handler has read: \(String(decoding: bytes, as: UTF8.self))")
            }
        }
    }
}
