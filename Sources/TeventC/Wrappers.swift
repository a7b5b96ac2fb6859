// swift-format-ignore-file: NoLeadingUnderscores
import CTalloc
import CTevent
import Glibc
import Talloc
import Tevent

// A wrapper is a context without a loop: whatever is added to it goes to the context behind it, and the wrapper's
// functions run before and after each handler. C programs use wrappers to change the user or the directory.

typealias WrapperPointer = UnsafeMutablePointer<WrapperRecord>

struct WrapperRecord {
    let slot: HandleSlotPointer
    /// The context behind the wrapper, for as long as it exists.
    let mainHandle: TallocHandle
    let ops: UnsafePointer<tevent_wrapper_ops>
    /// The table of a wrapper that was created without one; never freed.
    nonisolated(unsafe) static let noFunctions: UnsafePointer<tevent_wrapper_ops> = {
        let table = UnsafeMutablePointer<tevent_wrapper_ops>.allocate(capacity: 1)
        table.initialize(to: tevent_wrapper_ops())
        return UnsafePointer(table)
    }()
    /// The program's own state, a child.
    let state: UnsafeMutableRawPointer
    /// The guard below the record.
    let end: ChunkGuard.Pointer
    /// Whether its functions or a handler run; it cannot be freed then.
    var isBusy = false
    /// Whether the program tried to free it while it was busy.
    var isFreed = false
    /// The events added through it, some of which may have been freed.
    var events: [TallocHandle] = []
}

/// What a wrapper's functions receive.
struct Wrapper {
    let ev: OpaquePointer
    let state: UnsafeMutableRawPointer
    let main: OpaquePointer
}

/// The wrapper that a C program means; nil for a context with a loop.
func wrapper(_ ev: OpaquePointer?) -> TallocHandle? {
    ev.flatMap { $0.slot.isOf(.contextWrapper) ? TallocHandle(slot: $0.slot) : nil }
}

extension WrapperPointer {
    /// The context behind the wrapper, or nil if that was freed.
    var main: OpaquePointer? { pointee.mainHandle.object.map(OpaquePointer.init) }

    /// The context behind the wrapper, for new events; nil, with `errno` set, if there can be none.
    func usableMain(_ call: StaticString) -> ContextPointer? {
        if pointee.isFreed {
            tevent_abort(main, "\(cName(call)) was called with a wrapper that has been freed")
        } else if let main {
            return ContextPointer(main)
        }
        errno = EINVAL
        return nil
    }

    /// Notes an event; drops those that were freed whenever the list has doubled.
    func note(_ event: TallocHandle) {
        if pointee.events.count == pointee.events.capacity { pointee.events.removeAll { $0.isStale } }
        pointee.events.append(event)
    }
}

/// Called by libtalloc when a wrapper is about to be freed: its events leave the loop, but stay with their parents.
private func destroyWrapper(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    let wrapper = chunk!.assumingMemoryBound(to: WrapperRecord.self)
    if wrapper.pointee.isBusy {
        if wrapper.pointee.isFreed {
            checkDoubleFree(chunk!, "a wrapper context was freed twice while one of its handlers runs")
        }
        wrapper.pointee.isFreed = true
        return -1
    }
    wrapper.pointee.end.disarm()
    return endWrapper(chunk)
}

private func endWrapper(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    let wrapper = chunk!.assumingMemoryBound(to: WrapperRecord.self)
    for event in wrapper.pointee.events where !event.isStale { leaveLoop(OpaquePointer(event)) }
    wrapper.pointee.slot.release()
    wrapper.deinitialize(count: 1)
    return 0
}

/// The context behind a wrapper; ends the program with a message if there is none.
@inline(never)
func contextBehindWrapper(_ ev: OpaquePointer, _ call: StaticString) -> ContextPointer {
    guard ev.slot.isOf(.contextWrapper) else {
        abort("\(cName(call)) was called with another object instead of a context")
    }
    guard let main = WrapperPointer(ev).main else {
        abort("\(cName(call)) was called with a wrapper whose context has been freed")
    }
    return ContextPointer(main)
}

