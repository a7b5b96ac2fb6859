import ArgumentParser

/// The work that a part of a name stands for.
struct Selection {
    let workloads: [Workload]
    let growths: [Growth]

    /// Everything, or what has this part in its name; an error that names all there is if nothing has.
    init(_ part: String?) throws {
        workloads = Workload.all.filter { part.map($0.name.contains) ?? true }
        growths = Growth.all.filter { part.map($0.name.contains) ?? true }
        guard workloads.isEmpty, growths.isEmpty else { return }
        let names = (Workload.all.map(\.name) + Growth.all.map(\.name)).joined(separator: ", ")
        throw ValidationError("no workload has '\(part ?? "")' in its name; there are \(names).")
    }
}
