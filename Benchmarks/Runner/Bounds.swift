import Foundation

/// The most that each workload may take, from a file of the repository.
struct Bounds {
    private let counts: [String: Count]

    init(_ counts: [String: Count]) { self.counts = counts }

    init(file: String) throws {
        counts = try JSONDecoder().decode([String: Count].self, from: Data(contentsOf: URL(fileURLWithPath: file)))
    }

    func write(to file: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let data = try encoder.encode(counts) + Data("\n".utf8)
        try data.write(to: URL(fileURLWithPath: file))
    }

    /// Throws if a count exceeds its bound; reports counts below their bounds, so that the bounds can follow.
    ///
    /// If the counts are complete, each bound must have its count, and each count its bound.
    func compare(_ found: [String: Count], complete: Bool) throws {
        var breaches: [String] = []
        for name in Set(counts.keys).union(found.keys).sorted() {
            guard let bound = counts[name] else {
                breaches.append("\(name) has no bounds")
                continue
            }
            guard let count = found[name] else {
                if complete { breaches.append("\(name) has bounds, but was not counted") }
                continue
            }
            for kind in Count.Kind.all { breaches += Self.breach(name, kind, count, bound) }
        }
        guard breaches.isEmpty else { throw BoundsBroken(breaches: breaches) }
        print("\(found.count) workloads are within their bounds")
    }

    private static func breach(_ name: String, _ kind: Count.Kind, _ count: Count, _ bound: Count) -> [String] {
        switch (count[keyPath: kind.path], bound[keyPath: kind.path]) {
        case (let count?, let bound?):
            let number = CountTable.number
            let tolerance = kind.tolerance(in: name)
            if count > bound * (1 + tolerance) {
                return ["\(name): \(number(count)) \(kind.name) per operation, at most \(number(bound)) allowed"]
            }
            if count < bound * (1 - tolerance) {
                print("\(name): only \(number(count)) \(kind.name) per operation, where \(number(bound)) are allowed")
            }
            return []
        case (nil, nil): return []
        case (_, nil): return ["\(name): its \(kind.name) have no bound"]
        case (nil, _): return ["\(name): its \(kind.name) have a bound, but were not counted"]
        }
    }
}

/// Counts exceed their bounds.
struct BoundsBroken: Error, CustomStringConvertible {
    let breaches: [String]

    var description: String {
        """
        the engine takes more than it may:
            \(breaches.joined(separator: "\n    "))
        If this is meant, renew the bounds: run 'make counts', and commit Benchmarks/counts.json with the reason.
        """
    }
}
