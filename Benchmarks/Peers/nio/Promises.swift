import CBench
import NIOCore

// The closest equivalent of a request is a promise.

let requestLife = Workload(name: "request-life", count: REQUESTS) { count, loop in
    nanoseconds(per: count, on: loop) {
        for number in 0..<count {
            let promise = loop.makePromise(of: Int.self)
            promise.futureResult.whenSuccess { _ in }
            promise.succeed(Int(number))
        }
    }
}

let requestNested = Workload(name: "request-nested", count: NESTED) { count, loop in
    nanoseconds(per: count, on: loop) {
        for number in 0..<count {
            let innermost = loop.makePromise(of: Int.self)
            var future = innermost.futureResult
            for _ in 0..<9 { future = future.map { $0 + 1 } }
            future.whenSuccess { _ in }
            innermost.succeed(Int(number))
        }
    }
}

nonisolated(unsafe) var pending: [EventLoopPromise<Int>] = []

let requestMemory = Workload(name: "request-memory", count: LONG_QUEUE) { count, loop in
    pending.reserveCapacity(count)
    let before = bench_bytes()
    for _ in 0..<count {
        let promise = loop.makePromise(of: Int.self)
        promise.futureResult.whenSuccess { _ in }
        pending.append(promise)
    }
    return loop.makeSucceededFuture(Double(bench_bytes() - before) / Double(count)).always { _ in
        for promise in pending { promise.succeed(0) }
    }
}
