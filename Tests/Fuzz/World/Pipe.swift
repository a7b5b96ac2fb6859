import Talloc
import Tevent

/// Two connected descriptors: a pipe, or a pair of sockets.
final class Pipe {
    let isSocket: Bool
    let reader: PipeEnd
    let writer: PipeEnd

    /// Standard input in place of both ends.
    init(file: Void) {
        isSocket = false
        reader = PipeEnd(SystemIO.standardInput, isLasting: true)
        writer = reader
    }

    init(isSocket: Bool) throws {
        self.isSocket = isSocket
        if isSocket {
            let (one, other) = try SystemIO.socketPair()
            (reader, writer) = (PipeEnd(one), PipeEnd(other))
        } else {
            let ends = try SystemIO.pipe()
            (reader, writer) = (PipeEnd(ends.reader), PipeEnd(ends.writer))
        }
    }

    /// One of the ends.
    func end(_ number: Int) -> PipeEnd { number % 2 == 0 ? reader : writer }

    func closeAll() {
        reader.close()
        writer.close()
    }
}

/// One end of a pipe: a descriptor, and what closes it.
final class PipeEnd {
    let descriptor: Int32
    /// Whether it always stays open: standard input, a file that the system cannot wait for.
    let isLasting: Bool
    private var isClosed = false
    /// The event that closes the descriptor, once it was set to.
    private var owner: FDEvent?

    init(_ descriptor: Int32, isLasting: Bool = false) {
        self.descriptor = descriptor
        self.isLasting = isLasting
    }

    /// Whether the program itself has to close it.
    var isOwn: Bool { !isClosed && owner == nil }
    /// Whether it is open.
    var isOpen: Bool { !isClosed && owner?.isFreed != true }

    func close() {
        guard isOwn, !isLasting else { return }
        isClosed = true
        SystemIO.close(descriptor)
    }

    /// Makes an event close it from now on.
    func giveAway(to event: FDEvent) { owner = event }

    /// Whether this event closes it.
    func isGiven(to event: FDEvent) -> Bool { owner == event }
}
