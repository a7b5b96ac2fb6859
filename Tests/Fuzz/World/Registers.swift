import Talloc
import Tevent

/// A typed chunk of a program, and the type of its value as an index into ``World/valueTypes``.
struct ValueRegister {
    let chunk: TallocContext
    let type: Int
}

/// An event of a descriptor that a program has made.
struct DescriptorRegister {
    let event: FDEvent
    let end: PipeEnd
    /// Whether it serves requests, which set its flags.
    let isHolder: Bool
}

/// The handles that a program keeps, each in a register of its kind until another replaces it.
struct Registers {
    var memory = [TallocContext?](repeating: nil, count: Register.count)
    var values = [ValueRegister?](repeating: nil, count: Register.count)
    var contexts = [EventContext?](repeating: nil, count: Register.count)
    var timers = [TimerEvent?](repeating: nil, count: Register.count)
    var immediates = [ImmediateModel?](repeating: nil, count: Register.count)
    var descriptors = [DescriptorRegister?](repeating: nil, count: Register.count)
    var signals = [SignalEvent?](repeating: nil, count: Register.count)
    var pipes = [Pipe?](repeating: nil, count: Register.count)
    var requests = [RequestModel?](repeating: nil, count: Register.count)
    /// Requests that read, write, accept, connect and wait.
    var operations = [AnyRequest?](repeating: nil, count: Register.count)
    var queues = [RequestQueue?](repeating: nil, count: Register.count)
    var entries = [RequestQueue.Entry?](repeating: nil, count: Register.count)
    var inboxes = [ThreadInbox?](repeating: nil, count: Register.count)
    var triggers = [ThreadedImmediate?](repeating: nil, count: Register.count)
    /// Readers of lines and tickers.
    var extras = [TallocContext?](repeating: nil, count: Register.count)
    var lines = [LinesModel?](repeating: nil, count: Register.count)
    var tasks = [AwaitedModel?](repeating: nil, count: Register.count)
    /// Requests that tasks wait for, and other steps end.
    var awaited = [AwaitedModel?](repeating: nil, count: Register.count)
    var profiles = [RequestProfile?](repeating: nil, count: Register.count)
}

// What a step looks up. A freed object counts as missing, unless the step is careless.
extension World {
    func alive<Object: TallocObject>(_ object: Object?) -> Object? {
        guard let object, isCareless || !object.isFreed else { return nil }
        return object
    }

    func memory(_ number: Int) -> TallocContext? { alive(registers.memory[number % Register.count]) }
    func timer(_ number: Int) -> TimerEvent? { alive(registers.timers[number % Register.count]) }
    func signal(_ number: Int) -> SignalEvent? { alive(registers.signals[number % Register.count]) }
    func queue(_ number: Int) -> RequestQueue? { alive(registers.queues[number % Register.count]) }
    func entry(_ number: Int) -> RequestQueue.Entry? { alive(registers.entries[number % Register.count]) }
    func inbox(_ number: Int) -> ThreadInbox? { alive(registers.inboxes[number % Register.count]) }
    func trigger(_ number: Int) -> ThreadedImmediate? { alive(registers.triggers[number % Register.count]) }
    func operation(_ number: Int) -> AnyRequest? { alive(registers.operations[number % Register.count]) }
    func pipe(_ number: Int) -> Pipe? { registers.pipes[number % Register.count] }

    /// The context in a register, or else one that was not freed.
    func context(_ number: Int) -> EventContext? {
        alive(registers.contexts[number % Register.count]) ?? alive(registers.contexts[number / Register.count % 2])
    }

    func value(_ number: Int) -> ValueRegister? {
        let value = registers.values[number % Register.count]
        return alive(value?.chunk) == nil ? nil : value
    }

    func immediate(_ number: Int) -> ImmediateModel? {
        let immediate = registers.immediates[number % Register.count]
        return alive(immediate?.event) == nil ? nil : immediate
    }

    func descriptor(_ number: Int) -> DescriptorRegister? {
        let descriptor = registers.descriptors[number % Register.count]
        return alive(descriptor?.event) == nil ? nil : descriptor
    }

    func request(_ number: Int) -> RequestModel? {
        let request = registers.requests[number % Register.count]
        return alive(request?.request) == nil ? nil : request
    }

    /// A request of any kind.
    func anyRequest(_ number: Int) -> AnyRequest? {
        number / 32 == 0 ? request(number)?.request : operation(number)
    }

    /// An object of any kind.
    func object(_ number: Int) -> TallocContext? {
        let register = Register(any: number)
        let index = register.index
        switch register.content {
        case .memory: return memory(index)
        case .value: return value(index)?.chunk
        case .context: return alive(registers.contexts[index])?.tallocContext
        case .timer: return timer(index)?.tallocContext
        case .immediate: return immediate(index)?.event.tallocContext
        case .descriptor: return descriptor(index)?.event.tallocContext
        case .signal: return signal(index)?.tallocContext
        case .request: return request(index)?.request.tallocContext
        case .operation: return operation(index)?.tallocContext
        case .queue: return queue(index)?.tallocContext
        case .entry: return entry(index)?.tallocContext
        case .inbox, .trigger: return (inbox(index)?.tallocContext ?? trigger(index)?.tallocContext)
        }
    }

    /// The parent of a new object.
    func parent(_ number: Int) -> TallocContext {
        if programClass.isStrict { return memory(number) ?? root }
        return object(number) ?? root
    }
}
