import Talloc
import Tevent

extension Kind {
    /// Values at the limits of their types.
    static let odd: [Kind] = [
        Kind("odd-timer", "t{a} = a timer of e{b} after an odd delay, no. {c#}, whose handler does:", share: 3, .kept) {
            world, step in
            guard let events = world.context(step.b) else { return }
            let foreign = Foreign(world, step)
            world.registers.timers[step.a % Register.count] = try events.addTimer(
                after: World.oddDurations[step.c % World.oddDurations.count], under: world.parent(step.d)
            ) { timer, _ in world.ran(foreign, timer, in: timer.context) }
        },
        Kind("odd-update", "let t{a} be due at an odd time, no. {c#}", share: 2) { world, step in
            world.timer(step.a)?.update(
                at: EventInstant(nanoseconds: World.oddNumbers[step.c % World.oddNumbers.count]))
        },
        Kind("odd-update-after", "let t{a} be due after an odd delay, no. {c#}", share: 2) { world, step in
            world.timer(step.a)?.update(after: World.oddDurations[step.c % World.oddDurations.count])
        },
        Kind("odd-wait", "let e{a} wait for an odd time at most, no. {c#}", share: 2) { world, step in
            world.context(step.a)?.maximumWait = World.oddDurations[step.c % World.oddDurations.count]
        },
        Kind("odd-end-time", "let r{a} time out after an odd delay on e{b}, no. {c#}", share: 2) { world, step in
            guard let request = world.anyRequest(step.a), let events = world.context(step.b) else { return }
            try request.setEndTime(after: World.oddDurations[step.c % World.oddDurations.count], on: events)
        },
        Kind("odd-wakeup", "x{a} = a Wakeup on e{b} after an odd delay, no. {c#}", share: 2) { world, step in
            guard let events = world.context(step.b) else { return }
            let delay = World.oddDurations[step.c % World.oddDurations.count]
            let request = try Wakeup.send(after: delay, on: events, under: world.requestParent(step.d))
            if !request.isFreed { world.registers.operations[step.a % Register.count] = AnyRequest(request) }
        },
        Kind("odd-advance", "let an odd time pass, no. {c#}", share: 1) { world, step in
            let duration = World.oddDurations[step.c % World.oddDurations.count]
            if duration >= .zero { world.clock.advance(by: duration) }
        },
        Kind("odd-signal", "catch signal {c#}, if there is one, on e{b}", share: 1) { world, step in
            let numbers: [Int32] = [0, -1, 9, 19, 32, 33, 65, .max, .min, 64, 17]
            let event = try world.context(step.b)?.addSignal(Signal(rawValue: numbers[step.c % numbers.count])) {
                _, _ in
            }
            if let event, !event.isFreed { world.free(event.tallocContext) }
        },
        Kind("odd-flags", "let f{a} wait for flags {b#} × 4", share: 2) { world, step in
            guard let descriptor = world.descriptor(step.a), !descriptor.isHolder else { return }
            let flags = FDEvent.Flags(rawValue: UInt8(step.b * 4))
            descriptor.event.flags = flags
            // A trace may have freed it.
            guard !descriptor.event.isFreed, !world.isDisturbed else { return }
            let isRight = descriptor.event.flags == flags.intersection([.read, .write, .error])
            world.expect(isRight, "an event waits for \(descriptor.event.flags) instead of \(flags)")
        },
        Kind("odd-pool", "make a pool that cannot be, no. {c#}", share: 1) { world, step in
            let sizes = [(0, 0), (Int(UInt32.max), 8), (1, Int.max), (0, Int.max / 2), (1 << 20, 1 << 28)]
            let (objects, bytes) = sizes[step.c % sizes.count]
            let pool = try TallocPool(objects: objects, bytes: bytes)
            world.everything.append(pool.tallocContext)
        },
        Kind("odd-name", "give m{a} an odd name, no. {c#}", share: 1) { world, step in
            let names = ["", "a\0b", String(repeating: "x", count: 5000), ".name", "struct tevent_req", "\u{1F600}"]
            try world.memory(step.a)?.setName(names[step.c % names.count])
        },
        Kind("odd-limit", "limit {a@} to 1 byte, or to all there is", share: 1) { world, step in
            try world.object(step.a)?.setMemoryLimit(bytes: step.b % 2 == 0 ? 1 : .max)
        },
        Kind("odd-read", "read with an odd count, no. {c#}", share: 1) { world, step in
            guard let end = world.pipe(step.a)?.reader, end.isOpen else { return }
            _ = try SystemIO.read(end.descriptor, upTo: [1, 65537, 1 << 40, .max][step.c % 4])
        },
        Kind("odd-descriptors", "call the system with descriptors that are none") { _, step in
            let number = [Int32.min, -1, 999, .max][step.c % 4]
            _ = try? SystemIO.write(number, [1])
            _ = try? SystemIO.read(number)
            _ = try? SystemIO.accept(number)
            _ = try? SystemIO.localAddress(of: number)
            _ = try? SystemIO.peerAddress(of: number)
            _ = try? SystemIO.setNoDelay(number)
            _ = SystemIO.isTerminal(number)
            try SystemIO.shutdownWriting(number)
        },
        Kind("odd-addresses", "look for odd addresses, no. {c#}", share: 1) { world, step in
            let hosts = ["127.0.0.1", "::1", "256.1.1.1", "", "0", "::ffff:127.0.0.1"]
            let host = hosts[step.c % 6]
            guard host.contains(":") || host.contains(".") else { return }
            let addresses = try SocketAddress.resolve(host: host, port: UInt16(step.d) * 1000)
            world.expect(addresses.allSatisfy { !$0.description.isEmpty && $0.port == UInt16(step.d) * 1000 }, "odd")
            world.expect(
                addresses[0] == addresses[0] && addresses[0] != .everywhere(port: 9), "an address is not itself")
        },
        Kind("odd-backend", "make a context with a backend that is none", share: 1) { world, _ in
            do throws(TeventError) {
                _ = try EventContext(under: world.root, backend: "none")
                world.complain("there is a backend called none")
            } catch { world.expect(!error.description.isEmpty && !error.isExhaustion, "an error has no text") }
        },
        Kind("odd-arithmetic", "calculate with odd times, no. {c#} and {d#}", share: 1) { world, step in
            let one = EventInstant(nanoseconds: World.oddNumbers[step.c % World.oddNumbers.count])
            let other = EventInstant(nanoseconds: World.oddNumbers[step.d % World.oddNumbers.count])
            let later = one.advanced(by: World.oddDurations[step.d % World.oddDurations.count])
            world.expect(
                !later.description.isEmpty && one.duration(to: other) + other.duration(to: one) == .zero, "odd")
        },
    ]
}

extension World {
    fileprivate static let oddNumbers: [Int64] = [.min, .min + 1, -1, 0, 1, 1_000_000_000, .max - 1, .max]

    fileprivate static let oddDurations: [Duration] = [
        .seconds(Int64.min), .seconds(Int64.max), .nanoseconds(Int64.min), .nanoseconds(Int64.max), .zero,
        .nanoseconds(-1), .seconds(-1), .seconds(9_223_372_036), .seconds(9_223_372_037), .microseconds(1),
        Duration(attoseconds: .max), Duration(attoseconds: .min), Duration(attoseconds: 1), .milliseconds(Int64.max),
    ]
}
