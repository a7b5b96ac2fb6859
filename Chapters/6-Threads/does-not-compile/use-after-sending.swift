import Talloc
import Tevent

// snippet: wrong
func wrong(_ proxy: ThreadProxy) throws {
    let list = try TallocChunk([1, 2, 3])
    try proxy.schedule(memory: list) { _, list in list.value.append(4) }  // error: it is given away here …
    list.value.append(5)  // … and used here
}
// snippet-end: wrong
