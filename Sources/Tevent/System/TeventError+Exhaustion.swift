import Glibc

extension TeventError {
    /// Whether something has run out that may be there again later: descriptors, or memory.
    ///
    /// What failed is worth another try then, once something has been freed or some time has passed.
    public var isExhaustion: Bool {
        switch self {
        case .outOfMemory: true
        case .systemCall(_, let code): [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code)
        default: false
        }
    }
}
