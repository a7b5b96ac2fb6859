import Talloc
import Tevent

// Where a recording can note what tasks do. Nothing is noted yet: the player knows no tasks.

extension LoopPointer {
    /// A task has begun to run.
    @inline(__always)
    func noteBegun(_ task: BegunTaskPointer) { if isRecording { record(task) } }

    /// A task is about to wait for a request.
    @inline(__always)
    func noteSuspended(_ task: BegunTaskPointer, on request: RequestPointer) {
        if isRecording { record(task, request) }
    }

    /// A task continues after it has waited for a request.
    @inline(__always)
    func noteResumed() { if isRecording { record(nil) } }

    /// A task has ended.
    @inline(__always)
    func noteEnded(_ task: BegunTaskPointer) { if isRecording { record(task) } }

    /// The place for `addRecord`; the record's object is the task's.
    @inline(never)
    private func record(_ task: BegunTaskPointer?, _ request: RequestPointer? = nil) {}
}
