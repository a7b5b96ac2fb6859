import Talloc
import TeventTasks

/// In which order the immediates, tasks and timers of a context have to run.
final class RunOrder {
    /// Something that waits for its turn.
    final class Place {
        let words: String
        /// Whether it may be left out: it was freed, for example.
        let isExcused: () -> Bool
        /// Whether others may come first that were enqueued later.
        fileprivate let isLate: Bool

        fileprivate init(_ words: String, isLate: Bool = false, _ isExcused: @escaping () -> Bool) {
            self.words = words
            self.isLate = isLate
            self.isExcused = isExcused
        }
    }

    /// A timer, or a task that waits for a time.
    final class Time {
        fileprivate let place: Place
        let deadline: EventInstant
        fileprivate let number: Int
        fileprivate let isTimer: Bool

        fileprivate init(_ place: Place, _ deadline: EventInstant, _ number: Int, isTimer: Bool) {
            self.place = place
            self.deadline = deadline
            self.number = number
            self.isTimer = isTimer
        }

        fileprivate func isBefore(_ other: Time) -> Bool { (deadline, number) < (other.deadline, other.number) }
    }

    let events: EventContext
    /// Immediates and tasks, in the order in which they were enqueued.
    private var places: [Place] = []
    private var times: [Time] = []
    private var yielding: [Place] = []
    private var count = 0
    private let complain: (String) -> Void

    init(_ events: EventContext, complain: @escaping (String) -> Void) {
        self.events = events
        self.complain = complain
    }

    // MARK: Immediates and tasks

    /// Notes that something joins the immediates.
    func enqueue(
        _ words: String, isLate: Bool = false, unless isExcused: @escaping () -> Bool = { false }
    ) -> Place {
        let place = Place(words, isLate: isLate, isExcused)
        places.append(place)
        return place
    }

    /// Notes that something runs: everything enqueued before it must have run.
    func run(_ place: Place) {
        guard !events.isFreed else { return }
        guard let index = places.firstIndex(where: { $0 === place }) else {
            return complain("\(place.words) runs twice, or too late")
        }
        if let earlier = places[..<index].first(where: { !$0.isLate && !$0.isExcused() }) {
            complain("\(place.words) runs before \(earlier.words), which was enqueued earlier")
        }
        places = places[..<index].filter(\.isLate) + places[(index + 1)...]
    }

    /// What has not run, although the loop has come to rest.
    var leftover: Place? { places.first { !$0.isExcused() } }

    /// What has certainly been enqueued.
    var waiting: [Place] { places.filter { !$0.isLate } }

    /// Notes that a task continues that gave way to others.
    func expectOver(_ ready: [Place], before words: String) {
        guard !events.isFreed else { return }
        let left = (places + times.map(\.place)).first { left in
            ready.contains { $0 === left } && !left.isExcused()
        }
        if let left { complain("\(words) continues before \(left.words), to which it gave way") }
    }

    // MARK: Time

    /// Notes that a timer is added, or that a task begins to wait for a time.
    func addTime(
        _ words: String, at deadline: EventInstant, isTimer: Bool, unless isExcused: @escaping () -> Bool
    ) -> Time {
        count += 1
        let time = Time(Place(words, isExcused), deadline, count, isTimer: isTimer)
        times.append(time)
        return time
    }

    /// Notes that a timer runs, or that the wait of a task is over, in time or not.
    func reach(_ time: Time, inTime: Bool = true) {
        times.removeAll { $0 === time }
        guard !events.isFreed, inTime else { return }
        let words = time.place.words
        if events.now < time.deadline { complain("\(words) runs before its time") }
        let earlier = times.first { $0.isBefore(time) && (!time.isTimer || $0.isTimer) && !$0.place.isExcused() }
        if let earlier { complain("\(words) runs before \(earlier.place.words), which is due earlier") }
        if time.isTimer, let waiting = waiting.first(where: { !$0.isExcused() }) {
            complain("\(words) runs before \(waiting.words)")
        }
    }

    // MARK: Giving way

    /// Notes that a task gives way to everything that is ready now.
    func beginYielding(_ words: String) -> (place: Place, ready: [Place]) {
        let place = Place(words) { false }
        yielding.append(place)
        let due = times.filter { $0.isTimer && $0.deadline <= events.now }.map(\.place)
        return (place, waiting + due)
    }

    func endYielding(_ place: Place, _ ready: [Place]) {
        let first = yielding.first
        yielding.removeAll { $0 === place }
        guard !events.isFreed else { return }
        if first !== place { complain("\(place.words) continues before \(first?.words ?? "")") }
        expectOver(ready, before: place.words)
    }
}
