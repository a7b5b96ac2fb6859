import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// What runs first when a request ends: its callback, or the code after the call that ended it.
@main
struct DeferCallback: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "defer-callback",
        abstract: "Finish a request in the middle of something, with its callback at once and with it deferred.",
        discussion: """
            A bank account takes three steps for a transfer and finishes a request in the middle. The callback looks \
            at the account.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        for isDeferred in [false, true] {
            print(isDeferred ? "The callback deferred:" : "The callback at once:")
            try transfer(isDeferred: isDeferred)
        }
    }

    private func transfer(isDeferred: Bool) throws {
        let events = try loop.makeContext()
        defer { events.free() }
        // snippet: transfer
        var (mine, yours) = (100, 0)
        let request = try Request(Transfer(), under: events)
        if isDeferred { request.deferCallback(on: events) }
        request.setCallback { request in
            print("  the callback sees \(mine) and \(yours), together \(mine + yours)")
            request.free()
        }
        print("  30 are taken from me")
        mine -= 30
        request.finish()
        print("  30 are given to you")
        yours += 30
        print("  loop: \(try events.loopWait())")
        // snippet-end: transfer
    }
}

struct Transfer {}
