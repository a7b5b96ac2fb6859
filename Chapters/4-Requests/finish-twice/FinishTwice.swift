import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// A request that is ended a second time because a `return` is missing after the first.
@main
struct FinishTwice: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "finish-twice",
        abstract: "Withdraw money with a request that may fail, and must end only once.",
        discussion: "With --wrong a return is missing, and the program is ended with a message that says so.")

    @Flag(help: "Go on after the request has failed; the program ends with a trap.")
    var wrong = false

    func run() throws {
        SystemIO.printLineByLine()
        let program = try TallocContext(named: "program")
        defer { program.free() }
        for amount in [30, 500] {
            let request = try Request(Withdraw(balance: 100), under: program)
            request.setCallback { request in
                do { print("receive: \(try request.receive()) left") } catch { print("receive throws: \(error)") }
            }
            print("Withdraw \(amount):")
            if wrong { withdrawWithoutReturn(amount, request) } else { withdraw(amount, request) }
        }
    }

    // snippet: wrong
    private func withdrawWithoutReturn(_ amount: Int, _ request: Request<Withdraw>) {
        let rest = request.state.balance - amount
        request.state.balance = rest
        if rest < 0 {
            request.fail(AccountError.tooLittleMoney)
        }
        request.finish()
    }
    // snippet-end: wrong

    // snippet: right
    private func withdraw(_ amount: Int, _ request: Request<Withdraw>) {
        let rest = request.state.balance - amount
        guard rest >= 0 else {
            return request.fail(AccountError.tooLittleMoney)
        }
        request.state.balance = rest
        request.finish()
    }
    // snippet-end: right
}

struct Withdraw {
    var balance: Int
}

enum AccountError: Error { case tooLittleMoney }

extension Request<Withdraw> {
    func receive() throws -> Int { try receive { $0.balance } }
}
