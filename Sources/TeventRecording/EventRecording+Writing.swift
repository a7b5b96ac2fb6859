import CLinux
import Glibc
import Talloc
import Tevent

/// Why a recording could not be written.
public enum RecordingError: Error, Equatable, CustomStringConvertible {
    /// The path ends neither in `.html` nor in `.json`.
    case unknownForm(path: String)
    /// A system call failed.
    case systemCall(name: String, path: String, code: Int32)

    /// The error in one line.
    public var description: String {
        switch self {
        case .unknownForm(let path):
            "'\(path)' names no form of a recording; end it in .html for the player, or in .json for Perfetto"
        case .systemCall(let name, let path, let code):
            "'\(path)' could not be written: \(name): \(String(cString: strerror(code)))"
        }
    }
}

extension EventRecording {
    /// The forms in which a recording can be written.
    public enum Form: Sendable, CaseIterable {
        /// One page that plays the recording in a browser, without a network.
        case page
        /// Trace events, which Perfetto and Chrome's `about:tracing` open.
        case traceEvents

        /// The form that a path asks for by its ending.
        ///
        /// - Throws: ``RecordingError/unknownForm(path:)``.
        public init(ofPath path: String) throws(RecordingError) {
            if path.hasSuffix(".html") {
                self = .page
            } else if path.hasSuffix(".json") {
                self = .traceEvents
            } else {
                throw .unknownForm(path: path)
            }
        }
    }

    /// Writes the recording into a file, whose ending says in which form.
    ///
    /// The file appears as a whole: it is written under another name beside it, and renamed when it is complete.
    ///
    /// - Throws: ``RecordingError``; a file that was there before is unchanged then.
    public func write(to path: String) throws(RecordingError) {
        try WholeFile.write(bytes(in: Form(ofPath: path)), to: path)
    }

    /// The recording as the contents of a file.
    public func bytes(in form: Form) -> [UInt8] {
        switch form {
        case .page: playerPage()
        case .traceEvents: traceEvents()
        }
    }
}

/// Files that are written as a whole or not at all.
enum WholeFile {
    /// The path from the root to a file, which stays right when the program changes its folder.
    ///
    /// Throws unless a file can be made there.
    static func check(_ path: String) throws(RecordingError) -> String {
        // A sign that joins the slash before it makes one character of both.
        let name = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path.utf8.index(after: $0) } ?? path.startIndex
        let folder = path[..<name].isEmpty ? "." : String(path[..<name])
        guard access(folder, W_OK) == 0, let whole = realpath(folder, nil) else {
            throw .systemCall(name: "access", path: path, code: errno)
        }
        defer { free(whole) }
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw .systemCall(name: "open", path: path, code: EISDIR)
        }
        // The name under which it is written is the longer one.
        if access(temporaryPath(for: path), F_OK) != 0, errno == ENAMETOOLONG {
            throw .systemCall(name: "open", path: path, code: ENAMETOOLONG)
        }
        let root = String(cString: whole)
        return root == "/" ? "/\(path[name...])" : "\(root)/\(path[name...])"
    }

    /// Each thread has its own, since several may write the same file at once.
    private static func temporaryPath(for path: String) -> String { "\(path).\(clinux_number_of_this_thread()).tmp" }

    static func write(_ bytes: [UInt8], to path: String) throws(RecordingError) {
        let temporary = temporaryPath(for: path)
        do throws(RecordingError) {
            try withoutSizeSignal { () throws(RecordingError) in try create(temporary, bytes) }
            guard rename(temporary, path) == 0 else { throw .systemCall(name: "rename", path: path, code: errno) }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Runs `body`, in which a file that would exceed the limit of the process (`ulimit -f`) is an error and not the
    /// program's end by `SIGXFSZ`.
    private static func withoutSizeSignal(_ body: () throws(RecordingError) -> Void) throws(RecordingError) {
        var signal = sigset_t()
        var blocked = sigset_t()
        sigemptyset(&signal)
        sigaddset(&signal, SIGXFSZ)
        pthread_sigmask(SIG_BLOCK, &signal, &blocked)
        defer {
            // The kernel sends it to the thread that writes, where it is pending now.
            if sigismember(&blocked, SIGXFSZ) == 0 {
                var noTime = timespec()
                while sigtimedwait(&signal, nil, &noTime) > 0 {}
            }
            pthread_sigmask(SIG_SETMASK, &blocked, nil)
        }
        try body()
    }

    private static func create(_ path: String, _ bytes: [UInt8]) throws(RecordingError) {
        // Never through a link that another user may have put there, nor writable by others in a program without a
        // umask.
        unlink(path)
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw .systemCall(name: "open", path: path, code: errno) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard count >= 0 || errno == EINTR else {
                let code = errno
                close(file)
                throw .systemCall(name: "write", path: path, code: code)
            }
            rest = rest.dropFirst(max(count, 0))
        }
        // Some file systems report only now that there was no room.
        guard close(file) == 0 else { throw .systemCall(name: "close", path: path, code: errno) }
    }
}
