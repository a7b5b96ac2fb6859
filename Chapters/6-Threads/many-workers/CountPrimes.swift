import Chapter6Threads
import Talloc
import Tevent
import TeventExtras

// snippet: state
/// The state of a request that counts primes with several workers.
struct CountPrimes {
    private let events: EventContext
    private var left: ArraySlice<ClosedRange<Int>>
    private var counts: [(range: ClosedRange<Int>, count: Int)] = []
    private let jobs: Int
    // snippet-end: state

    // snippet: send
    static func send(
        below limit: Int, by workers: [Worker<Primes>], on events: EventContext, under parent: some TallocObject
    ) throws(TeventError) -> Request<CountPrimes> {
        let size = max(1, limit / 10)
        let jobs = stride(from: 0, to: limit, by: size).map { $0...(min($0 + size, limit) - 1) }
        let request = try Request(CountPrimes(events: events, left: jobs[...], jobs: jobs.count), under: parent)
        for worker in workers { giveJob(to: worker, for: request) }
        return request.isInProgress ? request : request.post(on: events)
    }

    /// Gives a worker its next job, if one is left.
    private static func giveJob(to worker: Worker<Primes>, for request: Request<CountPrimes>) {
        guard request.isInProgress, let range = request.state.left.popFirst() else { return }
        let events = request.state.events
        let answer: Request<Answer<Int>>? = request.attempt {
            try worker.ask(on: events, under: request) { _, primes, reply in
                reply.send(primes.value.count(in: range))
            }
        }
        answer?.setCallback { jobDone($0, range, by: worker, for: request) }
    }
    // snippet-end: send

    // snippet: done
    private static func jobDone(
        _ answer: Request<Answer<Int>>, _ range: ClosedRange<Int>, by worker: Worker<Primes>,
        for request: Request<CountPrimes>
    ) {
        guard let count = request.attempt({ try answer.receive() }) else { return }
        answer.free()
        request.state.counts.append((range, count))
        if request.state.counts.count == request.state.jobs { return request.finish() }
        giveJob(to: worker, for: request)
    }
    // snippet-end: done

    fileprivate func take() -> [(range: ClosedRange<Int>, count: Int)] { counts }
}

extension Request<CountPrimes> {
    func receive() throws -> [(range: ClosedRange<Int>, count: Int)] { try receive { $0.take() } }
}
