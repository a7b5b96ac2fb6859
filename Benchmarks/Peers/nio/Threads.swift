import CBench
import NIOCore
import NIOPosix

let message = Workload(name: "message") { loop in
    let countdown = Countdown(from: MESSAGES, on: loop)
    let sender = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
    countdown.begin()
    sender.execute {
        for _ in 0..<MESSAGES { loop.execute { countdown.step() } }
    }
    return countdown.figure
}

let reply = Workload(name: "reply") { loop in
    let countdown = Countdown(from: REPLIES, on: loop)
    let other = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
    @Sendable func ask() {
        other.execute {
            loop.execute {
                countdown.step()
                if countdown.isRunning { ask() }
            }
        }
    }
    countdown.begin()
    ask()
    return countdown.figure
}
