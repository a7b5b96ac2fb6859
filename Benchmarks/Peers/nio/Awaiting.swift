import CBench
import NIOCore

/// A promise that the loop keeps on its next tick, awaited by a task.
let awaitSuspended = Workload(name: "await-suspended", count: REQUESTS) { count, loop in
    loop.makeFutureWithTask {
        let start = bench_now()
        for number in 0..<count {
            let promise = loop.makePromise(of: Int.self)
            loop.execute { promise.succeed(number) }
            _ = try await promise.futureResult.get()
        }
        return Double(bench_now() - start) / Double(count)
    }
}
