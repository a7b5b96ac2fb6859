import Talloc
import Tevent

/// Turns records, which know only addresses, into steps, which know objects.
///
/// An address means the object that was made there last. An object that was made before the recording began, or whose
/// making was lost, becomes known when it is first mentioned.
struct RecordMerger {
    private let threads: [RecordedThread]
    private(set) var strings = StringTable()
    private(set) var objects: [EventRecording.Object] = []
    private(set) var steps: [EventRecording.Step] = []
    private var living: [UInt: Int] = [:]
    /// The handlers, and the turns, that have begun on each thread and not ended.
    private var running: [[Int]]
    private var turning: [[Int]]
    /// The numbers of the messages on their way, by address.
    private var messages: [Int64: Int64] = [:]
    private var messageCount: Int64 = 0
    /// The steps that sent messages which have not arrived; only their arrival tells the inbox.
    private var onTheirWay: [Int64: Int] = [:]
    private var start: Int64 = 0

    init(_ threads: [RecordedThread]) {
        self.threads = threads
        running = threads.map { _ in [] }
        turning = threads.map { _ in [] }
    }

    mutating func merge() {
        var order = threads.indices.flatMap { thread in
            threads[thread].records.indices.map { (thread: thread, place: $0, time: threads[thread].records[$0].time) }
        }
        order.sort { ($0.time, $0.thread, $0.place) < ($1.time, $1.thread, $1.place) }
        start = order.first?.time ?? 0
        steps.reserveCapacity(order.count)
        var next = 0
        while next < order.count {
            let (thread, place, _) = order[next]
            next += 1
            let record = threads[thread].records[place]
            guard record.what == .note || record.what == .output else {
                add(record, of: thread)
                continue
            }
            // A long text has several records of the same time, one after another.
            var text = record.text
            while next < order.count, order[next].thread == thread, order[next].time == record.time,
                case let more = threads[thread].records[order[next].place], more.what == record.what
            {
                text += more.text
                next += 1
            }
            addText(record, of: thread, text)
        }
    }

    private mutating func addText(_ record: Record, of thread: Int, _ text: [UInt8]) {
        var step = EventRecording.Step(time: record.time - start, thread: thread, what: .init(record.what))
        step.value = record.detail
        step.text = strings.number(of: String(decoding: text, as: UTF8.self))
        steps.append(step)
    }

    private mutating func add(_ record: Record, of thread: Int) {
        var step = EventRecording.Step(time: record.time - start, thread: thread, what: .init(record.what))
        step.value = record.value
        step.detail = record.detail
        if record.kind == ObjectKind.request.rawValue, record.what == .ended || record.what == .begin {
            step.value -= Int64(RequestStatus.inProgress.rawValue)
        }
        switch record.what {
        case .made:
            step.other = parent(of: record, thread)
            step.object = make(record, thread)
            step.detail = 0
        case .named:
            objects[object(record, thread)].name = strings.number(of: name(record.name, thread))
            return
        case .tagged:
            objects[object(record, thread)].tag = UInt64(bitPattern: record.value)
            return
        case .freed:
            guard let object = living.removeValue(forKey: record.object) else { return }
            step.object = object
        case .turnBegin:
            step.object = object(record, thread)
            turning[thread].append(step.object)
        case .turnEnd:
            guard let context = turning[thread].popLast() else { return }
            step.object = context
        case .begin:
            step.object = object(record, thread)
            step.other = other(record, thread)
            running[thread].append(step.object)
            if record.kind == ObjectKind.receiver.rawValue { step.value = takeMessage(record.value) }
        case .end:
            // One that began before the recording has only an end.
            guard let object = running[thread].popLast() else { return }
            step.object = object
        case .sent,
            .arrived where record.kind != ObjectKind.signal.rawValue:
            step.object = living[record.object] ?? -1
            step.other = other(record, thread)
            step.value = number(ofMessage: record.value, isNew: record.what == .sent)
            if record.what == .sent {
                onTheirWay[step.value] = steps.count
            } else if let sending = onTheirWay.removeValue(forKey: step.value) {
                steps[sending].object = step.object
            }
        default:
            step.object = object(record, thread)
            step.other = other(record, thread)
            if record.what == .ended {
                step.text = strings.number(of: name(record.file, thread))
                step.line = Int(record.line)
                splitLocation(&step.text, &step.line)
            } else if record.what == .attached, record.kind == ObjectKind.signal.rawValue {
                step.text = strings.number(of: "\(Signal(rawValue: Int32(record.value)))")
            }
        }
        steps.append(step)
    }

