@testable import Tevent

extension TimerHeap {
    /// Sets after how many more timers the order is recounted.
    mutating func useUpOrder(but left: UInt32) { added = .max - left }

    /// Whether every parent precedes its children, every timer knows its number and every number its place.
    var isConsistent: Bool {
        guard count <= numbered, numbered <= capacity else { return false }
        let used = (0..<Int(nextNumber)).filter { timers[$0] != nil }
        return used.count == numbered
            && used.allSatisfy { timers[$0]!.pointee.number == UInt32($0) }
            && used.filter { contains(timers[$0]!) }.count == count
            && (0..<count).allSatisfy { index in
                places[Int(keys[index].number)] == UInt32(index)
                    && (index == 0 || !(keys[index] < keys[(index - 1) / 4]))
            }
    }
}
