// snippet: first-program
import Tevent

try withTallocContext(named: "program") { memory in
    let events = try EventContext(under: memory)
    try events.addTimer(after: .milliseconds(1), under: memory) { _, _ in print("a millisecond later") }
    try events.loopWait()
}
// snippet-end: first-program
