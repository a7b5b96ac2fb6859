extension CallTrace {
    /// A line for each call: its caller, and which requests existed when it began and when it returned.
    public var callTable: String {
        let rows = calls.map { call in
            [call.name, call.caller, Self.list(call.before), Self.list(call.after)]
        }
        return Self.columns([["function", "called by", "requests when it begins", "when it returns"]] + rows)
    }

    /// A line for each request: its parent, and which functions created it, ended it and freed it.
    public var lifeTable: String {
        let rows = lives.map { life in
            [life.name, life.parent] + [life.made, life.ended, life.freed].map { name(of: $0) }
        }
        return Self.columns([["request", "under", "made in", "ended in", "freed in"]] + rows)
    }

    private func name(of step: Int?) -> String { step.map { function(after: $0) ?? "the loop" } ?? "-" }

    private static func list(_ names: [String]) -> String { names.isEmpty ? "-" : names.joined(separator: ", ") }

    private static func columns(_ rows: [[String]]) -> String {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}
