import Talloc
import Tevent

// Code that runs concurrently with its caller cannot use anything that the caller keeps.

func runTask(_ events: EventContext) {
    Task { events.stop() }  // error: passing closure as a 'sending' parameter risks causing data races
}

func runDetachedTask(_ memory: TallocContext) {
    Task.detached { memory.free() }  // error: passing closure as a 'sending' parameter risks causing data races
}

func runTaskAndGoOn() throws {
    let events = try EventContext()
    Task { events.stop() }  // error: sending value of non-Sendable type
    events.free()  // without
}

func runTaskWithCaptureList(_ request: AnyRequest) {
    Task { [request] in request.free() }  // error: passing closure as a 'sending' parameter risks causing data races
}

func runTaskOnTheMainActor(_ timer: TimerEvent) {
    Task { @MainActor in timer.free() }  // error: sending 'timer' risks causing data races
}

func runTaskOnAGenericValue<Value>(_ value: Value) {
    Task.detached { print(value) }  // error: passing closure as a 'sending' parameter risks causing data races
}

func runTaskOnAnyObject(_ object: any TallocObject) {
    Task.detached { object.free() }  // error: passing closure as a 'sending' parameter risks causing data races
}

func runTaskOnAFunction(_ events: EventContext) {
    let stop = { events.stop() }
    Task.detached { stop() }  // error: passing closure as a 'sending' parameter risks causing data races
}

func runTaskOnAMethod(_ chunk: TallocChunk<Int>) {
    func change() { chunk.value = 1 }
    Task.detached { change() }  // error: passing closure as a 'sending' parameter risks causing data races
}

func runTaskOnAPath(_ events: EventContext) {
    let path = \EventContext.now
    Task.detached { print(events[keyPath: path]) }  // error: passing closure as a 'sending' parameter risks causing
}

func runTaskOnAMirror(_ events: EventContext) {
    let mirror = Mirror(reflecting: events)
    Task.detached { print(mirror.children) }  // error: passing closure as a 'sending' parameter risks causing data
}

func runTaskOnAnArray(_ handles: [FDEvent]) {
    Task { for handle in handles { handle.free() } }  // error: passing closure as a 'sending' parameter risks causing
}

func returnFromTask(_ events: EventContext) {
    _ = Task { () -> Bool in events.hasEvents }  // error: passing closure as a 'sending' parameter risks causing data
}

// MARK: Task groups and async let

func runInAGroup(_ events: EventContext) async {
    await withDiscardingTaskGroup { group in
        group.addTask { events.stop() }  // error: passing closure as a 'sending' parameter risks causing data races
    }
}

func runTwiceInAGroup() async throws {
    let memory = try TallocContext()
    await withTaskGroup(of: Void.self) { group in
        group.addTask { _ = memory.free() }  // error: passing closure as a 'sending' parameter risks causing data races
        group.addTask { _ = memory.free() }  // error: passing closure as a 'sending' parameter risks causing data races
    }
}

func runInAThrowingGroup(_ queue: RequestQueue) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { queue.stop() }  // error: passing closure as a 'sending' parameter risks causing data races
        try await group.waitForAll()
    }
}

func runBeside(_ events: EventContext) async throws {
    async let result = events.loopWait()  // error: sending 'events' risks causing data races
    try await print(result)  // without
}

func runBesideAndGoOn() async throws {
    let events = try EventContext()
    async let result = events.loopWait()  // error: sending 'events' risks causing data races
    events.stop()  // without
    try await print(result)  // without
}

// MARK: Ways between tasks

func yieldIntoAStream(_ continuation: AsyncStream<EventContext>.Continuation, _ events: EventContext) {
    continuation.yield(events)  // error: sending 'events' risks causing data races
}

func yieldAndGoOn(_ continuation: AsyncStream<TallocContext>.Continuation) throws {
    let memory = try TallocContext()
    continuation.yield(memory)  // error: sending 'memory' risks causing data races
    memory.free()
}

func resume(_ continuation: CheckedContinuation<AnyRequest, Never>, _ request: AnyRequest) {
    continuation.resume(returning: request)  // error: sending 'request' risks causing data races
}

// MARK: Threads

func useOnAThread(_ chunk: TallocChunk<Int>) throws {
    _ = try SystemThread(named: "a") { chunk.value }  // error: passing closure as a 'sending' parameter risks causing
}

func useOnTwoThreads() throws {
    let memory = try TallocContext()
    _ = try SystemThread(named: "a") { _ = memory.free() }  // error: sending value of non-Sendable type
    _ = try SystemThread(named: "b") { _ = memory.free() }  // without
}

func useAClockOnTwoThreads(_ clock: ManualClock) throws {
    _ = try SystemThread(named: "a") { clock.advance(by: .seconds(1)) }  // error: passing closure as a 'sending'
}

func useAProfileElsewhere(_ profile: RequestProfile) throws {
    _ = try SystemThread(named: "a") { profile.description }  // error: passing closure as a 'sending' parameter risks
}
