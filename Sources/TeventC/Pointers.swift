import CTevent
import Glibc
import Talloc
import Tevent

// A C program knows an object by the address of its talloc chunk. The chunk holds the engine's record, whose first word
// is its slot. Converting one to the other is therefore a cast, and the slot tells the kind of object.

extension OpaquePointer {
    /// The slot of the object.
    @inline(__always)
    var slot: HandleSlotPointer { UnsafePointer<HandleSlotPointer>(self).pointee }

    /// The chunk itself.
    var chunk: UnsafeMutableRawPointer { UnsafeMutableRawPointer(self) }

    init(_ handle: TallocHandle) { self = OpaquePointer(handle.object.unsafelyUnwrapped) }
}

// snippet: context
/// The engine's context that a C program means; for a wrapper, the context behind it.
@inline(__always)
func context(_ ev: OpaquePointer?, _ call: StaticString = #function) -> ContextPointer {
    guard let ev else { abort("\(cName(call)) was called with NULL instead of a context") }
    if ev.slot.isOf(.eventContext) { return ContextPointer(ev) }
    return contextBehindWrapper(ev, call)
}
// snippet-end: context

/// The record of an object that is not a context; ends the program with a message for NULL or another kind of object.
@inline(__always)
func record<Record: ~Copyable>(
    _ object: OpaquePointer?, _ kind: ObjectKind, _ call: StaticString = #function
) -> UnsafeMutablePointer<Record> {
    guard let object, object.slot.isOf(kind) else { refuse(object, kind, call) }
    return UnsafeMutablePointer(object)
}

@inline(never)
func refuse(_ object: OpaquePointer?, _ kind: ObjectKind, _ call: StaticString) -> Never {
    let name =
        switch kind {
        case .descriptor: "a file descriptor event"
        case .timer: "a timer"
        case .immediate: "an immediate"
        case .signal: "a signal event"
        case .request: "a request"
        case .queue: "a queue"
        case .queueEntry: "a queue entry"
        case .threadSender: "a thread proxy or threaded context"
        default: "an object"
        }
    abort("\(cName(call)) was called with \(object == nil ? "NULL" : "another object") instead of \(name)")
}

extension ContextPointer {
    /// The context's chunk, the parent of events that are added without one.
    var chunk: UnsafeMutableRawPointer { UnsafeMutableRawPointer(self) }

    /// The handle of a context that exists, without a call into another module.
    @inline(__always)
    var handleHere: TallocHandle { TallocHandle(objectAt: chunk) }
}

/// The name of a function in C: without the labels that Swift adds, and without the leading underscore of a function
/// that is called through a macro.
func cName(_ call: StaticString) -> Substring { "\(call)".prefix { $0 != "(" }.drop { $0 == "_" } }

/// The location that a C program's macros pass, used as the file of an engine object; it includes the line.
@inline(__always)
func place(_ location: UnsafePointer<CChar>?) -> UnsafePointer<CChar> { location ?? StaticString("C").cString }

extension TeventError {
    /// The `errno` that corresponds to the error.
    var code: Int32 {
        switch self {
        case .outOfMemory: ENOMEM
        case .badDescriptor: EBADF
        case .badSignal, .unknownBackend, .unknownHost: EINVAL
        case .nestedLoop, .loopRefused: ELOOP
        case .systemCall(_, let code): code
        }
    }
}

/// The result of `make`, or nil with `errno` set.
@inline(__always)
func object(_ make: () throws(TeventError) -> TallocHandle) -> OpaquePointer? {
    do throws(TeventError) { return OpaquePointer(try make()) } catch {
        errno = error.code
        return nil
    }
}
