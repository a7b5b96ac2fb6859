import Talloc
import Tevent

/// A program that uses queues at random, the same for each seed, and checks that everything is as it must be.
///
/// It also does so in triggers, callbacks, traces and deinits. Its expectations come from the model, which knows only
/// the order in which requests were added.
final class QueueProgram {
    private(set) var complaints: [String] = []
    private(set) var triggersCalled = 0
    private(set) var tokensAlive = 0

    private let memory: TallocContext
    private let backend: String
    private let clock = ManualClock()
    private var random: SeededGenerator
    private var contexts: [EventContext] = []
    private var queues: [ModelQueue] = []
    private var requests: [ModelRequest] = []
    private var made = 0
    /// How many places hold a trigger.
    private var triggersAlive = 0
    /// All places by their entries' tags.
    private var places: [UInt64: ModelPlace] = [:]
    /// Places on their way into a queue, the innermost last.
    private var joining: [ModelPlace] = []

    /// How many handlers, traces and deinits run inside each other.
    private var depth = 0
    /// The loops that run inside each other, with the depth at which each calls its handlers.
    private var loops: [(events: EventContext, depth: Int)] = []
    private var operationsLeft = 0
    private var isOver = false

    init(seed: UInt64, backend: String) throws {
        random = SeededGenerator(seed)
        self.backend = backend
        memory = try TallocContext()
        for _ in 0..<2 { createContext() }
        for _ in 0..<2 { createQueue() }
    }

    // MARK: Running

    func step() {
        operationsLeft = 40
        for _ in 0..<number(below: 10) { act() }
        check()
        runALoop()
        check()
    }

    func end() {
        isOver = true
        memory.free()
        for place in queues.flatMap(\.places) { expect(place.entry?.isFreed != false, "it outlives its parent", place) }
        // They refer to each other.
        for place in places.values {
            place.queue.places = []
            place.queue.scheduled = nil
        }
    }

    private func runALoop() {
        guard let events = anyContext() else { return }
        loops.append((events, depth))
        sure { try number(below: 2) == 0 ? events.loopWait() : events.loopOnce() }
        loops.removeLast()
    }

    /// Compares the model with reality; no operation is running.
    private func check() {
        for request in requests where request.request.isFreed != request.isDoomed {
            complain("request \(request.id) should be \(request.isDoomed ? "freed" : "alive")")
        }
        requests.removeAll(where: \.isDoomed)
        for queue in queues {
            for place in queue.places where place.entry?.isFreed != (place.isDoomed || queue.isDoomed) {
                complain("it should be \(place.isDoomed ? "freed" : "alive")", place)
            }
            queue.places.removeAll(where: \.isDoomed)
            expect(
                queue.queue.isFreed == queue.isDoomed, "a queue is freed that should be there, or the other way round")
        }
        queues.removeAll(where: \.isDoomed)
        queues.forEach(check)
        contexts.removeAll(where: \.isFreed)
        while contexts.count < 2 { createContext() }
        for events in contexts where !events.isFreed {
            let isAwaited = queues.contains { $0.next?.events == events }
            expect(events.hasEvents == isAwaited, "the loop \(isAwaited ? "does not wait" : "waits") for a queue")
        }
        let triggers = queues.flatMap(\.places).count(where: \.hasTrigger)
        expect(triggersAlive == triggers, "\(triggersAlive) triggers are held, not \(triggers)")
    }

    private func check(_ queue: ModelQueue) {
        guard !queue.queue.isFreed else { return }
        expect(queue.queue.entries == queue.places.compactMap(\.entry), "the entries are wrong")
        expect(queue.queue.length == queue.places.count, "the length is wrong")
        expect(queue.queue.isRunning == queue.isRunning, "it runs or does not")
        for place in queue.places {
            expect(place.entry?.isTriggered == place.isTriggered, "it was triggered or not", place)
            expect(place.entry?.tag == UInt64(place.id), "its tag is wrong", place)
            expect(!place.isDue, "its trigger was not called", place)
        }
        if let scheduled = queue.scheduled, scheduled.events.isFreed { queue.scheduled = nil }
        expect(queue.scheduled === queue.next, "its schedule was not traced", queue.next)
    }

    // MARK: What is called

