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
    /// Throws unless a file can be made at a path.
    static func check(_ path: String) throws(RecordingError) {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard access(directory, W_OK) == 0 else {
            throw .systemCall(name: "access", path: path, code: errno)
        }
    }

    static func write(_ bytes: [UInt8], to path: String) throws(RecordingError) {
        let temporary = "\(path).\(getpid()).tmp"
        do throws(RecordingError) {
            try create(temporary, bytes)
            guard rename(temporary, path) == 0 else { throw .systemCall(name: "rename", path: path, code: errno) }
        } catch {
            unlink(temporary)
            throw error
        }
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
