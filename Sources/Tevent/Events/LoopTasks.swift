/// The tasks of a loop, as the engine knows them: they belong to a module that it does not name.
package protocol LoopTasks: AnyObject {
    /// Whether a task has begun, or is about to, and has not ended: the loop then has something to wait for.
    var areAlive: Bool { get }

    /// The context is being freed, and its handles are stale: has every task continue that waits for a request.
    ///
    /// No task runs before `runLeftJobs()`: at the end of the context's destructor, or, if a loop of the context runs,
    /// once that has returned.
    func contextEnds()

    /// Runs what is left, so that each task finds that its loop has ended.
    func runLeftJobs()
}
