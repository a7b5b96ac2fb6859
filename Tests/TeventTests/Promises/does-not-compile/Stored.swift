import Synchronization
import Talloc
import Tevent

// A handle cannot be stored in anything that any thread can reach.

struct SendableStruct: Sendable {
    let events: EventContext  // error: stored property 'events' of 'Sendable'-conforming struct 'SendableStruct' has
}

enum SendableEnum: Sendable {
    case timer(TimerEvent)  // error: associated value 'timer' of 'Sendable'-conforming enum 'SendableEnum' has non
    case other
}

final class SendableClass: Sendable {
    let chunk: TallocChunk<Int>? = nil  // error: stored property 'chunk' of 'Sendable'-conforming class 'SendableClass'
}

struct SendableGeneric<Value>: Sendable {
    let value: Value?  // error: 'Sendable'-conforming generic struct 'SendableGeneric' contains non-Sendable type
}

struct SendableExistential: Sendable {
    let object: any TallocObject  // error: stored property 'object' of 'Sendable'-conforming struct
}

struct SendableWithHandler: Sendable {
    let handler: ImmediateHandler  // error: stored property 'handler' of 'Sendable'-conforming struct
}

final class SendableWithVariable: Sendable {
    var proxy: ThreadProxy?  // error: stored property 'proxy' of 'Sendable'-conforming class 'SendableWithVariable' is
}

extension EventContext: @retroactive Error {}  // error: conformance of 'EventContext' to 'Sendable' is unavailable

// MARK: Globals

let globalContext: EventContext? = nil  // error: let 'globalContext' is not concurrency-safe because non-'Sendable'
var globalHandle: TallocHandle?  // error: var 'globalHandle' is not concurrency-safe because it is nonisolated global
let globalChunks: [TallocChunk<Int>] = []  // error: let 'globalChunks' is not concurrency-safe because non-'Sendable'
let globalHandler: TimerHandler = { timer, _ in timer.free() }  // error: let 'globalHandler' is not concurrency-safe
var globalProxy: ThreadProxy?  // error: var 'globalProxy' is not concurrency-safe because it is nonisolated global
let globalClock = ManualClock()  // error: let 'globalClock' is not concurrency-safe because non-'Sendable' type

enum Shared {
    static let queue: RequestQueue? = nil  // error: static property 'queue' is not concurrency-safe because
    static var request: Request<Int>?  // error: static property 'request' is not concurrency-safe because it is
}

final class Registry {
    static let shared = Registry()  // error: static property 'shared' is not concurrency-safe because non-'Sendable'
    var events: EventContext?
}

@MainActor final class Window {
    let events: EventContext
    init(_ events: sending EventContext) { self.events = events }
    nonisolated var name: String { events.name }  // error: main actor-isolated property 'events' can not be referenced
}
