import CLinux
import Glibc
import Synchronization

/// The numbers of standard input, output and error, which no other file gets, even if they are closed.
///
/// The system gives a new file the lowest free number. In a program that was started without standard output, the next
/// file or socket would become number 1 and receive everything that the program prints.
package enum StandardDescriptors {
    /// Whether one of the three numbers may be free; false only if all are known to be in use.
    private static let mayBeFree = Atomic(true)

    static func setUp() { _ = mayBeFree.load(ordering: .relaxed) }

    /// Opens a placeholder at each of the three numbers that is closed; reading and writing there fail as before.
    static func occupy() {
        // `open` returns the lowest free number. The placeholder for input can only be written to, and those for output
        // only read.
        for descriptor in 0...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }

    /// Takes what a system call returned for a new descriptor, and moves the descriptor above the three numbers.
    ///
    /// - Throws: The error of the call; or the error of the move, after closing the descriptor.
    package static func avoid(_ call: String, _ descriptor: Int32) throws(TeventError) -> Int32 {
        guard descriptor <= STDERR_FILENO else { return descriptor }
        guard descriptor >= 0 else { throw .failed(call) }
        mayBeFree.store(true, ordering: .relaxed)
        let moved = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        let code = errno
        close(descriptor)
        guard moved >= 0 else { throw .systemCall(name: call, code: code) }
        return moved
    }

    /// The same for a call that creates two descriptors; either both can be moved, or both are closed.
    static func avoid(
        _ call: String, pair make: (UnsafeMutablePointer<Int32>) -> Int32
    ) throws(TeventError) -> (Int32, Int32) {
        var pair: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &pair) { make($0.assumingMemoryBound(to: Int32.self).baseAddress!) }
        guard result == 0 else { throw .failed(call) }
        let first: Int32
        do throws(TeventError) { first = try avoid(call, pair.0) } catch {
            close(pair.1)
            throw error
        }
        do throws(TeventError) { return (first, try avoid(call, pair.1)) } catch {
            close(first)
            throw error
        }
    }

    /// Reserves a number above the three, for a descriptor that would be lost if it could not be moved.
    ///
    /// - Parameter placeholder: Any open descriptor, a copy of which occupies the number.
    /// - Returns: Nil if the three numbers are in use, so that the system gives out none of them.
    static func reserve(_ call: String, _ placeholder: Int32) throws(TeventError) -> Int32? {
        guard mayBeFree.load(ordering: .relaxed) else { return nil }
        if areInUse {
            mayBeFree.store(false, ordering: .relaxed)
            // Another thread may have closed one meanwhile.
            if areInUse { return nil }
            mayBeFree.store(true, ordering: .relaxed)
        }
        let reserved = fcntl(placeholder, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        guard reserved >= 0 else { throw .failed(call) }
        return reserved
    }

    /// The same for a descriptor with a reserved number; takes that number out of `reserved` when it is used.
    static func avoid(_ call: String, _ descriptor: Int32, _ reserved: inout Int32?) throws(TeventError) -> Int32 {
        guard descriptor <= STDERR_FILENO, let number = reserved.take() else { return try avoid(call, descriptor) }
        var moved = dup3(descriptor, number, O_CLOEXEC)
        // EBUSY occurs while another thread opens a file.
        while moved < 0, errno == EINTR || errno == EBUSY { moved = dup3(descriptor, number, O_CLOEXEC) }
        let code = errno
        close(descriptor)
        guard moved >= 0 else {
            // The reserved number still holds the placeholder.
            close(number)
            throw .systemCall(name: call, code: code)
        }
        return number
    }

    /// Notes that one of the three numbers may be free from now on.
    static func noteClosing(_ descriptor: Int32) {
        if descriptor <= STDERR_FILENO { mayBeFree.store(true, ordering: .relaxed) }
    }

    private static var areInUse: Bool { (0...STDERR_FILENO).allSatisfy { fcntl($0, F_GETFD) >= 0 } }
}
