import Chapter4Requests

extension LoadSummary {
    /// The summary as lines of text.
    ///
    /// - Parameter timed: Whether to include what differs from run to run.
    func lines(timed: Bool) -> [String] {
        [
            "\(counted(connected, "connection")), \(counted(messages, "message")), \(counted(bytes, "byte")) came back as sent"
        ]
            + (timed ? times : []) + reasons
    }

    private var times: [String] {
        let shares = [50, 90, 99, 99.9].map { percent in
            "\(percent == 99.9 ? "99.9" : whole(percent)) % \(short(latencies.percentile(percent)))"
        }
        return [
            "in \(rounded(elapsed / .seconds(1), to: 100)) s: \(whole(messagesPerSecond)) messages/s, "
                + "\(rounded(bytesPerSecond / 1e6, to: 100)) MB/s",
            "latency: \((shares + ["longest \(short(latencies.maximum))"]).joined(separator: ", "))",
        ]
    }

    private var reasons: [String] {
        failures.sorted { $0.key < $1.key }.map { reason, count in "\(counted(count, "connection")) failed: \(reason)" }
            + (failures.isEmpty ? ["no errors"] : [])
    }
}

/// A number without its fraction.
func whole(_ number: Double) -> String { "\(Int(number.rounded()))" }

private func rounded(_ number: Double, to parts: Double) -> String { "\((number * parts).rounded() / parts)" }

/// A short time in the unit that suits it.
private func short(_ duration: Duration) -> String {
    let microseconds = duration / .microseconds(1)
    return microseconds < 1000 ? "\(whole(microseconds)) µs" : "\(rounded(microseconds / 1000, to: 100)) ms"
}
