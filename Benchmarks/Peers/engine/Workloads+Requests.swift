import CBench
import Talloc
import Tevent

/// What a request remembers; two words, as in C.
private struct Job {
    var sub: Request<Job>?
    var number = 0
}

extension Workload {
    static let requestLife = Workload("request-life", REQUESTS) { count in
        let events = try EventContext()
        return try nanoseconds(per: count) {
            for _ in 0..<count {
                let request = try Request(Job(), under: events)
                request.setCallback { $0.free() }
                request.finish()
            }
        }
    }

    static let requestPosted = Workload("request-posted", REQUESTS) { count in
        let events = try EventContext()
        return try nanoseconds(per: count) {
            for _ in 0..<count {
                let request = try Request(Job(), under: events)
                request.finish()
                request.post(on: events)
                request.setCallback { $0.free() }
                try events.loopOnce()
            }
        }
    }

    static let requestNested = Workload("request-nested", NESTED) { count in
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
        return try nanoseconds(per: count) {
            for _ in 0..<count {
                var innermost: Request<Job>?
                let outermost = try send(under: events, depth: 9, &innermost)
                outermost.setCallback { $0.free() }
                innermost!.finish()
            }
        }
    }

    static let requestMemory = Workload("request-memory", LONG_QUEUE) { count in
        let events = try EventContext()
        return try bytes(per: count) {
            for _ in 0..<count { try Request(Job(), under: events).setCallback { $0.free() } }
        }
    }

    static let queueShort = Workload("queue-16", QUEUED) { try runQueue(waiting: 16, entries: $0) }
    static let queueLong = Workload("queue-100000", QUEUED) { try runQueue(waiting: LONG_QUEUE, entries: $0) }
    static let queueGrowing = Workload("queue-growing", LONG_QUEUE) {
        try runQueue(waiting: $0, entries: max($0, QUEUED))
    }

    private static func runQueue(waiting: Int, entries: Int) throws -> Double {
        let events = try EventContext()
        let queue = try RequestQueue(label: "queue", under: events)
        return try nanoseconds(per: entries) {
            for _ in 0..<(entries / waiting) {
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
