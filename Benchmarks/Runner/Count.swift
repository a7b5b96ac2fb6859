import Foundation

/// What one operation of a workload takes, counted; counts that differ from run to run are missing.
struct Count: Codable {
    var instructions: Double?
    var mallocs: Double?
    var chunks: Double?
    var systemCalls: Double?
    var bytes: Double?

    struct Kind {
        let name: String
        let path: WritableKeyPath<Count, Double?> & Sendable

        static let all = [
            Kind(name: "instructions", path: \.instructions),
            Kind(name: "mallocs", path: \.mallocs),
            Kind(name: "chunks", path: \.chunks),
            Kind(name: "system calls", path: \.systemCalls),
            Kind(name: "bytes", path: \.bytes),
        ]

        /// How far a count may exceed its bound, as a fraction.
        func tolerance(in workload: String) -> Double {
            // Swift's hashes and malloc's lists differ a little from run to run, the C library's instructions between
            // processors.
            if name == "instructions" { return 0.03 }
            // The scheduler decides how many clients' messages have arrived when a server looks.
            if workload.hasPrefix("echo") { return 0.1 }
            return 0
        }
    }
}

/// Counts what a peer's program does during the work, with callgrind and strace.
///
/// Each count is the difference between two runs, the second of which does more operations: anything done only once
/// does not count.
struct Counter {
    let peer: Peer
    private let program: String
    private let folder: URL

    /// Without debug information, the program starts several times as fast under valgrind, whose older versions cannot
    /// read Swift's.
    init(_ peer: Peer, programs: Programs, folder: URL) throws {
        self.peer = peer
        self.folder = folder
        program = folder.appendingPathComponent(peer.program).path
        _ = try Programs.run(["strip", "--strip-debug", "-o", program, programs.path(of: peer)])
    }

    func count(_ workload: Workload) throws -> Count {
        let number = workload.counted
        if workload.unit == "bytes" {
            let output = try Programs.run([program, workload.name])
            return Count(bytes: Double(output.trimmingCharacters(in: .whitespacesAndNewlines))?.rounded())
        }
        func perOperation(_ few: Int, _ many: Int, places: Double) -> Double {
            // Adding zero turns a small negative number's -0 into 0.
            (Double(many - few) / Double(number) * places).rounded() / places + 0
        }
        var count = Count()
        if workload.counting != .systemCalls {
            let few = try profile(workload, number)
            let many = try profile(workload, 2 * number)
            count.mallocs = perOperation(few.mallocs, many.mallocs, places: 100)
            count.chunks = perOperation(few.chunks, many.chunks, places: 100)
            if workload.counting == .all {
                count.instructions = perOperation(few.instructions, many.instructions, places: 1)
            }
        }
        if workload.counting != .allocations {
            let few = try systemCalls(workload, number)
            let many = try systemCalls(workload, 2 * number)
            count.systemCalls = perOperation(few, many, places: 100)
        }
        return count
    }

    private func profile(_ workload: Workload, _ number: Int) throws -> CallgrindProfile {
        let file = folder.appendingPathComponent("callgrind").path
        _ = try Programs.run(
            ["valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=\(file)", "--dump-before=bench_now"]
                + [program, workload.name, String(number)])
        // A part ends at each call of `bench_now`; the last two calls enclose the work.
        let parts = sequence(first: 1) { $0 + 1 }.prefix {
            FileManager.default.fileExists(atPath: "\(file).\($0)")
        }
        defer { for part in parts { try? FileManager.default.removeItem(atPath: "\(file).\(part)") } }
        return CallgrindProfile(parts: try parts.map { try read("\(file).\($0)") })
    }

    private func systemCalls(_ workload: Workload, _ number: Int) throws -> Int {
        let file = folder.appendingPathComponent("strace").path
        _ = try Programs.run(["strace", "-c", "-o", file] + [program, workload.name, String(number)])
        // A line has the share of the time, seconds, microseconds per call, calls, possibly errors, and the name.
        return try read(file).split(separator: "\n").reduce(0) { sum, line in
            let words = line.split(separator: " ")
            guard words.count >= 5, words.last != "total", let calls = Int(words[3]) else { return sum }
            return sum + calls
        }
    }

    private func read(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
}
