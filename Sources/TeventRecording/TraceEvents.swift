import Tevent

extension EventRecording {
    /// The recording in Chrome's trace-event form.
    func traceEvents() -> [UInt8] {
        var writer = TraceEventWriter(self)
        return writer.write()
    }
}

/// Writes trace events: handlers, turns and waits as nested slices of their thread, requests as asynchronous slices,
/// causes as flows, lists as counters.
private struct TraceEventWriter {
    private let recording: EventRecording
    private var json = JSONText()
    private var isFirst = true
    /// The slices that are open on each thread: the record that must close each.
    private var open: [[EventRecording.What]]
    /// How many events of each kind wait in each context, and how many entries in each queue.
    private var counts: [Counter: Int] = [:]
    /// Where the flow begins that leads to a handler, if that was inside a slice.
    private var causes: [Cause: (time: Int64, thread: Int)] = [:]
    private var flowCount = 0
    private var unended: Set<Int> = []
    private let contexts: [Int]

    private struct Counter: Hashable {
        let owner: Int
        let kind: EventRecording.Kind
    }

    private enum Cause: Hashable {
        case scheduled(Int)
        case message(Int64)
    }

    init(_ recording: EventRecording) {
        self.recording = recording
        contexts = recording.objects.indices.filter { recording.objects[$0].kind == .context }
        open = recording.threads.map { _ in [] }
    }

    mutating func write() -> [UInt8] {
        json.raw("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"program\":")
        json.string(recording.program)
        json.raw(",\"lost\":")
        json.number(recording.lost)
        json.raw("},\"traceEvents\":[")
        name("process_name", recording.program, thread: 0)
        for (number, thread) in recording.threads.enumerated() { name("thread_name", thread, thread: number) }
        for step in recording.steps { add(step) }
        closeAll()
        json.raw("\n]}\n")
        return json.bytes
    }

    private mutating func add(_ step: EventRecording.Step) {
        switch step.what {
        case .begin: beginHandler(step)
        case .end: endSlice(step, .end)
        case .turnBegin: beginSlice(step, "turn", category: "turn", .turnEnd)
        case .turnEnd: endSlice(step, .turnEnd)
        case .waitBegin: beginWait(step)
        case .waitEnd: endSlice(step, .waitEnd)
        case .made: if isRequest(step.object) { beginRequest(step) }
        case .ended: if unended.contains(step.object) { instantOfRequest(step, statusName(step.value)) }
        case .received: if unended.contains(step.object) { instantOfRequest(step, "received") }
        case .freed: if unended.remove(step.object) != nil { endRequest(step.object, step.time, step.thread) }
        case .attached: attach(step)
        case .detached: count(step, -1)
        case .joined: count(step.other, .entry, 1, step)
        case .left: count(step.other, .entry, -1, step)
        case .sent: beginFlow(step, .message(step.value))
        case .arrived: if isSignal(step.object) { arrive(step) }
        case .note, .output: instant(step)
        default: break
        }
    }

    // MARK: Slices

    private mutating func beginHandler(_ step: EventRecording.Step) {
        guard step.object >= 0 else { return }
        let object = recording.objects[step.object]
        let isCallback = object.kind == .request
        let name = object.kind == .entry && step.other >= 0 ? "entry of \(label(step.other))" : label(step.object)
        beginSlice(step, name, category: isCallback ? "callback" : object.kind.rawValue, .end) { json in
            json.raw(",\"args\":{\"object\":")
            json.number(step.object)
            json.raw(",\"value\":")
            json.number(step.value)
            json.raw(",\"detail\":")
            json.number(step.detail)
            if object.tag != 0 {
                json.raw(",\"tag\":")
                json.string("\(object.tag)")
            }
            json.raw("}")
        }
        switch object.kind {
        case .inbox: endFlow(step, .message(step.value))
        case .entry: endFlow(step, .scheduled(step.other))
        case .request: if step.other >= 0 { endFlow(step, .scheduled(step.object)) }
        default: endFlow(step, .scheduled(step.object))
        }
    }

    private mutating func beginWait(_ step: EventRecording.Step) {
        beginSlice(step, "wait", category: "wait", .waitEnd) { json in
            json.raw(",\"cname\":\"grey\",\"args\":{\"longest\":")
            json.number(step.value)
            json.raw("}")
        }
    }

    private mutating func beginSlice(
        _ step: EventRecording.Step, _ name: String, category: String, _ end: EventRecording.What,
        _ more: (inout JSONText) -> Void = { _ in }
    ) {
        open[step.thread].append(end)
        event("B", step.time, step.thread, name, category: category, more)
    }

    /// Ends the innermost slice that this record ends, and those inside it, whose ends were not recorded.
    private mutating func endSlice(_ step: EventRecording.Step, _ what: EventRecording.What) {
        guard let place = open[step.thread].lastIndex(of: what) else { return }
        for _ in place..<open[step.thread].count { endEvent(step.time, step.thread) }
        open[step.thread].removeSubrange(place...)
    }

    private mutating func endEvent(_ time: Int64, _ thread: Int) {
        begin("E", time, thread)
        json.raw("}")
    }

    /// Ends what was still running when the recording was written.
    private mutating func closeAll() {
        let last = recording.steps.last?.time ?? 0
        for thread in open.indices { for _ in open[thread] { endEvent(last, thread) } }
        for request in unended.sorted() { endRequest(request, last, recording.objects[request].thread) }
    }

    // MARK: Requests

    private func isRequest(_ object: Int) -> Bool { object >= 0 && recording.objects[object].kind == .request }