    // MARK: Objects

    private mutating func make(_ record: Record, _ thread: Int) -> Int {
        var object = EventRecording.Object(
            kind: .init(ObjectKind(rawValue: record.kind)), name: strings.number(of: name(record.name, thread)),
            thread: thread)
        object.file = strings.number(of: name(record.file, thread))
        object.line = Int(record.line)
        splitLocation(&object.file, &object.line)
        // Without a line it is the engine's, or C's name for no location.
        if object.line == 0 { object.file = 0 }
        objects.append(object)
        living[record.object] = objects.count - 1
        return objects.count - 1
    }

    /// The object that a record is about.
    private mutating func object(_ record: Record, _ thread: Int) -> Int {
        let kind = EventRecording.Kind(ObjectKind(rawValue: record.kind))
        guard let known = living[record.object] else { return meet(record.object, kind, thread) }
        learn(kind, of: known)
        return known
    }

    /// The second object of a record, which is a context or a queue.
    private mutating func other(_ record: Record, _ thread: Int) -> Int {
        guard record.other != 0 else { return -1 }
        let kind: EventRecording.Kind =
            record.kind == ObjectKind.queueEntry.rawValue ? .queue : record.what == .awaits ? .request : .context
        if let known = living[record.other] {
            if record.what != .moved { learn(kind, of: known) }
            return known
        }
        switch record.what {
        case .attached, .changed, .begin, .arrived, .joined, .awaits: return meet(record.other, kind, thread)
        // What is freed with its context or queue leaves them after they are gone.
        default: return -1
        }
    }

    /// The parent of something that is made; a parent that is no object of the engine is known by its name only.
    private mutating func parent(of record: Record, _ thread: Int) -> Int {
        guard record.other != 0 else { return -1 }
        let name = name(UInt32(record.detail), thread)
        if let known = living[record.other], name.isEmpty || strings.all[objects[known].name] == name { return known }
        return meet(record.other, .memory, thread, name: name)
    }

    private mutating func meet(
        _ address: UInt, _ kind: EventRecording.Kind, _ thread: Int, name: String = ""
    ) -> Int {
        objects.append(EventRecording.Object(kind: kind, name: strings.number(of: name), thread: thread))
        living[address] = objects.count - 1
        return objects.count - 1
    }

    /// Something that was first met as the parent of something else may turn out to be more than memory.
    private mutating func learn(_ kind: EventRecording.Kind, of object: Int) {
        if objects[object].kind == .memory { objects[object].kind = kind }
    }

    // MARK: Names and messages

    private func name(_ number: UInt32, _ thread: Int) -> String {
        let names = threads[thread].names
        return Int(number) < names.count ? names[Int(number)] : ""
    }

    /// Takes a location of C, such as "../lib/foo.c:12", apart.
    private mutating func splitLocation(_ file: inout Int, _ line: inout Int) {
        guard line == 0, file != 0 else { return }
        let location = strings.all[file]
        guard let colon = location.lastIndex(of: ":"), let number = Int(location[location.index(after: colon)...])
        else { return }
        file = strings.number(of: String(location[..<colon]))
        line = number
    }

    private mutating func number(ofMessage address: Int64, isNew: Bool) -> Int64 {
        if !isNew, let number = messages[address] { return number }
        messageCount += 1
        messages[address] = messageCount
        return messageCount
    }

    private mutating func takeMessage(_ address: Int64) -> Int64 {
        defer { messages[address] = nil }
        return number(ofMessage: address, isNew: false)
    }
}

extension Record {
    /// The text that the record holds.
    fileprivate var text: [UInt8] {
        var copy = self
        return copy.withText { [UInt8]($0.prefix(Int(textLength))) }
    }
}

/// Strings, each with a number; 0 is the empty one.
struct StringTable {
    private(set) var all = [""]
    private var numbers = ["": 0]

    mutating func number(of string: String) -> Int {
        if let number = numbers[string] { return number }
        all.append(string)
        numbers[string] = all.count - 1
        return all.count - 1
    }
}
