import Talloc
import Tevent

// snippet: wrong
func useAfterSending(_ proxy: ThreadProxy) throws {
    let list = try TallocChunk([1, 2, 3])
    try proxy.schedule(memory: list) { _, list in list.value.append(4) }  // error: sending 'list' risks
    list.value.append(5)
}
// snippet-end: wrong
