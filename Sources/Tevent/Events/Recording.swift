import CLinux
import CTalloc
import Talloc

// What of the life of events is recorded, and then told to the program's traces. All of it is called only on a context
// that has hooks: one that is traced, or was made while its thread was recorded.

/// Whether any thread is recorded: all that is asked while none is, apart from whether a context has hooks.
@inline(__always)
package var isRecording: Bool { clinux_is_recording() }

/// Records that a turn of a context's loop begins or has ended; the context may have been freed in it.
@inline(never)
package func recordTurn(of context: ContextPointer, begins: Bool) {
    if begins {
        addRecord(.turnBegin, context, of: .eventContext, value: Int64(context.pointee.nesting.level))
    } else {
        addRecord(.turnEnd, context, of: .eventContext)
    }
}

extension EventTracePoint {
    fileprivate var recorded: Record.What {
        switch self {
        case .attach: .attached
        case .beforeHandler: .begin
        case .detach: .detached
        }
    }
}

extension TimerPointer {
    @inline(never)
    func trace(_ point: EventTracePoint, on context: ContextPointer, deadline: Int64 = 0, detail: Int64 = 0) {
        let timer = TimerEvent(self)
        addRecord(point.recorded, self, of: .timer, on: context, value: deadline, detail: detail)
        context.pointee.hooks?.timers?(timer, point)
    }

    @inline(never)
    func recordUpdate(_ deadline: EventInstant, on context: ContextPointer) {
        addRecord(
            .changed, self, of: .timer, on: context, value: deadline.nanoseconds,
            detail: context.nanoseconds(until: deadline))
    }
}

extension ContextPointer {
    func nanoseconds(until deadline: EventInstant) -> Int64 {
        now.nanoseconds.distanceClamped(to: deadline.nanoseconds)
    }
}

extension ImmediatePointer {
    @inline(never)
    func trace(_ point: EventTracePoint, on context: ContextPointer) {
        let immediate = ImmediateEvent(self)
        addRecord(point.recorded, self, of: .immediate, on: context)
        context.pointee.hooks?.immediates?(immediate, point)
    }
}

extension SignalPointer {
    @inline(never)
    func trace(_ point: EventTracePoint, on context: ContextPointer, count: Int = 0) {
        let signal = SignalEvent(self)
        addRecord(
            point.recorded, self, of: .signal, on: context, value: Int64(pointee.number),
            detail: Int64(count))
        context.pointee.hooks?.signals?(signal, point)
    }

    /// Records when the signal arrived, at that time, although the loop learns about it only now.
    @inline(never)
    func recordArrival(on context: ContextPointer) {
        let time = SignalDispatch.takeTime(pointee.number)
        guard time != 0 else { return }
        addRecord(.arrived, self, of: .signal, on: context, value: Int64(pointee.number), time: time)
    }
}

extension FDPointer {
    @inline(never)
    func trace(_ point: EventTracePoint, on context: ContextPointer, flags: FDEvent.Flags) {
        let event = FDEvent(self)
        recordFlags(point.recorded, on: context, flags)
        context.pointee.hooks?.descriptors?(event, point)
    }

    @inline(never)
    func recordFlags(_ what: Record.What, on context: ContextPointer, _ flags: FDEvent.Flags) {
        addRecord(
            what, self, of: .descriptor, on: context, value: Int64(pointee.descriptor), detail: Int64(flags.rawValue))
    }
}

// MARK: What existed before a recording began

/// Records an object as if it were made now; does nothing for private memory.
package func recordExisting(_ chunk: UnsafeMutableRawPointer) {
    guard let slot = HandleSlotPointer.find(forObjectAt: chunk, size: talloc_get_size(chunk)), let kind = slot.kind
    else { return }
    let prefix =
        ObjectKinds(from: .timer, to: .queueEntry).contains(slot.pointee.stamp)
        ? chunk.assumingMemoryBound(to: EventPrefix.self).pointee : nil
    let contents = clinux_description(kind.rawValue).flatMap { $0(chunk) }
    recordMade(
        chunk, kind: kind, name: contents ?? talloc_get_name(chunk), file: prefix?.file, line: prefix?.line ?? 0)
}

extension ContextPointer {
    /// Records the events of a context as if each were attached now, and the rest of its life from now on.
    package func recordExistingEvents() {
        if pointee.hooks == nil { pointee.hooks = Hooks() }
        for signal in pointee.signals.snapshot {
            addRecord(.attached, signal, of: .signal, on: self, value: Int64(signal.pointee.number))
        }
        for waiting in pointee.immediates.snapshot {
            guard let kind = waiting.pointee.prefix.slot.kind, kind != .delivery, kind != .jobs else { continue }
            addRecord(.attached, waiting, of: kind, on: self)
        }
        for timer in pointee.timers.sorted {
            let deadline = EventInstant(nanoseconds: pointee.timers.deadline(of: timer))
            addRecord(
                .attached, timer, of: .timer, on: self, value: deadline.nanoseconds,
                detail: nanoseconds(until: deadline))
        }
        for event in pointee.fds.snapshot { event.recordFlags(.attached, on: self, event.pointee.flags) }
    }
}
