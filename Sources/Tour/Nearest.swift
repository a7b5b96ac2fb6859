/// The name that takes the fewest edits to arrive at, or nil if none is similar.
func nearest(to name: String, among names: [String]) -> String? {
    names.filter { isSimilar(name, $0) }.min { editDistance(name, $0) < editDistance(name, $1) }
}

/// Whether one string may have been meant by another: a third of the characters differ at most, or it is a part of it.
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
