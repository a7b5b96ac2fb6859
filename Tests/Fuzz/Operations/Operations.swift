import Talloc
import Tevent

extension Kind {
    /// Requests that read, write, accept, connect and wait.
    static let operations: [Kind] = [
        Kind(
            "read-request",
            "x{a} = a Read from {b:the first|the second} end of d{c}, which {d:…|receives|is freed} and:", share: 5,
            .kept
        ) {
            world, step in
            guard let events = world.context(step.d), let end = world.pipe(step.c)?.end(step.b), world.mayWatch(end)
            else { return }
            let request = try Read.send(
                from: end.descriptor, upTo: step.d * 100 + 1, on: events, under: world.requestParent(step.c / 4))
            world.keep(request, step) {
                if let bytes = try $0.receive() { world.expect(!bytes.isEmpty, "an empty read") }
            }
        },
        Kind(
            "write-request", "x{a} = a Write to the second end of d{c}, which {d:…|receives|is freed} and:", share: 3,
            .kept
        ) {
            world, step in
            guard let events = world.context(step.b), let end = world.pipe(step.c)?.writer, world.mayWatch(end) else {
                return
            }
            let request = try Write.send(
                [UInt8](repeating: 2, count: step.d), to: end.descriptor, on: events,
                under: world.requestParent(step.c / 4))
            world.keep(request, step) { _ = try $0.receive() }
        },
        Kind(
            "write-all", "x{a} = a WriteAll of {b#} kB to the second end of d{c}, which {d:…|receives|is freed} and:",
            share: 3,
            .kept
        ) { world, step in
            guard let events = world.context(step.b), let end = world.pipe(step.c)?.writer, world.mayWatch(end) else {
                return
            }
            let request = try WriteAll.send(
                [UInt8](repeating: 3, count: step.b * 4096), to: end.descriptor, on: events,
                under: world.requestParent(step.c / 4))
            world.keep(request, step) { _ = try $0.receive() }
        },
        Kind(
            "wakeup", "x{a} = a Wakeup of e{b} in {c:0|1|2|3|-1|9} ns, which {d:…|receives|is freed} and:", share: 4,
            .kept
        ) {
            world, step in
            guard let events = world.context(step.b) else { return }
            let delay = Duration.nanoseconds([0, 1, 2, 3, -1, 9][step.c % 6])
            let request = try Wakeup.send(after: delay, on: events, under: world.requestParent(step.c))
            world.keep(request, step) { try $0.receive() }
        },
        Kind("accept", "x{a} = an Accept on e{b}, which {d:…|receives|is freed} and:", share: 2, .kept) { world, step in
            guard let events = world.context(step.b) else { return }
            let request = try Accept.send(
                from: try world.listening(), on: events, under: world.requestParent(step.c))
            world.keep(request, step) { SystemIO.close(try $0.receive().descriptor) }
        },
        Kind(
            "connect",
            "x{a} = a Connect on e{b} to {c:the listener|a port without one|both, the latter first}, which {d:…|receives|is freed} and:",
            share: 2, .kept
        ) { world, step in
            guard let events = world.context(step.b) else { return }
            let listening = try SystemIO.localAddress(of: try world.listening())
            let unused = SocketAddress.loopback(port: 1)
            let addresses = [[listening], [unused], [unused, unused, listening]][step.c % 3]
            let request = try Connect.send(to: addresses, on: events, under: world.requestParent(step.c))
            world.keep(request, step) { SystemIO.close(try $0.receive()) }
        },
        Kind("accept-at-once", "accept what has connected", share: 1) { world, _ in
            guard let listener = world.listener else { return }
            if case .connection(let descriptor, _) = try SystemIO.accept(listener) { SystemIO.close(descriptor) }
        },
        Kind("holder", "f{a} = an event of e{b} that holds {c:the first|the second} end of d{d}", share: 2) {
            world, step in
            try Kind.named("hold").perform(world, step)
        },
        Kind("look-at-operation", "look at x{a}", share: 1) { world, step in
            guard let request = world.operation(step.a) else { return }
            world.expect(!request.description.isEmpty && !request.defaultDescription.isEmpty, "a request says nothing")
            if request.request(of: Wakeup.self) == nil, request.request(of: Read.self) == nil {
                world.expect(request.request(of: String.self) == nil, "a request is taken for another")
            }
        },
        Kind("operation-cleanup", "the cleanup function of x{a} does:", .kept) { world, step in
            guard let request = world.operation(step.a) else { return }
            world.setCleanup(ofAny: request, step)
        },
        Kind("copy-state", "give x{a} the state of x{b}, if both do the same", share: 1) { world, step in
            guard let one = world.operation(step.a), let other = world.operation(step.b) else { return }
            guard world.isCareless || (one.status != .received && other.status != .received) else { return }
            world.tampered += [one, other]
            world.copyState(from: other, to: one)
        },
        Kind("receive-operation", "receive x{a}, whatever it is", share: 2) { world, step in
            guard let request = world.operation(step.a) else { return }
            guard world.mayFree(request), world.mayReceive(request) else { return }
            try world.releasing { try world.receiveAny(request) }
        },
    ]
}