/// Calls a backend's functions for what a program asks of a context; for a wrapper, of the context behind it.
///
/// - Returns: Nil, with `errno` set, if the context behind a wrapper was freed.
@inline(__always)
func throughWrapper<Result>(
    _ ev: OpaquePointer?, call: StaticString = #function, _ body: (OpaquePointer, tevent_ops) -> Result
) -> Result? {
    guard let ev, ev.slot.isOf(.contextWrapper) else {
        let main = context(ev, call)
        return body(OpaquePointer(main), main.extras.pointee.ops.pointee)
    }
    guard let main = WrapperPointer(ev).usableMain(call) else { return nil }
    main.extras.pointee.wrapper = TallocHandle(slot: ev.slot)
    defer { main.extras.pointee.wrapper = nil }
    return body(OpaquePointer(main), main.extras.pointee.ops.pointee)
}

extension ContextPointer {
    /// Notes a new event with its wrapper, and wakes the loop if another thread runs it.
    ///
    /// - Parameter handlerName: The name of the event's handler, for recordings.
    @inline(__always)
    func hasAdded(_ event: OpaquePointer?, _ handlerName: UnsafePointer<CChar>?) {
        wakeIfShared()
        if isRecording, let event, let handlerName { recordName(event.chunk, handlerName) }
        guard let wrapper = extras.pointee.wrapper?.object, let event else { return }
        WrapperPointer(OpaquePointer(wrapper)).note(TallocHandle(slot: event.slot))
    }

    fileprivate func pushUse(_ ev: OpaquePointer, _ wrapper: WrapperPointer?) {
        if let wrapper {
            if wrapper.pointee.isBusy { abort("a wrapper context is used while it is in use already") }
            wrapper.pointee.isBusy = true
        }
        extras.pointee.wrapperStack.append(ev)
    }

    fileprivate func popUse(_ ev: OpaquePointer, _ wrapper: WrapperPointer?) {
        guard extras.pointee.wrapperStack.popLast() == ev else {
            abort("contexts were given back in another order than they were taken into use")
        }
        guard let wrapper else { return }
        wrapper.pointee.isBusy = false
        if wrapper.pointee.isFreed { freeChunk(wrapper) }
    }
}

/// Where a handler comes from, and what it is called through.
struct Caller {
    let handlerName: UnsafePointer<CChar>?
    let location: UnsafePointer<CChar>?
    /// The wrapper through which the event was added.
    private let wrapper: TallocHandle?

    @inline(__always)
    init(_ context: ContextPointer, _ handlerName: UnsafePointer<CChar>?, _ location: UnsafePointer<CChar>?) {
        self.handlerName = handlerName
        self.location = location
        wrapper = context.extras.pointee.wrapper
    }

    /// The same, for a wrapper that was kept.
    init(wrapper: TallocHandle?, _ handlerName: UnsafePointer<CChar>?, _ location: UnsafePointer<CChar>?) {
        self.handlerName = handlerName
        self.location = location
        self.wrapper = wrapper
    }

    /// Calls a handler, between a wrapper's functions if its event was added through one.
    @inline(__always)
    func call(
        on context: ContextPointer?, _ handler: (OpaquePointer?) -> Void,
        before: (tevent_wrapper_ops, Wrapper) -> Void, after: (tevent_wrapper_ops, Wrapper) -> Void
    ) {
        guard let wrapper, let record = wrapper.object.map({ WrapperPointer(OpaquePointer($0)) }) else {
            return handler(context.map { OpaquePointer($0) })
        }
        guard let main = record.main else { return }
        let ev = OpaquePointer(record)
        let given = Wrapper(ev: ev, state: record.pointee.state, main: main)
        ContextPointer(main).pushUse(ev, record)
        before(record.pointee.ops.pointee, given)
        handler(ev)
        after(record.pointee.ops.pointee, given)
        if record.main != nil { ContextPointer(main).popUse(ev, record) }
    }
}

