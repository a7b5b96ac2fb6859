import ArgumentParser

/// The workloads whose names contain a given text.
struct Selection {
    let workloads: [Workload]
    let growths: [Growth]

    /// Everything, or what has this text in its name; throws an error that lists all names if nothing has.
    init(_ part: String?) throws {
        workloads = Workload.all.filter { part.map($0.name.contains) ?? true }
        growths = Growth.all.filter { part.map($0.name.contains) ?? true }
        guard workloads.isEmpty, growths.isEmpty else { return }
        let names = (Workload.all.map(\.name) + Growth.all.map(\.name)).joined(separator: ", ")
        throw ValidationError("no workload has '\(part ?? "")' in its name; there are \(names).")
    }
}
