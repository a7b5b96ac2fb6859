import Chapter3AccessingData
import Talloc
import Tevent
import XCTest

/// Solutions to the chapter's exercises that ask for new code.
final class ExerciseTests: XCTestCase {
    func testExercise3ACallbackThatFreedItsRequestStillHasWhatItCaptured() throws {
        try onBench { bench in
            func setCallback(of request: Request<Foo>, keeping witness: Witness) {
                request.setCallback { request in
                    request.free()
                    bench.log.add("callback", "\(witness.name), \(request.isFreed)")
                }
            }
            let request = try bench.request()
            setCallback(of: request, keeping: bench.witness())
            request.finish()
            XCTAssertEqual("\(bench.log)", "callback  witness, true\nwitness   goes")
        }
    }

    func testExercise4AnObjectSharedByThreeCallbacksGoesWithTheLast() throws {
        final class Tally {
            var ended = 0
            let witness: Witness
            init(_ witness: Witness) { self.witness = witness }
        }
        try onBench { bench in
            func begin() throws -> [Request<Foo>] {
                let tally = Tally(bench.witness("tally"))
                return try (1...3).map { _ in
                    let request = try bench.request()
                    request.setCallback { _ in
                        tally.ended += 1
                        bench.log.add("ended", "\(tally.ended)")
                    }
                    return request
                }
            }
            let requests = try begin()
            requests[2].finish()
            requests[0].finish()
            XCTAssertEqual(bench.gone, ["ended", "ended"])
            requests[1].free()
            XCTAssertEqual(bench.gone, ["ended", "ended", "tally"])
        }
    }

    func testExercise5ARequestOfUnknownKindCanBeDescribed() throws {
        struct Words { var count = 0 }
        func describe(_ request: AnyRequest) -> String {
            if let foo = request.request(of: Foo.self) { return "Foo with \(foo.state.x)" }
            if let words = request.request(of: Words.self) { return "\(words.state.count) words" }
            return "some \(request)"
        }
        try onBench { bench in
            XCTAssertEqual(describe(AnyRequest(try bench.request())), "Foo with 10")
            XCTAssertEqual(describe(AnyRequest(try Request(Words(count: 7), under: bench.memory))), "7 words")
            XCTAssertEqual(
                describe(AnyRequest(try Request("text", under: bench.memory))).prefix(23), "some request of String,")
        }
    }

    func testExercise6TheRequestAboveIsReachedAsDataOrCaptured() throws {
        struct Sum { var total = 0 }
        func sendSum(under memory: TallocContext, capturing: Bool) throws -> (sum: Request<Sum>, foo: Request<Foo>) {
            let sum = try Request(Sum(), under: memory)
            let foo = try Foo.send(under: sum)
            if capturing {
                foo.setCallback { foo in
                    sum.state.total += foo.state.x
                    sum.finish()
                }
            } else {
                foo.setCallback(data: try sum.stateChunk) { foo in
                    let state = foo.callbackData(of: Sum.self)
                    state.value.total += foo.state.x
                }
            }
            return (sum, foo)
        }
        try onBench { bench in
            for capturing in [true, false] {
                let (sum, foo) = try sendSum(under: bench.memory, capturing: capturing)
                foo.finish()
                XCTAssertEqual(sum.state.total, 10)
                XCTAssertEqual(sum.status, capturing ? .done : .inProgress, "a state does not know its request")
            }
        }
    }
}