/// What an event of a C program calls.
///
/// It is stored after the engine's record, in the same chunk, so it needs no allocation. The engine's handler for all
/// such events is one function that reads it there.
struct Call<Handler> {
    let handler: Handler
    let data: UnsafeMutableRawPointer?
    let caller: Caller
}

// MARK: What programs call

@c @implementation
package func _tevent_context_wrapper_create(
    _ main: OpaquePointer?, _ mem_ctx: UnsafeMutableRawPointer?, _ ops: UnsafePointer<tevent_wrapper_ops>?,
    _ state_place: UnsafeMutableRawPointer?, _ state_size: Int, _ type: UnsafePointer<CChar>?,
    _ location: UnsafePointer<CChar>?
) -> OpaquePointer? {
    guard let main, main.slot.isOf(.eventContext), !ContextPointer(main).pointee.nesting.isAllowed else {
        // Wrappers of wrappers are not supported, nor are wrappers of contexts that allow nesting.
        errno = EINVAL
        return nil
    }
    guard
        let (chunk, slot) = try? allocateChunk(
            size: MemoryLayout<WrapperRecord>.size, name: ContextRecord.name.cString, under: mem_ctx,
            kind: .contextWrapper)
    else {
        errno = ENOMEM
        return nil
    }
    let end = ChunkGuard.make(below: chunk, endWrapper)
    guard let end, let state = _talloc_zero(chunk, state_size, type) else {
        end?.disarm()
        slot.release()
        freeChunk(chunk)
        errno = ENOMEM
        return nil
    }
    chunk.initializeMemory(
        as: WrapperRecord.self,
        to: WrapperRecord(
            slot: slot, mainHandle: TallocHandle(slot: main.slot), ops: ops ?? WrapperRecord.noFunctions, state: state,
            end: end))
    _talloc_set_destructor(chunk, destroyWrapper)
    state_place?.storeBytes(of: state, as: UnsafeMutableRawPointer.self)
    return OpaquePointer(chunk)
}

@c @implementation
package func tevent_context_is_wrapper(_ ev: OpaquePointer?) -> Bool { ev?.slot.isOf(.contextWrapper) ?? false }

@c @implementation
package func tevent_context_same_loop(_ left: OpaquePointer?, _ right: OpaquePointer?) -> Bool {
    func main(_ ev: OpaquePointer?) -> OpaquePointer? {
        guard let ev, ev.slot.isOf(.contextWrapper) else { return ev }
        return WrapperPointer(ev).main
    }
    guard let main = main(left) else { return false }
    return main == (right.flatMap { $0.slot.isOf(.contextWrapper) ? WrapperPointer($0).main : $0 })
}

@c @implementation
package func _tevent_context_push_use(_ ev: OpaquePointer?, _ location: UnsafePointer<CChar>?) -> Bool {
    guard let ev else { return false }
    guard ev.slot.isOf(.contextWrapper) else {
        context(ev).pushUse(ev, nil)
        return true
    }
    let wrapper = WrapperPointer(ev)
    guard let main = wrapper.main else { return false }
    ContextPointer(main).pushUse(ev, wrapper)
    let ops = wrapper.pointee.ops.pointee
    guard ops.before_use?(ev, wrapper.pointee.state, main, location) ?? true else {
        ContextPointer(main).popUse(ev, wrapper)
        return false
    }
    return true
}

@c @implementation
package func _tevent_context_pop_use(_ ev: OpaquePointer?, _ location: UnsafePointer<CChar>?) {
    guard let ev else { return }
    guard ev.slot.isOf(.contextWrapper) else { return context(ev).popUse(ev, nil) }
    let wrapper = WrapperPointer(ev)
    guard let main = wrapper.main else { return }
    let (ops, state) = (wrapper.pointee.ops.pointee, wrapper.pointee.state)
    let handle = TallocHandle(slot: ev.slot)
    ContextPointer(main).popUse(ev, wrapper)
    if !handle.isStale { ops.after_use?(ev, state, main, location) }
}
