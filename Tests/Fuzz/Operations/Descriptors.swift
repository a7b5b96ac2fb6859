import Talloc
import Tevent

extension Kind {
    /// Pipes, and events that wait for them.
    static let descriptors: [Kind] = [
        Kind("pipe", "d{a} = {b:a pipe|a pair of sockets}", share: 2) { world, step in
            guard world.allPipes.count < 12 else { return }
            let pipe = try Pipe(isSocket: step.b % 2 == 1)
            world.allPipes.append(pipe)
            world.registers.pipes[step.a % Register.count] = pipe
        },
        Kind("file", "d{a} = standard input, which is a file", share: 1) { world, step in
            let pipe = Pipe(file: ())
            world.allPipes.append(pipe)
            world.registers.pipes[step.a % Register.count] = pipe
        },
        Kind("write", "write {b#} bytes to {c:the second|the first} end of d{a}", share: 5) { world, step in
            guard let pipe = world.pipe(step.a) else { return }
            let end = pipe.end(step.c + 1)
            if end.isOpen, !end.isLasting {
                _ = try SystemIO.write(end.descriptor, [UInt8](repeating: 1, count: step.b + 1))
            }
        },
        Kind("fill", "write to the second end of d{a} until there is no more room", share: 1) { world, step in
            guard let end = world.pipe(step.a)?.writer, end.isOpen, !end.isLasting else { return }
            while try SystemIO.write(end.descriptor, [UInt8](repeating: 1, count: 65536)) > 0 {}
        },
        Kind("read", "read at most {b#} bytes from {c:the first|the second} end of d{a}", share: 2) { world, step in
            guard let end = world.pipe(step.a)?.end(step.c), end.isOpen else { return }
            _ = try SystemIO.read(end.descriptor, upTo: step.b * 64 + 1)
        },
        Kind("close", "close {b:the first|the second} end of d{a}, unless an event watches it", share: 2) {
            world, step in
            guard let end = world.pipe(step.a)?.end(step.b), !world.isWatched(end.descriptor) else { return }
            end.close()
        },
        Kind(
            "fd",
            "f{a} = an event of e{c} for {b:the first|the second} end of d{d}, {d:read|write|read+write|error|read+error|nothing}"
                + "; its handler {c:does nothing more|reads all|lets it rest|frees itself} and:", share: 6, .kept
        ) { world, step in
            guard let events = world.context(step.c), let end = world.pipe(step.d)?.end(step.b) else { return }
            guard world.mayWatch(end) else { return }
            try world.addFD(step, end, on: events)
        },
        Kind("hold", "f{a} = an event of e{b} that holds {c:the first|the second} end of d{d}") { world, step in
            guard let events = world.context(step.b), let end = world.pipe(step.d)?.end(step.c) else { return }
            guard world.mayWatch(end) else { return }
            let event = try events.hold(end.descriptor, under: world.parent(step.c))
            let register = DescriptorRegister(event: event, end: end, isHolder: true)
            world.registers.descriptors[step.a % Register.count] = register
        },
        Kind("flags", "let f{a} wait for {b:read|write|read+write|error|read+error|nothing}", share: 4) { world, step in
            guard let descriptor = world.descriptor(step.a) else { return }
            guard world.isCareless || !descriptor.isHolder else { return }
            descriptor.event.flags = World.flags[step.b % 6]
        },
        Kind(
            "flags-twice",
            "let f{a} wait for {b:read|write|read+write|error|read+error|nothing} and then for what it did"
        ) {
            world, step in
            guard let descriptor = world.descriptor(step.a), !descriptor.isHolder else { return }
            let old = descriptor.event.flags
            descriptor.event.flags = World.flags[step.b % 6]
            descriptor.event.flags = old
        },
        Kind("auto-close", "let f{a} close its descriptor", share: 1) { world, step in
            guard let descriptor = world.descriptor(step.a) else { return }
            if world.giveAway(descriptor) { descriptor.event.setAutoClose() }
        },
        Kind("close-function", "let f{a} close its descriptor with a function that does:", share: 1, .kept) {
            world, step in
            guard let descriptor = world.descriptor(step.a), world.giveAway(descriptor) else { return }
            let foreign = Foreign(world, step)
            descriptor.event.setCloseFunction { number in
                foreign.run()
                SystemIO.close(number)
            }
        },
        Kind("free-fd", "free f{a}", share: 3) { world, step in
            if let descriptor = world.descriptor(step.a) { world.free(descriptor.event.tallocContext) }
        },
        Kind("look-at-fd", "look at f{a}", share: 1) { world, step in
            guard let descriptor = world.descriptor(step.a) else { return }
            let event = descriptor.event
            world.expect(event.descriptor == descriptor.end.descriptor, "an event has another descriptor")
            world.expect(!event.flags.description.isEmpty, "flags say nothing")
            world.expect(
                world.servingContext(of: event).map { $0.descriptors.contains(event) } != false,
                "an event is in no list")
        },
    ]