    private mutating func beginRequest(_ step: EventRecording.Step) {
        unended.insert(step.object)
        requestEvent("b", step.object, step.time, step.thread) { json in
            json.raw(",\"args\":{\"parent\":")
            json.number(step.other)
            json.raw("}")
        }
    }

    private mutating func endRequest(_ request: Int, _ time: Int64, _ thread: Int) {
        requestEvent("e", request, time, thread)
    }

    private mutating func requestEvent(
        _ phase: String, _ request: Int, _ time: Int64, _ thread: Int, _ more: (inout JSONText) -> Void = { _ in }
    ) {
        event(phase, time, thread, label(request), category: "request") { json in
            json.raw(",\"id\":")
            json.number(request)
            more(&json)
        }
    }

    private mutating func instantOfRequest(_ step: EventRecording.Step, _ name: String) {
        event("n", step.time, step.thread, name, category: "request") { json in
            json.raw(",\"id\":")
            json.number(step.object)
        }
    }

    private func statusName(_ status: Int64) -> String {
        UInt8(exactly: status).flatMap { RequestStatus(rawValue: $0 + RequestStatus.inProgress.rawValue) }
            .map { "\($0)" } ?? "ended"
    }

    // MARK: Causes

    private mutating func attach(_ step: EventRecording.Step) {
        count(step, 1)
        guard step.object >= 0 else { return }
        switch recording.objects[step.object].kind {
        case .immediate, .request, .queue, .task: beginFlow(step, .scheduled(step.object))
        default: break
        }
    }

    /// A flow leads from slice to slice; what is scheduled outside any begins none.
    private mutating func beginFlow(_ step: EventRecording.Step, _ cause: Cause) {
        causes[cause] = open[step.thread].isEmpty ? nil : (step.time, step.thread)
    }

    /// Writes both ends, now that it is known that the second one happens.
    private mutating func endFlow(_ step: EventRecording.Step, _ cause: Cause) {
        guard let start = causes.removeValue(forKey: cause) else { return }
        flowCount += 1
        flowEvent("s", start.time, start.thread)
        flowEvent("f", step.time, step.thread)
    }

    private mutating func flowEvent(_ phase: String, _ time: Int64, _ thread: Int) {
        let flow = flowCount
        event(phase, time, thread, "cause", category: "cause") { json in
            json.raw(",\"bp\":\"e\",\"id\":")
            json.number(flow)
        }
    }

    private func isSignal(_ object: Int) -> Bool { object >= 0 && recording.objects[object].kind == .signal }

    private mutating func arrive(_ step: EventRecording.Step) {
        beginFlow(step, .scheduled(step.object))
        event("i", step.time, step.thread, "\(label(step.object)) arrives", category: "signal") {
            $0.raw(",\"s\":\"t\"")
        }
    }

    // MARK: Counters

    private mutating func count(_ step: EventRecording.Step, _ change: Int) {
        guard step.object >= 0, step.other >= 0 else { return }
        count(step.other, recording.objects[step.object].kind, change, step)
    }

    private mutating func count(
        _ owner: Int, _ kind: EventRecording.Kind, _ change: Int, _ step: EventRecording.Step
    ) {
        guard owner >= 0 else { return }
        let counter = Counter(owner: owner, kind: kind)
        let count = max(0, counts[counter, default: 0] + change)
        counts[counter] = count
        event("C", step.time, step.thread, "\(counterName(kind)) of \(ownerName(owner))", category: "lists") { json in
            json.raw(",\"args\":{\"waiting\":")
            json.number(count)
            json.raw("}")
        }
    }

    /// Contexts have no names, so that several of them are numbered.
    private func ownerName(_ owner: Int) -> String {
        guard let number = contexts.firstIndex(of: owner), contexts.count > 1 else { return label(owner) }
        return "\(label(owner)) \(number + 1)"
    }

    private func counterName(_ kind: EventRecording.Kind) -> String {
        switch kind {
        case .fd: "descriptors"
        case .entry: "entries"
        default: "\(kind.rawValue)s"
        }
    }

    // MARK: Events in general

    private mutating func instant(_ step: EventRecording.Step) {
        let text = recording.strings[step.text]
        // Perfetto shows a line break as `\n`.
        let line = text.hasSuffix("\n") ? String(text.dropLast()) : text
        event(
            "i", step.time, step.thread, line, category: step.what == .note ? "note" : "output"
        ) {
            $0.raw(",\"s\":\"t\"")
        }
    }

    private mutating func name(_ what: String, _ name: String, thread: Int) {
        event("M", 0, thread, what, category: "") { json in
            json.raw(",\"args\":{\"name\":")
            json.string(name)
            json.raw("}")
        }
    }

    private mutating func begin(_ phase: String, _ time: Int64, _ thread: Int) {
        json.raw(isFirst ? "\n{\"ph\":\"" : ",\n{\"ph\":\"")
        isFirst = false
        json.raw(phase)
        json.raw("\",\"pid\":1,\"tid\":")
        json.number(thread + 1)
        json.raw(",\"ts\":")
        json.microseconds(time)
    }

    private mutating func event(
        _ phase: String, _ time: Int64, _ thread: Int, _ name: String, category: String,
        _ more: (inout JSONText) -> Void
    ) {
        begin(phase, time, thread)
        json.raw(",\"name\":")
        json.string(name)
        json.raw(",\"cat\":")
        json.string(category)
        more(&json)
        json.raw("}")
    }

    private func label(_ number: Int) -> String { recording.label(of: number) }
}
