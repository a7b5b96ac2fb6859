import Talloc
@preconcurrency import Tevent  // error: '@preconcurrency' import is not memory-safe

// What the compiler only warns about, and what is refused with strict memory safety and warnings as errors.

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
