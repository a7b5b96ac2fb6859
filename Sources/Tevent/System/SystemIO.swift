import CLinux
@preconcurrency import Glibc
import Talloc

/// The system calls that programs make on file descriptors, without pointers.
///
/// An interrupted call is made again. Writing to a pipe or socket without a reader throws instead of ending the
/// program. The numbers of standard input, output and error stay reserved: new descriptors have higher numbers, even in
/// a program that was started with one of the three closed.
///
/// ```swift
/// let (reader, writer) = try SystemIO.pipe()
/// print(try SystemIO.write(writer, "hello".utf8), "bytes written")
/// if case .bytes(let bytes) = try SystemIO.read(reader) { print(bytes) }
/// SystemIO.close(reader)
/// SystemIO.close(writer)
/// ```
public enum SystemIO {
    /// The descriptor of standard input.
    public static let standardInput: Int32 = 0
    /// The descriptor of standard output.
    public static let standardOutput: Int32 = 1
    /// The descriptor of standard error.
    public static let standardError: Int32 = 2

    /// The result of a read.
    public enum ReadResult: Equatable, Sendable {
        /// At least one byte.
        case bytes([UInt8])
        /// Nothing more will ever come.
        case endOfFile
        /// Nothing is there yet, and the descriptor does not block.
        case wouldBlock
    }

    /// Creates a pipe; its two descriptors do not block, and programs started by this one do not inherit them.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` when descriptors are exhausted.
    ///
    /// The corresponding C function is `pipe2()`.
    public static func pipe() throws(TeventError) -> (reader: Int32, writer: Int32) {
        let ends = try StandardDescriptors.avoid("pipe") { pipe2($0, O_NONBLOCK | O_CLOEXEC) }
        return (reader: ends.0, writer: ends.1)
    }

    /// Creates two connected sockets, each readable and writable, that do not block.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` when descriptors are exhausted.
    ///
    /// The corresponding C function is `socketpair()`.
    public static func socketPair() throws(TeventError) -> (Int32, Int32) {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return try StandardDescriptors.avoid("socketpair") { socketpair(AF_UNIX, type, 0, $0) }
    }

    /// The most that one call reads, even if more is requested: 1 MiB.
    ///
    /// A read allocates room for all requested bytes before it knows how many there are.
    public static let largestRead = 1 << 20

    /// Reads the bytes that are available: at most `count`, which must be at least one, and never more than
    /// ``largestRead``.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)``.
    ///
    /// The corresponding C function is `read()`.
    public static func read(_ descriptor: Int32, upTo count: Int = 4096) throws(TeventError) -> ReadResult {
        guard count > 0 else { abort("a read of \(count) bytes would look like the end; ask for at least one") }
        var result = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: min(count, largestRead)) { buffer, initializedCount in
            result = read(descriptor, UnsafeMutableRawBufferPointer(buffer))
            initializedCount = max(result, 0)
        }
        return result > 0 ? .bytes(bytes) : try emptyReadResult(result)
    }

    /// Reads into memory; returns the count, or the negative `errno`.
    static func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        let result = uninterrupted { Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
        return result < 0 ? -Int(errno) : result
    }

    /// The result of a read that returned no bytes.
    static func emptyReadResult(_ result: Int) throws(TeventError) -> ReadResult {
        guard result < 0 else { return .endOfFile }
        let code = Int32(-result)
        guard code == EAGAIN else { throw .systemCall(name: "read", code: code) }
        return .wouldBlock
    }

    /// Writes as many of the bytes as there is room for.
    ///
    /// - Returns: How many were written; 0 if there is no room now and the descriptor does not block.
    /// - Throws: ``TeventError/systemCall(name:code:)``, with `EPIPE` when the other end is closed.
    ///
    /// The corresponding C function is `write()`.
    public static func write(_ descriptor: Int32, _ bytes: some Collection<UInt8>) throws(TeventError) -> Int {
        let written =
            bytes.withContiguousStorageIfAvailable { write(descriptor, UnsafeRawBufferPointer($0)) }
            // Takes as many bytes as the collection yields, whatever its `count` says: the program may have written it.
            ?? Array(IteratorSequence(bytes.makeIterator())).withUnsafeBytes { write(descriptor, $0) }
        guard written < 0 else { return written }
        let code = Int32(-written)
        guard code == EAGAIN else { throw .systemCall(name: "write", code: code) }
        return 0
    }

    /// Writes without a copy; returns the count, or the negative `errno`.
    private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        // A flag keeps sockets from raising SIGPIPE; on other descriptors, `send` fails.
        var result = uninterrupted { send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)) }
        if result < 0, errno == ENOTSOCK {
            result = withoutBrokenPipeSignal {
                uninterrupted { Glibc.write(descriptor, bytes.baseAddress, bytes.count) }
            }
        }
        return result < 0 ? -Int(errno) : result
    }

    /// Closes the descriptor; from then on its number may refer to another file.
    ///
    /// The corresponding C function is `close()`.
    public static func close(_ descriptor: Int32) {
        _ = Glibc.close(descriptor)
        StandardDescriptors.noteClosing(descriptor)
    }

    /// Makes `print` write each line immediately, even if standard output is not a terminal; call it before printing.
    ///
    /// The corresponding C function is `setvbuf()`.
    public static func printLineByLine() { setvbuf(stdout, nil, _IOLBF, 0) }

    private static func uninterrupted(_ call: () -> Int) -> Int {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }

    /// Keeps `SIGPIPE` from this thread while `body` runs.
    private static func withoutBrokenPipeSignal(_ body: () -> Int) -> Int {
        var brokenPipe = sigset_t()
        var old = sigset_t()
        sigemptyset(&brokenPipe)
        sigaddset(&brokenPipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &brokenPipe, &old)
        let result = body()
        let code = errno
        if sigismember(&old, SIGPIPE) == 0 {
            var none = timespec()
            if result < 0, code == EPIPE { sigtimedwait(&brokenPipe, nil, &none) }
            pthread_sigmask(SIG_SETMASK, &old, nil)
        }
        errno = code
        return result
    }
}
