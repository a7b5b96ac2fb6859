import Talloc
@preconcurrency import Tevent  // error: '@preconcurrency' import is not memory-safe

// The compiler only warns about these, unless strict memory safety and warnings as errors are on.

struct ErrorWithAHandle: Error {
    let memory: TallocContext  // error: stored property 'memory' of 'Sendable'-conforming struct 'ErrorWithAHandle' has
}

enum ErrorWithAChunk: Error {
    case failed(TallocChunk<Int>)  // error: associated value 'failed' of 'Sendable'-conforming enum 'ErrorWithAChunk'
    case other
}

final class ErrorClass: Error {
    let pool: TallocPool? = nil  // error: stored property 'pool' of 'Sendable'-conforming class 'ErrorClass' has
}

extension TallocHandle: @retroactive @unchecked Sendable {}  // error: conformance of 'TallocHandle' to protocol