extension World {
    /// A listening socket with room for few connections.
    fileprivate func listening() throws -> Int32 {
        if let listener { return listener }
        let descriptor = try SystemIO.listen(boundTo: .loopback(port: 0), backlog: 1)
        listener = descriptor
        return descriptor
    }

    /// Keeps a request, and makes its callback do what its step says.
    func keep<State>(
        _ request: Request<State>, _ step: Operation, receive: @escaping (Request<State>) throws -> Void
    ) {
        // A trace may have freed it already.
        guard !request.isFreed else { return }
        registers.operations[step.a % Register.count] = AnyRequest(request)
        // A request that has already ended was posted, unless foreign code ended it.
        guard request.isInProgress || (!isDisturbed && request.status != .received) else { return }
        let foreign = Foreign(self, step)
        request.setCallback { [unowned self] request in
            expect(!request.isFreed && request.status != .inProgress, "a callback is called too early, or too late")
            foreign.run()
            guard !request.isFreed else { return }
            if step.d % 3 == 1, mayReceive(AnyRequest(request)), mayFree(request) {
                try? releasing { try receive(request) }
            }
            if step.d % 3 == 2 { free(request.tallocContext) }
        }
    }

    /// Whether an operation ended through its own work, and was not received.
    fileprivate func mayReceive(_ request: AnyRequest) -> Bool {
        isCareless || ![.inProgress, .received].contains(request.status) && !tampered.contains(request)
    }

    fileprivate func setCleanup(ofAny request: AnyRequest, _ step: Operation) {
        if let read = request.request(of: Read.self) {
            setCleanup(of: read, step)
        } else if let write = request.request(of: Write.self) {
            setCleanup(of: write, step)
        } else if let write = request.request(of: WriteAll.self) {
            setCleanup(of: write, step)
        } else if let accept = request.request(of: Accept.self) {
            setCleanup(of: accept, step)
        } else if let connect = request.request(of: Connect.self) {
            setCleanup(of: connect, step)
        } else if let wakeup = request.request(of: Wakeup.self) {
            setCleanup(of: wakeup, step)
        } else if let wait = request.request(of: QueueWait.self) {
            setCleanup(of: wait, step)
        }
    }

    private func setCleanup<State>(of request: Request<State>, _ step: Operation) {
        let foreign = Foreign(self, step)
        request.setCleanup { [unowned self] request, status in
            expect(!request.isFreed && request.status == status, "a cleanup function gets wrong arguments")
            foreign.run()
        }
    }

    fileprivate func copyState(from other: AnyRequest, to one: AnyRequest) {
        if let one = one.request(of: Read.self), let other = other.request(of: Read.self) {
            one.state = other.state
        } else if let one = one.request(of: Write.self), let other = other.request(of: Write.self) {
            one.state = other.state
        } else if let one = one.request(of: WriteAll.self), let other = other.request(of: WriteAll.self) {
            one.state = other.state
        } else if let one = one.request(of: Wakeup.self), let other = other.request(of: Wakeup.self) {
            one.state = other.state
        } else if let one = one.request(of: Accept.self), let other = other.request(of: Accept.self) {
            one.state = other.state
        } else if let one = one.request(of: Connect.self), let other = other.request(of: Connect.self) {
            // The request that continues with it may find no address left, which is a trap.
            if programClass.allowsTraps { one.state = other.state }
        }
    }

    fileprivate func receiveAny(_ request: AnyRequest) throws {
        if let read = request.request(of: Read.self) {
            _ = try read.receive()
        } else if let write = request.request(of: Write.self) {
            _ = try write.receive()
        } else if let write = request.request(of: WriteAll.self) {
            try write.receive()
        } else if let wakeup = request.request(of: Wakeup.self) {
            try wakeup.receive()
        } else if let accept = request.request(of: Accept.self) {
            SystemIO.close(try accept.receive().descriptor)
        } else if let connect = request.request(of: Connect.self) {
            SystemIO.close(try connect.receive())
        } else {
            // Otherwise it gets here if a trace found the event of its deadline.
            try request.request(of: QueueWait.self)?.receive()
        }
    }
}
