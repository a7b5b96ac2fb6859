import ArgumentParser
import Chapter1ContextAndLoops
import Talloc

/// A small tree of memory: built, printed, changed and freed.
@main
struct TallocTree: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "talloc-tree",
        abstract: "Build a tree of memory, print it, move a part of it, and free it.",
        discussion: """
            Each piece of memory has a parent. The program prints the tree, moves a chunk, lets a destructor refuse, \
            and frees the rest with one call. Each note reports when it is deinitialised.
            """)

    func run() throws {
        print("The tree:")
        // snippet: tree
        let program = try TallocContext(named: "program")
        let visit = try TallocContext(under: program, named: "visit")
        let order = try TallocChunk(Note("an order"), under: visit, named: "order")
        let bill = try TallocChunk(Note("a bill"), under: visit, named: "bill")
        let account = try TallocContext(under: program, named: "account")
        print(program.report().drawing(.names))
        // snippet-end: tree

        print("\nThe value in a chunk:")
        // snippet: value
        order.value.dishes += 2
        print("\(order.name): \(order.value.text), \(order.value.dishes) dishes")
        // snippet-end: value

        print("\nThe bill moves:")
        // snippet: move
        bill.move(under: account)
        print(program.report().drawing(.names))
        // snippet-end: move

        print("\nThe visit wants to end:")
        // snippet: destructor
        order.setDestructor { order in order.value.dishes > 0 ? .refuse : .allow }
        print("freed: \(order.free())")
        order.value.dishes = 0
        print("freed: \(visit.free())")
        // snippet-end: destructor

        print("\nThe program ends:")
        // snippet: free
        print("bill is freed: \(bill.isFreed)")
        program.free()
        print("bill is freed: \(bill.isFreed)")
        // snippet-end: free
    }
}

// snippet: note
/// A value that prints a line when it is deinitialised.
final class Note {
    let text: String
    var dishes = 0

    init(_ text: String) { self.text = text }

    deinit { print("(\(text) goes)") }
}
// snippet-end: note