    private func traced(_ entry: RequestQueue.Entry, _ point: QueueTracePoint) {
        guard !isOver else { return }
        guard let place = point == .attach ? joining.last : places[entry.tag] else {
            return complain("\(point) of an unknown entry")
        }
        switch point {
        case .attach:
            expect(place.entry == nil && entry.queue == place.queue.queue, "it joined twice", place)
            place.entry = entry
            entry.tag = UInt64(place.id)
            places[entry.tag] = place
            place.queue.places.append(place)
            actSometimes()
            place.startsAtOnce =
                place.isOptimized && place.queue.next === place && !place.request.hasCallback
                && !place.request.request.isFreed
        case .schedule:
            expect(place.queue.next === place && place.queue.scheduled !== place, "it should not be scheduled", place)
            place.queue.scheduled = place
            actSometimes()
        case .beforeHandler: startsSoon(place)
        case .detach:
            expect(place.isDoomed && entry.queue == nil, "it should not leave", place)
            if place.queue.scheduled === place { place.queue.scheduled = nil }
            actSometimes()
        }
    }

    private func startsSoon(_ place: ModelPlace) {
        let queue = place.queue
        expect(queue.next === place, "its turn has not come", place)
        let isFromLoop = loops.last.map { $0.events == place.events && $0.depth == depth } == true
        if !isFromLoop || queue.scheduled !== place {
            expect(place.startsAtOnce, "it is not started by its loop", place)
        }
        place.startsAtOnce = false
        queue.scheduled = nil
        actSometimes()
        guard queue.next === place else { return }
        place.isTriggered = true
        queue.scheduled = nil
        place.isDue = place.hasTrigger && !place.request.request.isFreed && !place.request.hasEnded
    }

    private func triggered(_ place: ModelPlace, _ request: Request<ModelRequest.State>) {
        triggersCalled += 1
        expect(place.isDue, "it was triggered though its turn has not come", place)
        place.isDue = false
        expect(request.state.id == place.request.id, "it was triggered for another request", place)
        actSometimes(oneIn: 1)
    }

    private func actSometimes(oneIn rarity: Int = 5) {
        guard depth < 4, number(below: rarity) == 0 else { return }
        depth += 1
        defer { depth -= 1 }
        for _ in 0...number(below: 2) { act() }
    }

    // MARK: Operations

    private func act() {
        guard !isOver, operationsLeft > 0 else { return }
        operationsLeft -= 1
        switch number(below: 40) {
        case 0..<10: add(createRequest())
        case 10..<13: add(pickRequest())
        case 13..<17: pickActive().map(finish)
        case 17..<24: (pickActive() ?? pickRequest()).map(free)
        case 24: pickRequest().map(free)
        case 25: pickRequest().map(finish)
        case 26, 27: (pickActive() ?? pickRequest()).map(receive)
        case 28: pickPlace().map(free)
        case 29: pickPlace().map(move)
        case 30: pickQueue().map { setRunning($0, false) }
        case 31..<35: pickQueue().map { setRunning($0, true) }
        case 35: pickQueue().map(untrigger)
        case 36: if queues.count < 4 { createQueue() }
        case 37: if number(below: 8) == 0 { pickQueue().map(free) }
        case 38: if number(below: 8) == 0 { anyContext()?.free() }
        default: if depth < 4 { runALoop() }
        }
    }

    private func createContext() {
        let events = sure { try EventContext(under: memory, backend: backend, clock: clock) }
        events.allowNesting()
        events.setQueueTrace { [unowned self] in traced($0, $1) }
        contexts.append(events)
    }

    private func createQueue() {
        let owner = number(below: 5) == 0 ? pickRequest() : nil
        let queue = sure { try RequestQueue(label: "\(made)", under: owner?.request.tallocContext ?? memory) }
        queues.append(ModelQueue(queue, owner: owner))
    }

    private func createRequest() -> ModelRequest? {
        guard requests.count < 40 else { return nil }
        let parent = number(below: 6) == 0 ? pickRequest() : nil
        made += 1
        let state = ModelRequest.State(id: made, token: token())
        let request = sure { try Request(state, under: parent?.request.tallocContext ?? memory) }
        let known = ModelRequest(request, id: made, parent: parent)
        requests.append(known)
        if number(below: 2) == 0 { setCallback(known) }
        return known
    }

    private func setCallback(_ request: ModelRequest) {
        let token = token()
        request.hasCallback = true
        request.request.setCallback { [unowned self] called in
            withExtendedLifetime(token) {
                expect(called == request.request && request.hasEnded, "request \(request.id) was called back too early")
                actSometimes()
            }
        }
    }

    private func add(_ request: ModelRequest?) {
        guard let request, let queue = pickQueue(), let events = anyContext() else { return }
        guard queue.places.count < 30 else { return }
        made += 1
        let kind = number(below: 5)
        let place = ModelPlace(id: made, request, in: queue, on: events, hasTrigger: kind > 0)
        place.isOptimized = kind > 2
        joining.append(place)
        let entry = sure { try join(place) }
        joining.removeAll { $0 === place }
        expect(place.entry == entry, "another entry has joined", place)
        expect(!place.startsAtOnce, "it was not started at once", place)
    }

