import CBench
import Talloc
import Tevent
import TeventTasks

/// What a request remembers that an immediate ends.
private struct Job: ReceivableState {
    var number = 0
    static func receive(_ request: Request<Job>) throws -> Int { try request.receive { $0.number } }
}

/// Makes requests that an immediate ends on the loop's next turn.
private struct Maker {
    let memory: TallocContext
    let events: EventContext
    private let immediate: ImmediateEvent

    init() throws {
        memory = try TallocContext()
        events = try EventContext(under: memory)
        immediate = try ImmediateEvent(under: memory)
    }

    func make() throws -> Request<Job> {
        let request = try Request(Job(), under: memory)
        immediate.schedule(on: events) { _, _ in
            request.state.number = 1
            request.finish()
        }
        return request
    }
}

/// Gives back what comes, until the client has no more to say.
private func giveBack(_ socket: Int32, on events: EventContext) async throws {
    try events.hold(socket, under: events).setAutoClose()
    for try await bytes in events.bytes(from: socket, under: events) {
        _ = try await WriteAll.send(bytes, to: socket, on: events, under: events).value
    }
}

extension Workload {
    static let awaitCallback = Workload("await-callback", REQUESTS) { count in
        let maker = try Maker()
        defer { maker.memory.free() }
        let left = Countdown(from: count)
        func next() {
            guard left.isRunning else { return }
            left.step()
            guard let request = try? maker.make() else { return }
            request.setCallback { request in
                _ = try? Job.receive(request)
                request.free()
                next()
            }
        }
        return try nanoseconds(per: count) {
            next()
            try maker.events.loopWait()
        }
    }

    static let awaitSuspended = Workload("await-suspended", REQUESTS) { count in
        let maker = try Maker()
        defer { maker.memory.free() }
        return try nanoseconds(per: count) {
            try maker.events.run {
                for _ in 0..<count { _ = try await maker.make().value }
            }
        }
    }

    static let awaitEnded = Workload("await-ended", REQUESTS) { count in
        let maker = try Maker()
        defer { maker.memory.free() }
        return try nanoseconds(per: count) {
            try maker.events.run {
                for _ in 0..<count {
                    let request = try Request(Job(), under: maker.memory)
                    request.finish()
                    _ = try await request.value
                }
            }
        }
    }

    static let awaitJob = Workload("await-job", REQUESTS) { count in
        let events = try EventContext()
        defer { events.free() }
        return try nanoseconds(per: count) {
            try events.run {
                for _ in 0..<count { await Task.yield() }
            }
        }
    }

    static let awaitTask = Workload("await-task", REQUESTS) { count in
        let events = try EventContext()
        defer { events.free() }
        return try nanoseconds(per: count) {
            try events.run {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<count {
                        try group.addTask(on: events) {}
                        try await group.next()
                    }
                }
            }
        }
    }

    static let awaitTaskRequest = Workload("await-task-request", REQUESTS) { count in
        let events = try EventContext()
        defer { events.free() }
        return try nanoseconds(per: count) {
            try events.run {
                for _ in 0..<count { _ = try await events.task(under: events) { 1 }.value }
            }
        }
    }

    /// The server of chapter 4 in async functions: a task for each client.
    static let echoAsync = Workload("echo-50-async", ECHOES) { count in
        let clients = bench_clients(connections: 50, measures_cpu: false, messages: count)
        let events = try EventContext()
        let listener = try SystemIO.listen(boundTo: .loopback(port: 0))
        bench_start_clients(Int32(try SystemIO.localAddress(of: listener).port), clients)
        try events.run {
            for try await (socket, _) in events.connections(to: listener, under: events) {
                _ = try events.task(under: events) { try await giveBack(socket, on: events) }
            }
        }
        return .nan
    }

    static let awaitMemory = Workload("await-memory", 20_000) { count in
        let events = try EventContext()
        defer { events.free() }
        var result = 0.0
        try events.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                let before = bench_bytes()
                for _ in 0..<count {
                    try group.addTask(on: events) { _ = try await Request(7, under: events).value }
                }
                await Task.yield()
                result = Double(bench_bytes() - before) / Double(count)
                group.cancelAll()
                events.freeChildren()
                while await group.nextResult() != nil {}
            }
        }
        return result
    }
}
