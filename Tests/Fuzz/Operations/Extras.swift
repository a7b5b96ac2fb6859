import Talloc
import Tevent
import TeventExtras

extension Kind {
    /// Readers of lines, tickers and queued writes, whose handlers do anything.
    static let extras: [Kind] = [
        Kind("line-reader", "l{a} = h{b} = a reader of lines on e{c} under {d@}, whose handler does:", share: 3, .kept)
        {
            world, step in
            guard let events = world.context(step.c), world.allLines.count < 8 else { return }
            try world.makeLineReader(step, on: events)
        },
        Kind("write-lines", "write {b#} lines for l{a}, {c:together|one by one}", share: 6) { world, step in
            guard !world.isInChild, let model = world.registers.lines[step.a % Register.count] else { return }
            try model.write(step.b % 6 + 1, separately: step.c % 2 == 1)
        },
        Kind("end-lines", "write a part of a line for l{a}, and close its pipe", share: 1) { world, step in
            guard !world.isInChild, let model = world.registers.lines[step.a % Register.count] else { return }
            try model.end()
        },
        Kind("ticker", "h{a} = a ticker on e{b} under {c@}, {d#} ns long, whose handler does:", share: 3, .kept) {
            world, step in
            guard let events = world.context(step.b) else { return }
            try world.makeTicker(step, on: events)
        },
        Kind("free-extra", "free h{a}", share: 2) { world, step in
            if let extra = world.alive(world.registers.extras[step.a % Register.count]) { world.free(extra) }
        },
        Kind(
            "queued-write", "x{a} = a QueuedWrite to d{b} through q{c} with e{d}, which {d:…|receives|is freed} and:",
            share: 3, .kept
        ) { world, step in
            guard let events = world.context(step.d), let queue = world.queue(step.c),
                let end = world.pipe(step.b)?.writer, world.mayWatch(end), !end.isLasting
            else { return }
            let bytes = [UInt8](repeating: 1, count: step.d * 500)
            let request = try QueuedWrite.send(
                bytes, to: end.descriptor, through: queue, on: events, under: world.requestParent(step.c / 4))
            world.keep(request, step) { try $0.receive() }
        },
    ]

    /// Threads that serve their state, and stop.
    static let workers: [Kind] = [
        Kind("worker", "ask a new worker {a#} times in {b:one way|both ways}, and stop it {c:at once|afterwards}") {
            world, step in
            try world.askWorker(times: step.a % 8, waits: step.b % 2 == 1, stopsEarly: step.c % 2 == 0)
        }
    ]
}

extension World {
    fileprivate func makeLineReader(_ step: Operation, on events: EventContext) throws {
        let model = LinesModel(try Pipe(isSocket: step.b % 2 == 1), context: events)
        allLines.append(model)
        allPipes.append(model.pipe)
        let foreign = Foreign(self, step)
        // A trace may free it immediately.
        let reader = try LineReader(of: model.pipe.reader.descriptor, on: events, under: parent(step.d)) {
            [unowned self] reader, input in
            expect(!reader.isFreed, "a reader of lines was freed, and goes on")
            if case .line(let text) = input {
                model.received += 1
                expect(text == "\(model.received)", "line \(model.received) is '\(text)'")
            }
            handlerRuns(in: events)
            foreign.run()
        }
        model.reader = reader
        registers.extras[step.b % Register.count] = reader.tallocContext
        registers.lines[step.a % Register.count] = model
    }

    fileprivate func makeTicker(_ step: Operation, on events: EventContext) throws {
        let foreign = Foreign(self, step)
        let interval = step.d % 3 + 1
        var last = 0
        let ticker = try Ticker(
            on: events, every: .nanoseconds(interval), for: .nanoseconds(interval + step.d), under: parent(step.c)
        ) { [unowned self] ticker, tick in
            expect(!ticker.isFreed, "a ticker was stopped, and goes on")
            expect(tick.number == last + 1 && tick.number == ticker.ticks, "tick \(tick.number) follows \(last)")
            last = tick.number
            handlerRuns(in: events)
            foreign.run()
        }
        registers.extras[step.a % Register.count] = ticker.tallocContext
    }

    /// Checks that each line was read, unless its reader cannot.
    func checkLines() {
        for model in allLines {
            guard let reader = model.reader, !reader.isFreed, !model.context.isFreed else { continue }
            guard model.context.descriptors.contains(where: { $0.descriptor == model.pipe.reader.descriptor })
            else { continue }
            expect(model.received == model.sent, "of \(model.sent) lines, \(model.received) were read")
        }
    }

    fileprivate func askWorker(times: Int, waits: Bool, stopsEarly: Bool) throws {
        let worker = try TeventExtras.Worker(named: "worker") { _ in 0 }
        for _ in 0..<times { try worker.schedule { _, state in state.value += 1 } }
        if stopsEarly { worker.stop() }
        do {
            let count = try worker.askAndWait { _, state in state.value }
            expect(count == times, "a worker has counted \(count) of \(times)")
        } catch { expect(stopsEarly, "a worker did not answer: \(error)") }
        if waits, let events = context(0), !events.isFreed {
            let answer: Request<Answer<Int>> = try worker.ask(on: events, under: requestParent(0)) { _, state, reply in
                reply.send(state.value)
            }
            registers.operations[0] = AnyRequest(answer)
        }
        worker.stop()
        try worker.join()
    }
}

/// What a program knows about a reader of lines: which it was sent, and which it has read.
final class LinesModel {
    let pipe: Pipe
    let context: EventContext
    var reader: LineReader?
    private(set) var sent = 0
    var received = 0

    init(_ pipe: Pipe, context: EventContext) {
        self.pipe = pipe
        self.context = context
    }

    /// Writes the next lines; each is the number of the line.
    fileprivate func write(_ count: Int, separately: Bool) throws {
        guard pipe.writer.isOpen, reader?.isFreed == false, sent < 1000 else { return }
        let lines = (sent + 1...sent + count).map { "\($0)\n" }
        for text in separately ? lines : [lines.joined()] {
            _ = try SystemIO.write(pipe.writer.descriptor, Array(text.utf8))
        }
        sent += count
    }

    /// Writes a line without an end, which counts as one.
    fileprivate func end() throws {
        guard pipe.writer.isOpen, reader?.isFreed == false else { return }
        _ = try SystemIO.write(pipe.writer.descriptor, Array("\(sent + 1)".utf8))
        sent += 1
        pipe.writer.close()
    }
}
