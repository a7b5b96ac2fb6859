import Dispatch
import Synchronization
import Talloc
import Tevent

// Code that Swift accepts although it should not; `Sources/SAFE-API.md` and chapter 6 list each case.
//
// When one of these no longer compiles, remove it from the lists, and move it to what is refused.

func takeOutOfAMutex() throws {
    let box = Mutex(try TallocContext())
    let memory = box.withLock { $0 }
    Task.detached { memory.free() }
    box.withLock { _ = $0.free() }
}

func takeAPartOutOfAMutex() throws {
    let box = Mutex(try TallocContext())
    let child = try box.withLock { try TallocContext(under: $0) }
    Task.detached { child.free() }
    box.withLock { _ = $0.free() }
}

func castToAnArray(_ events: EventContext) {
    guard let sendable = [events] as Any as? [any Sendable] else { return }
    Task.detached { (sendable[0] as? EventContext)?.stop() }
    events.stop()
}

func castToATuple(_ events: EventContext) {
    guard let (sendable, _) = (events, 0) as Any as? (any Sendable, Int) else { return }
    Task.detached { (sendable as? EventContext)?.stop() }
    events.stop()
}

actor Keeper {
    let events: EventContext
    init(_ events: sending EventContext) { self.events = events }
}

func lookIntoAnActor(_ keeper: Keeper) {
    for child in Mirror(reflecting: keeper).children { (child.value as? EventContext)?.stop() }
}

final class Owner {
    let events: EventContext
    init(_ events: EventContext) { self.events = events }
    deinit { events.free() }
}

@MainActor final class Window {
    /// Deinitialised by the thread that releases the window last.
    let owner: Owner
    init(_ events: EventContext) { owner = Owner(events) }
}

func dispatchAnItem(_ events: EventContext) {
    let item = DispatchWorkItem { events.stop() }
    DispatchQueue.global().async(execute: item)
    events.stop()
}
