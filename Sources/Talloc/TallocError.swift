/// An error that occurs when a program asks talloc for memory.
public enum TallocError: Error, Equatable, CustomStringConvertible {
    /// There is no memory for the named chunk: the system has none left, or a memory limit was reached.
    case outOfMemory(name: String)

    /// A readable sentence that names the chunk that could not be allocated.
    public var description: String {
        switch self {
        case .outOfMemory(let name):
            "out of memory: talloc could not allocate '\(name)'; free something, or raise the memory limit above it"
        }
    }
}
