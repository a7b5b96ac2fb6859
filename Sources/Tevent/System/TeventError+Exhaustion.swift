import Glibc

extension TeventError {
    /// Whether a resource has run out that may become available again: descriptors, or memory.
    ///
    /// It is then worth retrying, after something has been freed or some time has passed.
    public var isExhaustion: Bool {
        switch self {
        case .outOfMemory: true
        case .systemCall(_, let code): [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code)
        default: false
        }
    }
}
