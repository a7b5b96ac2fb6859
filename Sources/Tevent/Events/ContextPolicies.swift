/// The ways in which a context behaves differently because its program relies on them.
///
/// The context of a Swift program has none of these policies. Programs written for libtevent rely on all but the last,
/// which one of its backends has, so the C API sets them; the engine checks for a policy, never for the program's language.
package struct ContextPolicies: OptionSet {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Deadlines are times of day; a step of the wall clock shifts them.
    package static var wallClock: Self { Self(rawValue: 1 << 0) }
    /// A loop waits even if nothing can ever happen, for at most `idleSeconds` unless a timer is due earlier.
    package static var waitsWithoutEvents: Self { Self(rawValue: 1 << 1) }
    /// A new signal event is called before older ones, and a new descriptor event is the first to leave when the context is
    /// freed.
    package static var newestFirst: Self { Self(rawValue: 1 << 2) }
    /// Each wait returns one ready descriptor, so each handler receives all flags that hold when it runs.
    package static var oneDescriptorPerWait: Self { Self(rawValue: 1 << 3) }
    /// The first event added to a descriptor is served after those that are already ready, even if its descriptor was
    /// ready before.
    package static var newEventsLineUp: Self { Self(rawValue: 1 << 4) }
    /// Descriptors may be closed before their events are freed; the loop does not look for closed ones.
    package static var closesBeforeFreeing: Self { Self(rawValue: 1 << 5) }
    /// Chunks below a context are freed while it still works, although it has no events any more.
    package static var freesChildrenFirst: Self { Self(rawValue: 1 << 6) }
    /// The deadline of a timer can still be read while its handler runs.
    package static var keepsRunningDeadline: Self { Self(rawValue: 1 << 7) }
    /// Other threads use the context while its loop waits: between the two calls of the loop's trace, which unlocks and locks
    /// what the program keeps them apart with.
    package static var sharedWhileWaiting: Self { Self(rawValue: 1 << 8) }

    /// Those of every context that C makes.
    package static var all: Self {
        [
            .wallClock, .waitsWithoutEvents, .newestFirst, .oneDescriptorPerWait,
            .newEventsLineUp, .closesBeforeFreeing, .freesChildrenFirst, .keepsRunningDeadline,
        ]
    }
}
