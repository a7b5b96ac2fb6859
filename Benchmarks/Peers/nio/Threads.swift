import CBench
import NIOCore
import NIOPosix

let message = Workload(name: "message", count: MESSAGES) { count, loop in
    let countdown = Countdown(from: count, on: loop)
    let sender = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
    countdown.begin()
    sender.execute {
        for _ in 0..<count { loop.execute { countdown.step() } }
    }
    return countdown.figure
}

let reply = Workload(name: "reply", count: REPLIES) { count, loop in
    let countdown = Countdown(from: count, on: loop)
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
