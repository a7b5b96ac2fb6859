import Foundation
import TeventRecording

/// Recordings of all programs of a campaign, which are written at the end of each process and thrown away.
enum DiscardedRecording {
    /// Few, so that rings overflow.
    private static let capacity = 3000

    private static func folder(ofCampaign process: Int32) -> String {
        FileManager.default.temporaryDirectory.appending(path: "fuzz-\(process)").path()
    }

    /// Begins to record a worker, the child of the process that runs the campaign.
    static func begin() throws {
        let folder = folder(ofCampaign: getppid())
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try ProgramRecording.begin(
            writingTo: "\(folder)/\(getpid()).html", capacity: capacity, includesOutput: false)
    }

    /// Removes what the workers have written.
    static func removeAll() { try? FileManager.default.removeItem(atPath: folder(ofCampaign: getpid())) }
}
