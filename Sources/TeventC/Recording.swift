import CTevent
import Glibc
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
