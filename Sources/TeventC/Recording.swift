import CTevent
import Glibc
import Synchronization
import TeventRecording

// `TEVENT_RECORD=FILE` records any C program on the engine; see ProgramRecording.

/// Begins to record if the environment asks for it and can be trusted.
///
/// A failure leaves the program as it is, apart from a line on standard error.
func recordIfAsked() {
    guard let value = ctevent_recording_path() else { return }
    do throws(RecordingError) {
        try ProgramRecording.begin(writingTo: String(cString: value), includesOutput: false)
    } catch {
        let line = "tevent: TEVENT_RECORD: \(error)\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
}

private let livingContexts = Atomic(0)

func noteContextBegins() { livingContexts.add(1, ordering: .relaxed) }

/// Writes the recording when no context is left: a program may end with `_exit` after that.
func noteContextHasEnded() {
    let left = livingContexts.subtract(1, ordering: .relaxed).newValue
    if left == 0 { ProgramRecording.writeAfterLastContext() }
}
