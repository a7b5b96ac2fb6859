extension EventContext {
    private static var known: [any Backend.Type] { [EpollBackend.self, PollBackend.self] }

    /// The names of the backends, the default first.
    ///
    /// The corresponding C function is `tevent_backend_list()`.
    public static var backends: [String] { known.map { $0.name } }

    /// The backend used when none is named: the fastest this system has.
    public static var defaultBackend: String { known[0].name }

    package static func makeBackend(_ name: String) throws(TeventError) -> any Backend {
        for type in known where type.name == name { return try type.init() }
        throw .unknownBackend(name: name)
    }
}

extension ContextPointer {
    /// Puts another backend in place of the one that has been used so far, which watches nothing yet.
    package func replaceBackend(with backend: any Backend) { pointee.backend = OwnedBackend(backend) }
}
