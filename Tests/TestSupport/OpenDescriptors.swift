import Dispatch
import Glibc

/// What this process has open, by number, so that a leak names what leaked; without what Dispatch opens.
///
/// XCTest and Swift's tasks run on Dispatch. It has timers (the engine has none of that kind), and a thread of it looks
/// once a second into the folder of the system's processes, whatever a test does just then.
///
/// It opens nothing itself, so that it also tells the truth when no descriptor is left.
public func openDescriptors() -> [Int32: String] {
    var open: [Int32: String] = [:]
    for descriptor in 0..<Int32(4096) where fcntl(descriptor, F_GETFD) >= 0 {
        guard let target = target(of: descriptor), !target.hasPrefix("/proc/"), !target.contains("timerfd")
        else { continue }
        open[descriptor] = target
    }
    return open
}

/// What a descriptor leads to, such as `socket:[4711]`; nil if it is not open.
public func target(of descriptor: Int32) -> String? {
    var bytes = [UInt8](repeating: 0, count: 256)
    let length = readlink("/proc/self/fd/\(descriptor)", &bytes, bytes.count)
    return length < 0 ? nil : String(decoding: bytes.prefix(length), as: UTF8.self)
}

/// Lets Dispatch open what it keeps; it does so when something first waits, and that must not be in the middle of a test.
public func prepareDispatch() {
    let passed = DispatchSemaphore(value: 0)
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(1)) { passed.signal() }
    passed.wait()
}
