import ChildProcess
import Tevent

extension Kind {
    /// Children that live on in the middle of whatever the program is doing.
    static let forks: [Kind] = [
        Kind("fork", "fork; the child does a part of the program, looks around, and frees everything:", .inside) {
            world, step in
            guard world.forkCount < 6, !world.isInChild else { return }
            world.forkCount += 1
            let ending = inForkedChild(limitedTo: 20) { world.liveInChild(step.script) }
            world.expect(ending == .exited(0), "the child of a fork has \(ending.map { "\($0)" } ?? "not begun")")
        }
    ]
}

extension World {
    /// What the child does; returns its exit code.
    fileprivate func liveInChild(_ script: [Operation]) -> Int32 {
        leaveToParent()
        perform(script)
        loops = 0
        for events in allContexts where !events.isFreed { events.allowNesting() }
        check()
        if changing.isEmpty { freeEverything() }
        for complaint in complaints {
            _ = try? SystemIO.write(SystemIO.standardError, Array("in the child: \(complaint)\n".utf8))
        }
        return complaints.isEmpty ? 0 : 1
    }

    /// Forgets the signals and messages from before the fork, and leaves the lines to the parent.
    private func leaveToParent() {
        beInChild()
        for model in allLines { if let reader = model.reader, !reader.isFreed { reader.free() } }
        raised = [:]
        for signal in allSignals { (signal.start, signal.told) = (0, 0) }
        board.forgetCounts()
    }
}
