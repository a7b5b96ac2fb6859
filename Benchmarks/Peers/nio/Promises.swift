import CBench
import NIOCore

// What is nearest to a request here is a promise.

let requestLife = Workload(name: "request-life") { loop in
    nanoseconds(per: REQUESTS, on: loop) {
        for number in 0..<REQUESTS {
            let promise = loop.makePromise(of: Int.self)
            promise.futureResult.whenSuccess { _ in }
            promise.succeed(Int(number))
        }
    }
}

let requestNested = Workload(name: "request-nested") { loop in
    nanoseconds(per: NESTED, on: loop) {
        for number in 0..<NESTED {
            let innermost = loop.makePromise(of: Int.self)
            var future = innermost.futureResult
            for _ in 0..<9 { future = future.map { $0 + 1 } }
            future.whenSuccess { _ in }
            innermost.succeed(Int(number))
        }
    }
}

nonisolated(unsafe) var pending: [EventLoopPromise<Int>] = []

let requestMemory = Workload(name: "request-memory") { loop in
    pending.reserveCapacity(Int(LONG_QUEUE))
    let before = bench_bytes()
    for _ in 0..<LONG_QUEUE {
        let promise = loop.makePromise(of: Int.self)
        promise.futureResult.whenSuccess { _ in }
        pending.append(promise)
    }
    return loop.makeSucceededFuture(Double(bench_bytes() - before) / Double(LONG_QUEUE)).always { _ in
        for promise in pending { promise.succeed(0) }
    }
}
