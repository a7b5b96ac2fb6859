/// What can go wrong when talloc is asked for memory.
public enum TallocError: Error, Equatable, CustomStringConvertible {
    /// There is no memory for the named chunk: the system has none, or a memory limit was reached.
    case outOfMemory(name: String)

    /// A sentence for people, naming the chunk that could not be made.
    public var description: String {
        switch self {
        case .outOfMemory(let name):
            "out of memory: talloc could not allocate '\(name)'; free something, or raise the memory limit above it"
        }
    }
}
