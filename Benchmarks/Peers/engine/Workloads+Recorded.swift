import CBench
import Chapter4Requests
import Talloc
import Tevent
import TeventRecording

// What recording adds to work that is measured without it as well.

extension Workload {
    /// The life of a request is five records: made, ended, its callback begun and ended, freed.
    static let requestRecorded = Workload("request-recorded", REQUESTS) { count in
        let events = try EventContext()
        let recorder = try EventRecorder(on: events, under: events)
        defer { recorder.free() }
        return try nanoseconds(per: count) {
            for _ in 0..<count {
                let request = try Request(0, under: events)
                request.setCallback { $0.free() }
                request.finish()
            }
        }
    }

    static let echoMessageRecorded = Workload("echo-message-recorded", ECHOES) { count in
        let events = try EventContext()
        let recorder = try EventRecorder(on: events, under: events)
        defer { recorder.free() }
        return try echoMessages(count, on: events)
    }

    static let echoRecorded = echo("echo-50-recorded", connections: 50, isRecorded: true)
}
