extension EventContext {
    private static var known: [any Backend.Type] { [EpollBackend.self, PollBackend.self] }

    /// The names of the backends, the default first.
    ///
    /// The corresponding C function is `tevent_backend_list()`.
    public static var backends: [String] { known.map { $0.name } }

    /// The default backend: the fastest that this system has.
    public static var defaultBackend: String { known[0].name }

    package static func makeBackend(_ name: String) throws(TeventError) -> any Backend {
        for type in known where type.name == name { return try type.init() }
        throw .unknownBackend(name: name)
    }
}

extension ContextPointer {
    /// Replaces the backend used so far, which does not watch anything yet.
    package func replaceBackend(with backend: any Backend) { pointee.backend = OwnedBackend(backend) }
}
