import Talloc
import Tevent

/// Reads a descriptor line by line as data arrives, and is freed at the end of the data.
///
/// The reader makes one read per turn of the loop, however much there is to read. A reader with much data therefore
/// leaves turns to other events, and a descriptor that blocks is never read when it is empty.
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
    /// What a reader passes to its handler.
    public enum Input: Equatable, Sendable {
        /// A line without its line break.
        case line(String)
        /// The beginning of a line that was longer than the limit; the rest of that line is dropped.
        case cutLine(String)
        /// The end of the data; the reader is freed when the handler returns.
        case end
        /// Reading failed; the reader is freed when the handler returns.
        case failed(TeventError)
    }

    /// What happens to the descriptor when the reader is freed.
    public enum Closing {
        /// It stays open: other code owns it.
        case leaveOpen
        /// It is closed: the reader owns it.
        case close
        /// The function receives it and decides.
        case call((_ descriptor: Int32) -> Void)
    }

    /// Handles each line, and the end; it may free the reader, and is not called any more after that.
    public typealias Handler = (_ reader: LineReader, _ input: Input) -> Void

    private struct State {
        var splitter: LineSplitter
        let handler: Handler
        /// What the handler has not been given yet: it may run the loop, which reads more.
        var inputs: ArraySlice<Input> = []
        var hasEnded = false
    }

    private let state: TallocChunk<State>

    /// The checked reference to the reader's chunk.
    public var tallocHandle: TallocHandle { state.tallocHandle }

    // snippet: init
    /// Starts reading a descriptor.
    ///
    /// - Parameters:
    ///   - descriptor: What to read. If this throws, it remains the caller's, whatever `closing` says.
    ///   - events: The context whose loop reads and runs the handler.
    ///   - limit: The maximum number of bytes to keep of a line.
    ///   - closing: What happens to the descriptor when the reader is freed.
    ///   - owner: The reader's parent; by default the context.
    ///   - handler: Handles each line. The reader owns it until it is freed.
    /// - Throws: `TallocError` or `TeventError` if there is no memory; then nothing is left behind.
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
                reader.read(event)
            }
            closing.pass(to: event, of: descriptor)
        } catch {
            if !reader.isFreed { reader.free() }
            throw error
        }
        self = reader
    }
    // snippet-end: init

    private init(state: TallocChunk<State>) { self.state = state }

    // snippet: read
    /// Reads once, and passes the result to the handler.
    private func read(_ event: FDEvent) {
        // Releasing the handler may run a loop, while the event below the reader still exists.
        guard !isFreed else { return _ = event.free() }
        do {
            switch try SystemIO.read(event.descriptor) {
            case .bytes(let bytes):
                state.value.inputs += state.value.splitter.append(bytes).map(Input.init)
                deliver()
            case .wouldBlock: break
            case .endOfFile: finish(with: .end)
            }
        } catch {
            finish(with: .failed(error))
        }
    }

    /// Calls the handler with each input in order; it may free the reader during any of these calls.
    private func deliver() {
        while !isFreed, let input = state.value.inputs.popFirst() { state.value.handler(self, input) }
    }

    /// Passes on the last line, if no line break followed it, and the reason why there is no more.
    private func finish(with reason: Input) {
        if !state.value.hasEnded {
            state.value.hasEnded = true
            let lastLine = state.value.splitter.finish().map(Input.init)
            state.value.inputs += [lastLine, reason].compactMap { $0 }
        }
        deliver()
        if !isFreed { free() }
    }
    // snippet-end: read
}

extension LineReader.Input {
    fileprivate init(_ line: LineSplitter.Line) { self = line.isCut ? .cutLine(line.text) : .line(line.text) }
}

extension LineReader.Closing {
    /// Makes the event close the descriptor when it is freed, which a trace may already have done.
    fileprivate func pass(to event: FDEvent, of descriptor: Int32) {
        switch self {
        case .leaveOpen: break
        case .close: event.isFreed ? SystemIO.close(descriptor) : event.setAutoClose()
        case .call(let close): event.isFreed ? close(descriptor) : event.setCloseFunction(close)
        }
    }
}
