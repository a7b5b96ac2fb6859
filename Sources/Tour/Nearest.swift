/// The name that takes the fewest edits to reach, or nil if none is similar.
func nearest(to name: String, among names: [String]) -> String? {
    names.filter { isSimilar(name, $0) }.min { editDistance(name, $0) < editDistance(name, $1) }
}

/// Whether a typed string may stand for a name: at most a third of the characters differ, or it is a part of the name.
private func isSimilar(_ typed: String, _ name: String) -> Bool {
    typed.count > 2 && name.lowercased().contains(typed.lowercased())
        || editDistance(typed, name) <= max(1, min(typed.count, name.count) / 3)
}

/// How many characters to insert, delete or replace to turn one string into another, ignoring case.
func editDistance(_ a: String, _ b: String) -> Int {
    let b = Array(b.lowercased())
    var row = Array(0...b.count)
    for (i, character) in a.lowercased().enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for j in b.indices {
            let replaced = diagonal + (character == b[j] ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
        }
    }
    return row[b.count]
}
