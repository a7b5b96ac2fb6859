import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// A request that runs out of memory at each point where it can, and once at none.
@main
struct OutOfMemory: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "out-of-memory",
        abstract: "Let a request run out of memory, early and late, and see how its caller learns of it.",
        discussion: """
            The request needs two buffers of 10 000 bytes, one when it is made and one a second later. It is sent four \
            times, under a parent that may hold more each time.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        for limit in [100, 5_000, 15_000, 50_000] {
            print("At most \(limit) bytes:")
            try load(limit: limit)
        }
    }

    private func load(limit: Int) throws {
        let clock = ManualClock()
        let events = try loop.makeContext(clock: clock)
        defer { events.free() }

        // snippet: limit
        let user = try TallocContext(named: "user")
        defer { user.free() }
        try user.setMemoryLimit(bytes: limit)
        // snippet-end: limit

        // snippet: caller
        do {
            let request = try Load.send(on: events, under: user)
            print("  send has returned; status: \(request.status)")
            request.setCallback { request in
                print("  the callback is called; status: \(request.status)")
                do {
                    print("  receive: \(try request.receive()) bytes")
                } catch {
                    print("  receive throws: \(error)")
                }
                request.free()
            }
        } catch {
            print("  send throws: \(error)")
        }
        while try events.loopWait() == .timedOut { clock.advance(by: .seconds(1)) }
        print("  left under the user: \(user.children.count) chunks")
        // snippet-end: caller
    }
}

// snippet: load
/// Loads something into two buffers, one after the other.
struct Load {
    var bytes = 0

    static func send(on events: EventContext, under parent: some TallocObject) throws(TeventError) -> Request<Load> {
        let request = try Request(Load(), under: parent)
        guard makeBuffer(for: request) else { return request.post(on: events) }
        let timer = request.attempt {
            try events.addTimer(after: .seconds(1), under: request) { _, _ in done(request) }
        }
        return timer == nil ? request.post(on: events) : request
    }

    private static func done(_ request: Request<Load>) {
        guard makeBuffer(for: request) else { return }
        request.finish()
    }

    /// Allocates a buffer; returns false if there is no memory, in which case the request has ended.
    private static func makeBuffer(for request: Request<Load>) -> Bool {
        let size = 10_000
        let buffer = request.attempt { try TallocPool(objects: 1, bytes: size, under: request, named: "buffer") }
        guard buffer != nil else { return false }
        request.state.bytes += size
        return true
    }
}
// snippet-end: load

extension Request<Load> {
    func receive() throws -> Int { try receive { $0.bytes } }
}
