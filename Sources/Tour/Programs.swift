import ChildProcess
import Foundation

/// The built programs: where they are, and how to build them.
struct Programs {
    let folder: String

    /// The folder of the running tour itself, where the examples are also built.
    static var besideTheTour: Programs {
        Programs(folder: URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path())
    }

    func path(of name: String) -> String { URL(filePath: folder).appending(path: name).path() }

    func has(_ name: String) -> Bool { FileManager.default.isExecutableFile(atPath: path(of: name)) }

    /// Builds everything in the package, with the build folder and configuration that the tour was built with.
    func build(in repository: Repository, interruption: Interruption) throws {
        let configuration = URL(filePath: folder)
        let scratch = configuration.deletingLastPathComponent().deletingLastPathComponent()
        let compiler = try ChildProcess(
            "/usr/bin/env",
            arguments: [
                "swift", "build", "--package-path", repository.root, "--scratch-path", scratch.path(),
                "--configuration", configuration.lastPathComponent,
            ],
            environment: ProcessInfo.processInfo.environment, directory: repository.root)
        compiler.closeInput()
        compiler.wakeUp = interruption.descriptor
        guard compiler.wait(until: .now + .seconds(3600)) == .done else {
            compiler.stop()
            interruption.yield()
            throw Complaint("The build did not end within an hour.")
        }
        guard compiler.ending == .exited(0) else {
            say(String(decoding: compiler.output + compiler.errors, as: UTF8.self))
            throw Complaint("The build failed; the compiler's messages are above.")
        }
    }
}
