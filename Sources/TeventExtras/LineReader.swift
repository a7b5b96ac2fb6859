import Talloc
import Tevent

/// Reads a descriptor line by line as data arrives, and is freed when nothing more comes.
///
/// One call of the loop makes one read, however much there is, so a reader with much to read leaves turns to others, and
/// a descriptor that blocks is never read when nothing is there.
///
/// ```swift
/// try LineReader(of: SystemIO.standardInput, on: events) { _, input in
///     switch input {
///     case .line(let text), .cutLine(let text): print(text)
///     case .end: print("the end")
///     case .failed(let error): print(error)
///     }
/// }
/// ```
public struct LineReader: TallocObject, Equatable {
    /// What a reader's handler is called with.
    public enum Input: Equatable, Sendable {
        /// A line without its line break.
        case line(String)
        /// The beginning of a line that was longer than the limit; the rest of that line is left out.
        case cutLine(String)
        /// The end of the data; the reader is freed when the handler returns.
        case end
        /// Reading failed; the reader is freed when the handler returns.
        case failed(TeventError)
    }

    /// What becomes of the descriptor when the reader is freed.
    public enum Closing {
        /// It stays open: it belongs to somebody else.
        case leaveOpen
        /// It is closed: it belongs to the reader.
        case close
        /// The function gets it, and decides.
        case call((_ descriptor: Int32) -> Void)
    }

    /// What to do with each line, and with the end; the handler may free the reader, and hears no more then.
    public typealias Handler = (_ reader: LineReader, _ input: Input) -> Void

    private struct State {
        var splitter: LineSplitter
        let handler: Handler
    }

    private let state: TallocChunk<State>

    /// The checked reference to the reader's chunk.
    public var tallocHandle: TallocHandle { state.tallocHandle }

    // snippet: init
    /// Starts to read a descriptor.
    ///
    /// - Parameters:
    ///   - descriptor: What to read. If this throws, it stays the caller's, whatever `closing` says.
    ///   - events: The context whose loop reads and runs the handler.
    ///   - limit: The most bytes of a line that are kept.
    ///   - closing: What becomes of the descriptor when the reader is freed.
    ///   - owner: What the reader is freed with; by default the context.
    ///   - handler: What to do with each line. The reader owns it until it is freed.
    /// - Throws: `TallocError` or `TeventError` when there is no memory; nothing is left behind then.
    @discardableResult
    public init(
        of descriptor: Int32, on events: EventContext, limit: Int = 4096, closing: Closing = .leaveOpen,
        under owner: (some TallocObject)? = TallocContext?.none, _ handler: @escaping Handler
    ) throws {
        let state = State(splitter: LineSplitter(limit: limit), handler: handler)
        let reader = LineReader(
            state: try TallocChunk(state, under: owner?.tallocContext ?? events.tallocContext, named: "LineReader"))
        do {
            let event = try events.addFD(descriptor, [.read, .error], under: reader) { event, _ in
                reader.read(event.descriptor)
            }
            switch closing {
            case .leaveOpen: break
            case .close: event.setAutoClose()
            case .call(let close): event.setCloseFunction(close)
            }
        } catch {
            reader.free()
            throw error
        }
        self = reader
    }
    // snippet-end: init

    private init(state: TallocChunk<State>) { self.state = state }

    // snippet: read
    /// Reads once and tells the handler what came of it.
    private func read(_ descriptor: Int32) {
        do {
            switch try SystemIO.read(descriptor) {
            case .bytes(let bytes): tell(state.value.splitter.append(bytes).map(Input.init))
            case .wouldBlock: break
            case .endOfFile: finish(with: .end)
            }
        } catch {
            finish(with: .failed(error))
        }
    }

    /// Calls the handler with each input; it may free the reader at any of them.
    private func tell(_ inputs: [Input]) {
        let handler = state.value.handler
        for input in inputs where !isFreed { handler(self, input) }
    }

    /// Tells the last line, if no line break followed it, and why there is no more.
    private func finish(with reason: Input) {
        let lastLine = state.value.splitter.finish().map(Input.init)
        tell([lastLine, reason].compactMap { $0 })
        if !isFreed { free() }
    }
    // snippet-end: read
}

extension LineReader.Input {
    fileprivate init(_ line: LineSplitter.Line) { self = line.isCut ? .cutLine(line.text) : .line(line.text) }
}
