import Foundation

/// What valgrind's callgrind saw of the work: its instructions, and how often it called certain functions.
struct CallgrindProfile {
    private(set) var instructions = 0
    private(set) var mallocs = 0
    /// Chunks of talloc.
    private(set) var chunks = 0

    private static let mallocs: Set = ["malloc", "calloc", "realloc", "aligned_alloc", "memalign", "posix_memalign"]
    private static let chunks: Set = [
        "talloc_named_const", "talloc_named", "_talloc", "_talloc_zero", "_talloc_array", "_talloc_zero_array",
        "_talloc_memdup", "talloc_pool", "_talloc_pooled_object", "talloc_strdup", "talloc_strndup", "talloc_asprintf",
    ]

    private var names: [String: Substring] = [:]
    private var object: Substring = ""
    private var called: Substring = ""

    /// Reads what callgrind wrote before the work began, since later parts refer to names in it, and then the work's
    /// part.
    init(parts: [String]) {
        for part in parts.dropLast() {
            for line in part.split(separator: "\n") { name(line) }
        }
        for line in parts.last?.split(separator: "\n") ?? [] { read(line) }
    }

    /// Counts what a line reports, in the format of the manual's chapter "Callgrind Format Specification".
    private mutating func read(_ line: Substring) {
        if let name = name(line) {
            if line.hasPrefix("ob=") { object = name }
            if line.hasPrefix("cfn=") { called = name }
        } else if line.hasPrefix("calls=") {
            let count = Int(line.dropFirst(6).prefix { $0 != " " }) ?? 0
            if Self.mallocs.contains(String(called)) { mallocs += count }
            // libtalloc's internal calls belong to the call from outside.
            if Self.chunks.contains(String(called)), !object.contains("libtalloc") { chunks += count }
        } else if line.hasPrefix("totals:") {
            instructions = Int(line.dropFirst(7).trimmingCharacters(in: .whitespaces)) ?? 0
        }
    }

    /// The name in a line such as "cfn=(12) malloc"; later ones say only "cfn=(12)".
    @discardableResult
    private mutating func name(_ line: Substring) -> Substring? {
        // Objects and functions are numbered separately.
        let key = line.prefix { $0 != ")" }
        guard let kind = ["ob=(", "cob=(", "fn=(", "cfn=("].first(where: key.hasPrefix) else { return nil }
        let number = (kind.contains("ob") ? "ob" : "fn") + key.dropFirst(kind.count)
        let name = line.dropFirst(key.count + 2)
        if !name.isEmpty { names[number] = name }
        return names[number] ?? ""
    }
}
