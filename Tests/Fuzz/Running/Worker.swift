import ArgumentParser
import Tevent

/// Runs programs in this process, one after another, and prints to standard output which one it is about to run.
///
/// The reader therefore knows which program has ended the process.
struct Worker {
    let classes: [ProgramClass]
    let mode: Mode

    /// What a line begins with before the number of a program that is about to run, and before a complaint about it.
    static let begins = "begins "
    static let complains = "complains "
    /// The exit code after a complaint; the fault might affect the next program.
    static let complaintCode: Int32 = 2

    func run(_ seeds: NumberList) throws {
        for seed in seeds.ranges.joined() {
            try say("\(Self.begins)\(seed)")
            let complaints = Self.run(seed, ProgramClass.of(seed, among: classes), mode)
            guard let first = complaints.first else { continue }
            try say("\(Self.complains)\(first)")
            throw ExitCode(Self.complaintCode)
        }
    }

    /// Runs a program, and returns what is wrong.
    private static func run(_ seed: Int, _ programClass: ProgramClass, _ mode: Mode) -> [String] {
        let before = openDescriptors()
        let board = Board()
        var generator = Generator(programClass, seed: seed)
        var complaints: [String]
        do {
            let world = try World(programClass, mode, board)
            world.perform(generator.program())
            world.check()
            world.end()
            complaints = world.complaints
        } catch { complaints = ["a program could not begin: \(error)"] }
        if board.parcelsAlive != 0 { complaints.append("\(board.parcelsAlive) payloads were never released") }
        let leaked = openDescriptors().subtracting(before)
        if !leaked.isEmpty { complaints.append("descriptors are left open: \(leaked.sorted())") }
        return complaints
    }

    /// The open numbers; for a number that is not open, the system reports just that, and for others that they are not
    /// sockets.
    private static func openDescriptors() -> Set<Int32> {
        Set(
            (3..<Int32(96)).filter { number in
                do throws(TeventError) {
                    _ = try SystemIO.localAddress(of: number)
                    return true
                } catch {
                    guard case .systemCall(_, let code) = error else { return true }
                    return code != Self.badDescriptor
                }
            })
    }

    private static let badDescriptor: Int32 = 9

    /// Writes a line; ends the process if nothing reads it any more.
    private func say(_ line: String) throws {
        _ = try SystemIO.write(SystemIO.standardOutput, Array("\(line)\n".utf8))
    }
}

extension ProgramClass {
    /// The class of a seed, when several classes are run in turn.
    static func of(_ seed: Int, among classes: [ProgramClass]) -> ProgramClass { classes[seed % classes.count] }
}
