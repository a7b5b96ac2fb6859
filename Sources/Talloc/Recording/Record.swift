/// One thing that happened: what a ring keeps of it.
///
/// Objects are addresses: which life of the memory is meant follows from the records before. Names are numbers of the
/// ring's `RecordNames`. What the fields mean for each `What` is in `Player/README.md`.
package struct Record {
    /// Nanoseconds on the system's monotonic clock.
    package var time: Int64 = 0
    package var what: What
    /// The kind of `object`; 0 if it is not known.
    package var kind: UInt8 = 0
    /// How many bytes of text the record holds instead of everything below.
    package var textLength: UInt8 = 0
    package var detail: Int64 = 0
    package var object: UInt = 0
    package var other: UInt = 0
    package var value: Int64 = 0
    package var name: UInt32 = 0
    package var file: UInt32 = 0
    package var line: UInt32 = 0

    /// What happened.
    package enum What: UInt8, CaseIterable {
        case made, named, tagged, moved, freed
        case turnBegin, turnEnd, waitBegin, waitEnd
        case attached, changed, detached, begin, end
        case ended, received, awaits
        case joined, left, stopped, started
        case sent, arrived
        case note, output
    }

    @inline(__always)
    package init(_ what: What) { self.what = what }

    // snippet: follows
    /// Whether the engine adds a record directly after `last`, with none of the program's code in between.
    ///
    /// Such records share one time. Reading the clock is most of what a record costs.
    @inline(__always)
    static func follows(_ last: UnsafePointer<Record>, _ what: What, _ object: UInt) -> Bool {
        let before = last.pointee.what
        return switch what {
        case .begin:
            before == .turnBegin || before == .waitEnd || (before == .detached && last.pointee.object == object)
        case .turnEnd: before == .end
        case .detached: before == .turnBegin || (before == .begin && last.pointee.object == object)
        case .freed: (before == .detached || before == .received) && last.pointee.object == object
        default: false
        }
    }
    // snippet-end: follows

    /// Stands for the present time, or that of the last record if the next one follows it.
    package static var now: Int64 { 0 }
    /// Stands for the time of the last record, since none of the program's code has run meanwhile.
    package static var atOnce: Int64 { -1 }

    /// How many bytes of text fit into one record.
    package static var textRoom: Int { MemoryLayout<Record>.size - textOffset }
    private static var textOffset: Int { MemoryLayout<Record>.offset(of: \.object).unsafelyUnwrapped }

    /// The bytes of a record of text.
    package mutating func withText<Result>(_ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result {
        withUnsafeMutableBytes(of: &self) { body(.init(rebasing: $0[Self.textOffset...])) }
    }
}
