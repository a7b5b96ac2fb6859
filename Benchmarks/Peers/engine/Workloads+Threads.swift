import CBench
import Talloc
import Tevent

extension Workload {
    static let message = Workload("message") {
        let events = try EventContext()
        let inbox = try ThreadInbox(on: events)
        let proxy = inbox.proxy
        return try nanoseconds(per: MESSAGES) {
            let sender = try SystemThread(named: "sender") {
                for number in 1...MESSAGES {
                    try proxy.schedule(number) { events, number in
                        if number == MESSAGES { events.stop() }
                    }
                }
            }
            try events.loopWait()
            try sender.join()
        }
    }

    static let reply = Workload("reply") {
        let events = try EventContext()
        let inbox = try ThreadInbox(on: events)
        let proxy = inbox.proxy
        return try nanoseconds(per: REPLIES) {
            let asker = try SystemThread(named: "asker") {
                let own = try EventContext()
                let answers = try ThreadInbox(on: own).proxy
                for _ in 0..<REPLIES {
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
