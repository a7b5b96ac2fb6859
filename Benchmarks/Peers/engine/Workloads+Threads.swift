import CBench
import Talloc
import Tevent

extension Workload {
    static let message = Workload("message", MESSAGES) { count in
        let events = try EventContext()
        let inbox = try ThreadInbox(on: events)
        let proxy = inbox.proxy
        return try nanoseconds(per: count) {
            let sender = try SystemThread(named: "sender") {
                for left in (0..<count).reversed() {
                    try proxy.schedule(left) { events, left in
                        if left == 0 { events.stop() }
                    }
                }
            }
            try events.loopWait()
            try sender.join()
        }
    }

    static let reply = Workload("reply", REPLIES) { count in
        let events = try EventContext()
        let inbox = try ThreadInbox(on: events)
        let proxy = inbox.proxy
        return try nanoseconds(per: count) {
            let asker = try SystemThread(named: "asker") {
                let own = try EventContext()
                let answers = try ThreadInbox(on: own).proxy
                for _ in 0..<count {
                    try proxy.schedule(answers) { _, answers in try? answers.schedule { _ in } }
                    try own.loopOnce()
                }
                own.free()
                try proxy.schedule { events in events.stop() }
            }
            try events.loopWait()
            try asker.join()
        }
    }
}
