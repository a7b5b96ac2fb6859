// A place for your own programs: change this file, then type `swift run scratch`. Git ignores what you change here.
import Tevent

try withTallocContext { memory in
    let events = try EventContext(under: memory)
    try events.addTimer(after: .seconds(1), under: memory) { _, _ in print("one second later") }
    print("waiting …")
    try events.loopWait()
}
