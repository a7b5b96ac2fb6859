import Talloc
import Tevent

extension Kind {
    /// Misuse that certainly ends in a trap.
    static let misuse: [Kind] = [
        Kind("misuse-freed", "use m{a} after it was freed", share: 1) { world, step in
            guard let memory = world.memory(step.a), !memory.isFreed, world.mayFree(memory) else { return }
            world.free(memory)
            _ = memory.name
        },
        Kind(
            "misuse-hook",
            "an abort hook {a:does nothing|sends a message|takes itself away|traps too}, and then a trap", share: 2
        ) {
            world, step in
            let board = world.board
            TallocLibrary.setAbortHook { reason in
                switch step.a % 4 {
                case 1: board.send([], to: step.b)
                case 2: TallocLibrary.setAbortHook(nil)
                case 3: _ = try? TallocPool(objects: -1, bytes: -1)
                default: break
                }
            }
            let memory = try TallocContext()
            memory.free()
            memory.free()
        },
    ]
}
