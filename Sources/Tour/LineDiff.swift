/// How two texts differ, line by line: `-` is expected but missing, `+` is not expected; a few equal lines give
/// context.
func lineDiff(expected: String, actual: String, context: Int = 2) -> [String] {
    let old = visibleLines(expected)
    let new = visibleLines(actual)
    var removed = Set<Int>()
    var inserted = Set<Int>()
    for change in new.difference(from: old) {
        switch change {
        case .remove(let offset, _, _): removed.insert(offset)
        case .insert(let offset, _, _): inserted.insert(offset)
        }
    }

    var lines: [String] = []
    var i = 0
    var j = 0
    while i < old.count || j < new.count {
        if removed.contains(i) {
            lines.append("- \(old[i])")
            i += 1
        } else if inserted.contains(j) {
            lines.append("+ \(new[j])")
            j += 1
        } else {
            lines.append("  \(old[i])")
            i += 1
            j += 1
        }
    }
    return shortened(lines, context: context)
}

/// Leaves out equal lines far from any change.
private func shortened(_ lines: [String], context: Int) -> [String] {
    let changed = lines.indices.filter { !lines[$0].hasPrefix(" ") }
    var result: [String] = []
    var leftOut = 0
    for index in lines.indices {
        if changed.contains(where: { abs($0 - index) <= context }) {
            if leftOut > 0 { result.append("  … \(leftOut) equal") }
            leftOut = 0
            result.append(lines[index])
        } else {
            leftOut += 1
        }
    }
    return leftOut > 0 ? result + ["  … \(leftOut) equal"] : result
}

/// The lines of a text; if it ends without a newline, the last one says so.
private func visibleLines(_ text: String) -> [String] {
    if text.isEmpty { return [] }
    var lines = text.lines.map(String.init)
    if lines.last == "" { lines.removeLast() } else { lines[lines.count - 1] += " (no newline at the end)" }
    return lines
}
