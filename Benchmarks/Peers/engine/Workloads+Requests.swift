import CBench
import Talloc
import Tevent

/// What a request remembers; two words, as in C.
private struct Job {
    var sub: Request<Job>?
    var number = 0
}

extension Workload {
    static let requestLife = Workload("request-life") {
        let events = try EventContext()
        return try nanoseconds(per: REQUESTS) {
            for _ in 0..<REQUESTS {
                let request = try Request(Job(), under: events)
                request.setCallback { $0.free() }
                request.finish()
            }
        }
    }

    static let requestPosted = Workload("request-posted") {
        let events = try EventContext()
        return try nanoseconds(per: REQUESTS) {
            for _ in 0..<REQUESTS {
                let request = try Request(Job(), under: events)
                request.finish()
                request.post(on: events)
                request.setCallback { $0.free() }
                try events.loopOnce()
            }
        }
    }

    static let requestNested = Workload("request-nested") {
        let events = try EventContext()
        func send(under parent: some TallocObject, depth: Int, _ innermost: inout Request<Job>?) throws -> Request<Job>
        {
            let request = try Request(Job(), under: parent)
            guard depth > 0 else {
                innermost = request
                return request
            }
            let sub = try send(under: request, depth: depth - 1, &innermost)
            request.state.sub = sub
            sub.setCallback(for: request) { sub, request in
                sub.free()
                request.finish()
            }
            return request
        }
        return try nanoseconds(per: NESTED) {
            for _ in 0..<NESTED {
                var innermost: Request<Job>?
                let outermost = try send(under: events, depth: 9, &innermost)
                outermost.setCallback { $0.free() }
                innermost!.finish()
            }
        }
    }

    static let requestMemory = Workload("request-memory") {
        let events = try EventContext()
        return try bytes(per: LONG_QUEUE) {
            for _ in 0..<LONG_QUEUE { try Request(Job(), under: events).setCallback { $0.free() } }
        }
    }

    static let queueShort = Workload("queue-16") { try runQueue(waiting: 16) }
    static let queueLong = Workload("queue-100000") { try runQueue(waiting: LONG_QUEUE) }

    private static func runQueue(waiting: Int) throws -> Double {
        let events = try EventContext()
        let queue = try RequestQueue(label: "queue", under: events)
        return try nanoseconds(per: QUEUED) {
            for _ in 0..<(QUEUED / waiting) {
                for _ in 0..<waiting {
                    let request = try Request(Job(), under: events)
                    try queue.add(request, on: events) { $0.finish() }
                    request.setCallback { $0.free() }
                }
                try events.loopWait()
            }
        }
    }
}
