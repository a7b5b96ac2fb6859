import Foundation

/// Makes the peers take turns, and collects their figures.
struct Measurement {
    private let rounds: Int
    private let programs = Programs()
    private let progress = Progress()
    /// The workloads that each peer knows, by peer.
    private let known: [String: Set<String>]

    init(rounds: Int) throws {
        self.rounds = rounds
        let programs = programs
        known = try Dictionary(uniqueKeysWithValues: Peer.all.map { ($0.name, try programs.workloads(of: $0)) })
    }

    func measure(_ chosen: Selection) throws -> Results {
        defer { progress.end() }
        var results = Results()
        let steps = chosen.workloads.count + chosen.growths.count
        for workload in chosen.workloads {
            results.rows.append(try measure(workload, "\(results.rows.count + 1) of \(steps), \(workload.name)"))
        }
        for growth in chosen.growths {
            let step = results.rows.count + results.growth.count + 1
            results.growth.append(try measure(growth, "\(step) of \(steps), \(growth.name)"))
        }
        return results
    }

    private func peers(at workload: String) -> [Peer] {
        Peer.all.filter { known[$0.name]?.contains(workload) ?? false }
    }

    /// Takes the requested number of rounds, and more as long as they disagree about a bar.
    private func measure(_ workload: Workload, _ step: String) throws -> Row {
        progress.begin(step)
        var row = Row(workload)
        var round = 0
        while round < rounds || (round < Self.mostRounds && !row.isSettled(workload.bars)) {
            round += 1
            for peer in peers(at: workload.name) {
                progress.show(step, "round \(round), \(peer.title)")
                let figure = try programs.measure(workload.name, workload.wrapper, peer)
                row.figures[peer.name, default: Figures()].add(figure)
            }
        }
        return row
    }

    private static let mostRounds = 11

    private func measure(_ growth: Growth, _ step: String) throws -> GrowthRow {
        progress.begin(step)
        var row = GrowthRow(growth)
        for size in growth.sizes {
            guard size + 100 < descriptorLimit || !growth.needsDescriptors else {
                progress.say(
                    "\(growth.name): not \(size), as a process may have only \(descriptorLimit) descriptors here")
                continue
            }
            var point = GrowthRow.Point(size: size)
            for round in 1...Growth.rounds {
                for peer in peers(at: growth.workload) where size <= growth.largest[peer.name] ?? .max {
                    progress.show(step, "\(size) \(growth.things), round \(round), \(peer.title)")
                    point.figures[peer.name, default: Figures()].add(
                        try programs.measure(growth.workload, [], peer, count: size))
                }
            }
            row.points.append(point)
        }
        return row
    }

    /// The maximum number of descriptors that a peer can get.
    private var descriptorLimit: Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_max)
    }
}