    /// What a program may do but must not: closing a watched descriptor.
    static let surprises: [Kind] = [
        Kind("close-watched", "close {b:the first|the second} end of d{a}, watched or not", share: 3) { world, step in
            guard let end = world.pipe(step.a)?.end(step.b), end.isOwn else { return }
            guard !end.isLasting else { return }
            if world.isWatched(end.descriptor) { world.surprising.insert(end.descriptor) }
            end.close()
        },
        Kind("reopen", "close d{a}, watched or not, and open it again as {b:a pipe|a pair of sockets}", share: 3) {
            world, step in
            guard let old = world.pipe(step.a), world.allPipes.count < 20 else { return }
            for end in [old.reader, old.writer] where end.isOwn && !end.isLasting && world.isWatched(end.descriptor) {
                world.surprising.insert(end.descriptor)
            }
            old.closeAll()
            let pipe = try Pipe(isSocket: step.b % 2 == 1)
            world.allPipes.append(pipe)
            world.registers.pipes[step.a % Register.count] = pipe
        },
        Kind(
            "fd-not-open",
            "f{a} = an event of e{b} for descriptor {c:-1|700|50|1000000|60}, {d:read|write|read+write|error}"
        ) {
            world, step in
            guard let events = world.context(step.b) else { return }
            let number: Int32 = [-1, 700, 50, 1_000_000, 60][step.c % 5]
            _ = try events.addFD(number, World.flags[step.d % 4]) { event, _ in event.free() }
        },
    ]

    /// Events that are freed.
    static let frees: [Kind] = [
        Kind("free-event", "free {b:t|i|f|s}{a}", share: 3) { world, step in
            let object =
                switch step.b % 4 {
                case 0: world.timer(step.a)?.tallocContext
                case 1: world.immediate(step.a)?.event.tallocContext
                case 2: world.descriptor(step.a)?.event.tallocContext
                default: world.signal(step.a)?.tallocContext
                }
            if let object { world.free(object) }
        },
        Kind("free-memory", "free m{a}", share: 1) { world, step in
            if let memory = world.memory(step.a) { world.free(memory) }
        },
    ]
}

extension World {
    static let flags: [FDEvent.Flags] = [.read, .write, [.read, .write], .error, [.read, .error], []]

    /// Whether any event, of the program's or a request's, waits for a number.
    func isWatched(_ descriptor: Int32) -> Bool {
        allContexts.contains { events in
            !events.isFreed && events.descriptors.contains { $0.descriptor == descriptor }
        }
    }

    /// Whether a new event may watch an end: one that an event closes belongs to that event alone.
    func mayWatch(_ end: PipeEnd) -> Bool { programClass.closesWatched ? end.isOpen : end.isOwn }

    fileprivate func addFD(_ step: Operation, _ end: PipeEnd, on events: EventContext) throws {
        let foreign = Foreign(self, step)
        let event = try events.addFD(end.descriptor, Self.flags[step.d % 6], under: parent(step.c)) {
            [unowned self] event, ready in
            // A descriptor that is not open is reported as an error, whatever foreign code has changed meanwhile.
            let isWanted = !ready.isEmpty && (ready == .error || ready.isSubset(of: event.flags))
            expect(isWanted, "a handler gets \(ready), and waits for \(event.flags)")
            if isQuiet { return letRest(event) }
            ran(foreign, event, in: event.context)
            guard !event.isFreed else { return }
            switch step.c % 4 {
            case 1: readAll(from: end)
            case 2: event.flags = []
            case 3: free(event.tallocContext)
            default: break
            }
        }
        let register = DescriptorRegister(event: event, end: end, isHolder: false)
        registers.descriptors[step.a % Register.count] = register
    }

    private func readAll(from end: PipeEnd) {
        guard end.isOpen else { return }
        for _ in 0..<16 { guard case .bytes? = try? SystemIO.read(end.descriptor, upTo: 65536) else { return } }
    }

    /// During a check each event runs once, and then rests.
    private func letRest(_ event: FDEvent) {
        quieted.append((event, event.flags))
        event.flags = []
    }

    /// Makes an event close its descriptor, if it is the only one for it, and in a loop.
    fileprivate func giveAway(_ descriptor: DescriptorRegister) -> Bool {
        let (event, end) = (descriptor.event, descriptor.end)
        guard !event.isFreed, event.context != nil else { return false }
        guard !end.isGiven(to: event) else { return true }
        let watchers = allContexts.filter { !$0.isFreed }.flatMap(\.descriptors).count {
            $0.descriptor == end.descriptor
        }
        guard end.isOwn, !end.isLasting, watchers == 1 else { return false }
        // Other events may watch the number later, and be surprised.
        if programClass.closesWatched { surprising.insert(end.descriptor) }
        end.giveAway(to: event)
        return true
    }
}