    private func join(_ place: ModelPlace) throws -> RequestQueue.Entry {
        let queue = place.queue.queue
        let request = place.request.request
        guard place.hasTrigger else { return try queue.addBlocker(request, on: place.events) }
        let token = token { [unowned self] in triggersAlive -= 1 }
        triggersAlive += 1
        let trigger: (Request<ModelRequest.State>) -> Void = { [unowned self] request in
            withExtendedLifetime(token) { triggered(place, request) }
        }
        return place.isOptimized
            ? try queue.addOrStart(request, on: place.events, trigger: trigger)
            : try queue.add(request, on: place.events, trigger: trigger)
    }

    private func finish(_ request: ModelRequest) {
        guard !request.hasEnded else { return }
        request.hasEnded = true
        request.hasCallback = false
        if number(below: 2) == 0 { request.request.finish() } else { request.request.fail(Oops()) }
    }

    private func receive(_ request: ModelRequest) {
        // Memory that is created under it later stays.
        guard !request.isReceived else { return request.request.discard() }
        request.isReceived = true
        request.hasEnded = true
        request.hasCallback = false
        doom(below: request, isFreed: false)
        request.isBeingReceived = true
        request.request.discard()
        request.isBeingReceived = false
    }

    private func free(_ request: ModelRequest) {
        doom(below: request, isFreed: true)
        request.request.free()
    }

    /// Notes what ends with a request that is freed or received.
    private func doom(below request: ModelRequest, isFreed: Bool) {
        for other in requests where other.isBelow(request) && (isFreed || other !== request) { other.isDoomed = true }
        let isDoomed = { (owner: ModelRequest?) in owner.map { $0.isDoomed || $0 === request } == true }
        for queue in queues {
            if isDoomed(queue.owner) { doom(queue) }
            for place in queue.places + joining where isDoomed(place.owner) {
                if isFreed || place.request !== request || place.owner !== request { place.isDoomed = true }
            }
        }
    }

    private func doom(_ queue: ModelQueue) {
        queue.isDoomed = true
        for place in queue.places + joining where place.queue === queue { place.isDoomed = true }
    }

    private func free(_ queue: ModelQueue) {
        doom(queue)
        queue.queue.free()
    }

    private func free(_ place: ModelPlace) {
        place.isDoomed = true
        place.entry?.free()
    }

    private func move(_ place: ModelPlace) {
        guard !place.request.isBeingReceived else { return }
        let owner = number(below: 2) == 0 ? nil : pickRequest()
        place.owner = owner
        place.entry?.move(under: owner?.request.tallocContext ?? memory)
    }

    private func setRunning(_ queue: ModelQueue, _ isRunning: Bool) {
        queue.isRunning = isRunning
        if !isRunning { queue.scheduled = nil }
        if isRunning { queue.queue.start() } else { queue.queue.stop() }
    }

    private func untrigger(_ queue: ModelQueue) {
        setRunning(queue, false)
        guard let first = queue.first, first.isTriggered else { return }
        first.isTriggered = false
        first.isDue = false
        first.entry?.untrigger()
    }

    // MARK: Choosing

    /// One of them that is suitable; nil if a few tries have found none.
    private func pick<Choice>(_ choices: [Choice], _ willDo: (Choice) -> Bool) -> Choice? {
        for _ in 0..<4 {
            guard let choice = choices.randomElement(using: &random) else { return nil }
            if willDo(choice) { return choice }
        }
        return nil
    }

    private func anyContext() -> EventContext? { pick(contexts) { !$0.isFreed } }

    private func pickQueue() -> ModelQueue? { pick(queues) { !$0.isDoomed } }

    private func pickRequest() -> ModelRequest? { pick(requests) { !$0.isDoomed && !$0.isBeingReceived } }

    private func pickPlace() -> ModelPlace? {
        pickQueue().flatMap { pick($0.places) { $0.isThere && !$0.isDoomed } }
    }

    /// A request whose turn has come.
    private func pickActive() -> ModelRequest? {
        guard let first = pickQueue()?.first, first.isTriggered else { return nil }
        return first.request.isDoomed || first.request.isBeingReceived ? nil : first.request
    }

    private func number(below limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }

    /// An object that acts when it is released.
    private func token(_ onEnd: @escaping () -> Void = {}) -> Token {
        tokensAlive += 1
        let token = Token()
        token.onEnd = { [unowned self] in
            tokensAlive -= 1
            onEnd()
            if !isOver { actSometimes() }
        }
        return token
    }

    private func expect(_ condition: Bool, _ complaint: String, _ place: ModelPlace? = nil) {
        if !condition { complain(complaint, place) }
    }

    private func complain(_ complaint: String, _ place: ModelPlace? = nil) {
        complaints.append(complaint + (place.map { " (place \($0.id))" } ?? ""))
    }
}
