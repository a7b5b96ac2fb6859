import ArgumentParser
import Tevent

/// A deliberate fault of the fuzzer, to check that it is found; the engine itself is unchanged.
enum SeededFault: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// Updating a timer also frees it, which the program does not count as freeing.
    case lostTimer = "lost-timer"
    /// Cancelling an immediate ends the program with a message that is not the engine's.
    case trap
    /// Running a loop never ends.
    case hang
    /// Freeing an immediate recurses without end.
    case crash
}

extension World {
    /// Commits the fault if this is the step for it.
    func commit(_ fault: SeededFault, _ step: Operation) {
        switch (fault, step.kind.name) {
        case (.lostTimer, "update-timer"): if let timer = timer(step.a), timer.deadline != nil { timer.free() }
        case (.trap, "cancel-immediate"): if immediate(step.a) != nil { fatalError("a message of the program's") }
        case (.hang, "loop-wait"): while ContinuousClock.now.duration(to: .now) >= .zero {}
        case (.crash, "free-immediate"): if immediate(step.a) != nil { commit(fault, step, depth: 1) }
        default: break
        }
    }

    private func commit(_ fault: SeededFault, _ step: Operation, depth: Int) {
        if depth > 0, !isOver { commit(fault, step, depth: depth + 1) }
        if isOver { trace("\(depth)") }
    }
}
