import Talloc
import Tevent

// Handles come only from the engine, and their content cannot be reached.

func make<Result>() -> Result { fatalError() }

func makeHandles(_ events: EventContext, _ handle: TallocHandle) {
    _ = TallocHandle(slot: make())  // error: 'TallocHandle' initializer is inaccessible due to 'package'
    _ = TallocContext(tallocHandle: handle)  // error: extra argument 'tallocHandle' in call
    _ = TallocChunk<Int>(tallocHandle: handle)  // error: extraneous argument label // error: cannot convert value
    _ = EventContext(tallocHandle: handle)  // error: extra argument 'tallocHandle' in call
    _ = AnyRequest(tallocHandle: handle)  // error: extraneous argument label // error: requires that 'TallocHandle'
    _ = ThreadInbox(tallocHandle: handle)  // error: missing argument for parameter 'on' // error: extra argument
    _ = ThreadProxy(inbox: handle, channel: make())  // error: 'ThreadProxy' initializer is inaccessible
    _ = ThreadTrigger(signal: make())  // error: 'ThreadTrigger' initializer is inaccessible due to 'internal'
    _ = LoopEndedError(1)  // error: 'LoopEndedError<Payload>' initializer is inaccessible due to 'internal'
    _ = SignalArrival()  // error: a
}

func changeHandles(_ memory: TallocContext, _ other: TallocContext) {
    var memory = memory
    memory.tallocHandle = other.tallocHandle  // error: cannot assign to property: 'tallocHandle' is a 'let' constant
}

func lookInside(_ memory: TallocContext, _ events: EventContext, _ proxy: ThreadProxy, _ trigger: ThreadTrigger) {
    _ = memory.tallocHandle.slot  // error: 'slot' is inaccessible due to 'package' protection level
    _ = memory.tallocHandle.stamp  // error: 'stamp' is inaccessible due to 'package' protection level
    _ = memory.tallocHandle.object  // error: 'object' is inaccessible due to 'package' protection level
    _ = memory.tallocHandle.isStale  // error: 'isStale' is inaccessible due to 'package' protection level
    _ = memory.chunk("call")  // error: no exact matches in call to instance method 'chunk'
    _ = events.record()  // error: 'record' is inaccessible due to 'package' protection level
    _ = proxy.inbox  // error: 'inbox' is inaccessible due to 'internal' protection level
    _ = proxy.send(make())  // error: 'send' is inaccessible due to 'internal' protection level
    _ = trigger.signal  // error: 'signal' is inaccessible due to 'internal' protection level
}

func nameWhatIsInside() {
    _ = MemoryLimits.self  // error: cannot find 'MemoryLimits' in scope
    _ = HandleSlot.self  // error: cannot find 'HandleSlot' in scope
    _ = Locked<Int>.self  // error: cannot find 'Locked' in scope
    _ = Channel.self  // error: cannot find 'Channel' in scope
    _ = Letter<Int>.self  // error: cannot find 'Letter' in scope
    _ = MessageRecord.self  // error: cannot find 'MessageRecord' in scope
    _ = ContextRecord.self  // error: cannot find 'ContextRecord' in scope
    _ = StandardDescriptors.self  // error: cannot find 'StandardDescriptors' in scope
}

// MARK: The engine's own protocols

struct OwnBackend: Backend {}  // error: cannot find type 'Backend' in scope
struct OwnRecord: ObjectRecord {}  // error: cannot find type 'ObjectRecord' in scope
struct OwnEvent: EventRecord {}  // error: cannot find type 'EventRecord' in scope
final class OwnThread: SystemThread<Void> {}  // error: inheritance from a final class 'SystemThread'
final class OwnClock: ManualClock {}  // error: inheritance from a final class 'ManualClock'

// MARK: What cannot be copied

struct Unique: ~Copyable {}

func handOverWhatCannotBeCopied(_ proxy: ThreadProxy, _ memory: TallocContext) throws {
    try proxy.schedule(Unique()) { _, _ in }  // error: requires that 'Unique' conform to 'Copyable'
    _ = try TallocChunk(Unique(), under: memory)  // error: requires that 'Unique' conform to 'Copyable'
    _ = try Request(Unique(), under: memory)  // error: requires that 'Unique' conform to 'Copyable'
    _ = try SystemThread(named: "a") { () -> Unique in Unique() }  // error: requires that 'Unique' conform
}
