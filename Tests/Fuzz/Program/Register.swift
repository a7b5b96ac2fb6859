/// Where a program keeps the handle of an object: a letter for the kind of object, and a number.
struct Register: CustomStringConvertible {
    /// How many registers there are of each kind.
    static let count = 4

    /// What a register holds.
    enum Content: String {
        case memory = "m"
        case value = "v"
        case context = "e"
        case timer = "t"
        case immediate = "i"
        case descriptor = "f"
        case signal = "s"
        case request = "r"
        case operation = "x"
        case queue = "q"
        case entry = "n"
        case inbox = "b"
        case trigger = "g"
    }

    let content: Content
    let index: Int

    /// The register that a number below 64 selects where an object of any kind is allowed.
    init(any number: Int) {
        content = Self.anyContent[number / Self.count % Self.anyContent.count]
        index = number % Self.count
    }

    var description: String { "\(content.rawValue)\(index)" }

    private static let anyContent: [Content] = [
        .memory, .memory, .memory, .memory, .value, .value, .context, .timer, .immediate, .descriptor, .signal,
        .request,
        .operation, .queue, .entry, .inbox,
    ]
}
