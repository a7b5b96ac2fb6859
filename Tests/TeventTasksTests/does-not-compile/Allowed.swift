import Talloc
import TeventTasks

// What tasks may do with handles.

/// Gives back what comes.
func echo(_ socket: Int32, on events: EventContext, under memory: TallocContext) async throws -> Int {
    try events.hold(socket, under: memory).setAutoClose()
    var echoed = 0
    for try await bytes in events.bytes(from: socket, under: memory) {
        echoed += try await WriteAll.send(bytes, to: socket, on: events, under: memory).value
    }
    return echoed
}

/// Serves until it is cancelled, or its memory is freed.
func serve(_ listener: Int32, on events: EventContext, under server: TallocContext) async throws {
    for try await (socket, peer) in events.connections(to: listener, under: server) {
        let client = try TallocContext(under: server)
        let work = try events.task(under: client) {
            try await withDeadline(after: .seconds(60), on: events) {
                try await echo(socket, on: events, under: client)
            }
        }
        work.setCallback { work in
            print("\(peer): \(Result { try work.receive() })")
            client.free()
        }
    }
}

func sum(_ sockets: [Int32], on events: EventContext, under memory: TallocContext) async throws -> Int {
    try await withThrowingTaskGroup(of: Int.self) { group in
        for socket in sockets {
            try group.addTask(on: events) {
                try await Read.send(from: socket, on: events, under: memory).value?.count ?? 0
            }
        }
        return try await group.reduce(0, +)
    }
}

func several(on events: EventContext, under memory: TallocContext) async throws -> Int {
    let one = try events.task(under: memory) { 1 }
    let two = try events.task(under: memory) { [events] in try await sum([], on: events, under: memory) }
    let closure: nonisolated(nonsending) () async -> Void = { [events] in print(events.now) }
    await closure()
    return try await one.value + two.value
}

func start() throws {
    let program = try TallocContext(named: "program")
    defer { program.free() }
    let events = try EventContext(under: program)
    let listener = try SystemIO.listen(boundTo: .loopback(port: 0))
    let server = try TallocContext(under: program)
    try events.run {
        let work = try events.task(under: server) { try await serve(listener, on: events, under: server) }
        for try await time in events.ticks(every: .milliseconds(10), under: program).prefix(3) { print("tick \(time)") }
        work.cancel()
        try? await work.value
    }
}
