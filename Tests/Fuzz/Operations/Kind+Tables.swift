extension Kind {
    /// All kinds there are, by their names.
    private static let byName: [String: Kind] = {
        let tables = [
            trees, values, limits, contexts, loops, nesting, timers, signals, descriptors, surprises, frees, hooks,
            requests, endings, operations, queues, messages, threads, forks, extras, workers, odd, depth, misuse, liars,
            tasks, awaited,
            waits,
            [check],
        ]
        return Dictionary(uniqueKeysWithValues: tables.joined().map { ($0.name, $0) })
    }()

    static func named(_ name: String) -> Kind {
        guard let kind = byName[name] else { fatalError("there is no kind of step called '\(name)'") }
        return kind
    }
}
