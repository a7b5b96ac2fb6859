import Dispatch
import Glibc

/// The open descriptors of this process and what they refer to, so that a leak is easy to identify; without those of
/// Dispatch.
///
/// XCTest and Swift's tasks run on Dispatch. It has timers (the engine has no descriptors of that kind), and once a
/// second one of its threads reads the system's folder of processes, whatever a test is doing.
///
/// It opens nothing itself, so it also works when no descriptor is left.
public func openDescriptors() -> [Int32: String] {
    var open: [Int32: String] = [:]
    for descriptor in 0..<Int32(4096) where fcntl(descriptor, F_GETFD) >= 0 {
        guard let target = target(of: descriptor), !target.hasPrefix("/proc/"), !target.contains("timerfd")
        else { continue }
        open[descriptor] = target
    }
    return open
}

/// What a descriptor refers to, such as `socket:[4711]`; nil if it is not open.
public func target(of descriptor: Int32) -> String? {
    var bytes = [UInt8](repeating: 0, count: 256)
    let length = readlink("/proc/self/fd/\(descriptor)", &bytes, bytes.count)
    return length < 0 ? nil : String(decoding: bytes.prefix(length), as: UTF8.self)
}

/// Makes Dispatch open the descriptors that it keeps; otherwise it does so at the first wait, which could be in the
/// middle of a test.
public func prepareDispatch() {
    let passed = DispatchSemaphore(value: 0)
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(1)) { passed.signal() }
    passed.wait()
}
