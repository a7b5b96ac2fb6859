import CTalloc
import CTevent
import Glibc
import TestSupport
import XCTest

/// Wrapper contexts: functions of the program around handlers, and what may be freed when.
final class CWrapperTests: CAPITestCase {
    /// A wrapper's state: where its functions note their calls.
    private struct State {
        var note: UnsafeMutableRawPointer?
        var refusesUse: Bool

        static func note(_ state: UnsafeMutableRawPointer?, _ text: String) {
            kept(state!.load(as: State.self).note, as: ((String) -> Void).self)(text)
        }
    }

    nonisolated(unsafe) private static let ops: UnsafeMutablePointer<tevent_wrapper_ops> = {
        let ops = UnsafeMutablePointer<tevent_wrapper_ops>.allocate(capacity: 1)
        ops.initialize(to: tevent_wrapper_ops())
        ops.pointee.name = c("test_wrapper")
        ops.pointee.before_use = { _, state, _, _ in
            State.note(state, "before use")
            return !state!.load(as: State.self).refusesUse
        }
        ops.pointee.after_use = { _, state, _, _ in State.note(state, "after use") }
        ops.pointee.before_fd_handler = { _, state, _, _, flags, name, location in
            State.note(state, "before \(String(cString: name!)) \(flags) \(String(cString: location!))")
        }
        ops.pointee.after_fd_handler = { _, state, _, _, flags, name, _ in
            State.note(state, "after \(String(cString: name!)) \(flags)")
        }
        ops.pointee.before_timer_handler = { _, state, _, _, requested, now, name, location in
            State.note(state, "before \(String(cString: name!)) \(requested.tv_sec) \(String(cString: location!))")
        }
        ops.pointee.after_timer_handler = { _, state, _, _, requested, _, name, _ in
            State.note(state, "after \(String(cString: name!)) \(requested.tv_sec)")
        }
        ops.pointee.before_immediate_handler = { _, state, _, _, name, location in
            State.note(state, "before \(String(cString: name!)) \(String(cString: location!))")
        }
        ops.pointee.after_immediate_handler = { _, state, _, _, name, _ in
            State.note(state, "after \(String(cString: name!))")
        }
        ops.pointee.before_signal_handler = { _, state, _, _, number, count, _, name, location in
            State.note(state, "before \(String(cString: name!)) \(number) \(count) \(String(cString: location!))")
        }
        ops.pointee.after_signal_handler = { _, state, _, _, number, count, _, name, _ in
            State.note(state, "after \(String(cString: name!)) \(number) \(count)")
        }
        return ops
    }()

    private func wrapper(
        of main: OpaquePointer?, under parent: UnsafeMutableRawPointer? = nil, refusesUse: Bool = false
    ) -> OpaquePointer? {
        var state: UnsafeMutableRawPointer?
        let wrapper = _tevent_context_wrapper_create(
            main, parent ?? memory, Self.ops, &state, MemoryLayout<State>.size, c("struct wrapper_state"), here)
        let note = { (text: String) in self.log.append(text) }
        state?.storeBytes(of: State(note: keep(note), refusesUse: refusesUse), as: State.self)
        return wrapper
    }

    func testAWrapperIsAContext() throws {
        let ev = try context()
        let wrapper = wrapper(of: ev)
        XCTAssertTrue(tevent_context_is_wrapper(wrapper))
        XCTAssertEqual(talloc_parent(chunk(wrapper)), memory)
        XCTAssertEqual(String(cString: talloc_get_name(chunk(wrapper))), "struct tevent_context")
        let other = try context()
        XCTAssertTrue(tevent_context_same_loop(ev, wrapper))
        XCTAssertTrue(tevent_context_same_loop(wrapper, ev))
        XCTAssertTrue(tevent_context_same_loop(wrapper, self.wrapper(of: ev)))
        XCTAssertTrue(tevent_context_same_loop(ev, ev))
        XCTAssertFalse(tevent_context_same_loop(wrapper, other))
        XCTAssertFalse(tevent_context_same_loop(self.wrapper(of: other), wrapper))
    }

    func testItsFunctionsRunAroundEachKindOfHandler() throws {
        try onEachBackend { ev in
            let wrapper = wrapper(of: ev)
            timer(wrapper, at: tevent_timeval_set(7, 0)) { given, _, _ in
                XCTAssertEqual(given, wrapper)
                self.log.append("timer")
            }
            once(ev)
            XCTAssertEqual(log, ["before on_time 7 test.c:1", "timer", "after on_time 7"])
            log = []
            schedule(immediate(), on: wrapper) { given, _ in
                XCTAssertEqual(given, wrapper)
                self.log.append("immediate")
            }
            once(ev)
            XCTAssertEqual(log, ["before at_once test.c:1", "immediate", "after at_once"])
            log = []
            let ends = pipe()
            write(ends.writer)
            let fde = descriptor(wrapper, ends.reader) { given, fde, _ in
                XCTAssertEqual(given, wrapper)
                self.log.append("descriptor")
            }
            once(ev)
            release(fde)
            XCTAssertEqual(log, ["before on_ready 1 test.c:1", "descriptor", "after on_ready 1"])
            log = []
            let se = signal(wrapper, SIGUSR1) { given, _, _ in
                XCTAssertEqual(given, wrapper)
                self.log.append("signal")
            }
            raise(SIGUSR1)
            once(ev)
            release(se)
            XCTAssertEqual(log, ["before on_signal 10 1 test.c:1", "signal", "after on_signal 10 1"])
            close(ends.reader)
            close(ends.writer)
        }
    }

    func testOtherEventsOfTheLoopRunWithoutThem() throws {
        let ev = try context()
        let wrapper = wrapper(of: ev)
        timer(wrapper) { _, _, _ in self.log.append("wrapped") }
        timer(ev) { given, _, _ in
            XCTAssertEqual(given, ev)
            self.log.append("plain")
        }
        once(ev)
        once(ev)
        XCTAssertEqual(log, ["before on_time 0 test.c:1", "wrapped", "after on_time 0", "plain"])
    }

    func testAnImmediateBelongsToTheContextItWasLastScheduledOn() throws {
        let ev = try context()
        let wrapper = wrapper(of: ev)
        let im = immediate()
        schedule(im, on: wrapper) { _, _ in self.log.append("wrapped") }
        schedule(im, on: ev) { _, _ in self.log.append("plain") }
        once(ev)
        XCTAssertEqual(log, ["plain"])
    }

    // MARK: Use

    func testUseIsPushedAndPopped() throws {
        let ev = try context()
        let wrapper = wrapper(of: ev)
        XCTAssertTrue(_tevent_context_push_use(wrapper, here))
        XCTAssertEqual(log, ["before use"])
        XCTAssertTrue(_tevent_context_push_use(ev, here), "the loop's own context needs no functions")
        _tevent_context_pop_use(ev, here)
        _tevent_context_pop_use(wrapper, here)
        XCTAssertEqual(log, ["before use", "after use"])
    }

    func testAWrapperMayRefuseToBeUsed() throws {
        let ev = try context()
        let wrapper = wrapper(of: ev, refusesUse: true)
        for _ in 0..<2 { XCTAssertFalse(_tevent_context_push_use(wrapper, here)) }
        XCTAssertEqual(log, ["before use", "before use"])
    }

    func testAWrapperThatIsInUseCannotBeTakenAgain() throws {
        let result = try runInChild(self) {
            let wrapper = wrapper(of: try context())
            _ = _tevent_context_push_use(wrapper, here)
            _ = _tevent_context_push_use(wrapper, here)
        }
        assertAborted(result, saying: "in use already")
    }

    func testContextsAreGivenBackInOrder() throws {
        let result = try runInChild(self) {
            let ev = try context()
            let (first, second) = (wrapper(of: ev), wrapper(of: ev))
            _ = _tevent_context_push_use(first, here)
            _ = _tevent_context_push_use(second, here)
            _tevent_context_pop_use(first, here)
        }
        assertAborted(result, saying: "order")
    }

    func testTheAbortFunctionLearnsWhatIsWrong() throws {
        let result = try runInChild(self) {
            tevent_set_abort_fn { reason in
                print("told: \(String(cString: reason!))")
                exit(3)
            }
            _tevent_context_pop_use(wrapper(of: try context()), here)
        }
        XCTAssertEqual(result.exitCode, 3)
        XCTAssertTrue(result.stdout.contains("told: contexts were given back"), result.stdout)
    }

    // MARK: Freeing

    func testItsEventsLeaveTheLoopWithAWrapper() throws {
        try onEachBackend { ev in
            let wrapper = wrapper(of: ev)
            let ends = pipe()
            write(ends.writer)
            let im = immediate()
            let te = timer(wrapper, under: memory) { _, _, _ in self.log.append("timer") }
            let fde = descriptor(wrapper, ends.reader, under: memory) { _, _, _ in self.log.append("fd") }
            let se = signal(wrapper, SIGUSR1, under: memory) { _, _, _ in self.log.append("signal") }
            schedule(im, on: wrapper) { _, _ in self.log.append("immediate") }
            release(timer(wrapper, under: memory) { _, _, _ in })
            XCTAssertEqual(release(wrapper), 0)
            XCTAssertFalse(tevent_common_have_events(ev))
            wait(ev)
            XCTAssertEqual(log, [])
            XCTAssertEqual(tevent_fd_get_flags(fde), 0)
            for event in [te, fde, se, im] { XCTAssertEqual(release(event), 0) }
            close(ends.reader)
            close(ends.writer)
        }
    }

    func testAWrapperFreedInItsHandlerStaysUntilThatReturns() throws {
        try onEachBackend { ev in
            let parent = newChunk(under: memory)
            let wrapper = wrapper(of: ev, under: parent)
            timer(wrapper, under: memory) { given, _, _ in
                XCTAssertEqual(release(given), -1)
                XCTAssertTrue(tevent_context_is_wrapper(given))
                self.log.append("timer")
            }
            timer(wrapper, under: memory) { _, _, _ in self.log.append("never") }
            once(ev)
            XCTAssertEqual(log, ["before on_time 0 test.c:1", "timer", "after on_time 0"])
            XCTAssertEqual(talloc_total_blocks(parent), 1)
            XCTAssertFalse(tevent_common_have_events(ev))
        }
    }

    func testAWrapperFreedInUseStaysUntilThatEnds() throws {
        let ev = try context()
        let parent = newChunk(under: memory)
        let wrapper = wrapper(of: ev, under: parent)
        XCTAssertTrue(_tevent_context_push_use(wrapper, here))
        XCTAssertEqual(release(wrapper), -1)
        XCTAssertGreaterThan(talloc_total_blocks(parent), 1)
    }

    func testAWrapperWithoutItsContextMakesNothing() throws {
        let ev = try context()
        let wrapper = wrapper(of: ev)
        release(ev)
        XCTAssertTrue(tevent_context_is_wrapper(wrapper))
        XCTAssertFalse(tevent_context_same_loop(wrapper, wrapper))
        XCTAssertFalse(_tevent_context_push_use(wrapper, here))
        for make in [{ self.timer(wrapper) { _, _, _ in } }, { self.descriptor(wrapper, 0) { _, _, _ in } }] {
            errno = 0
            XCTAssertNil(make())
            XCTAssertEqual(errno, EINVAL)
        }
        XCTAssertNil(signal(wrapper, SIGUSR1) { _, _, _ in })
        XCTAssertEqual(release(wrapper), 0)
    }

    func testUsingAFreedWrapperInItsHandlerIsAFault() throws {
        let result = try runInChild(self) {
            let ev = try context()
            timer(wrapper(of: ev)) { given, _, _ in
                release(given)
                self.timer(given, under: self.memory) { _, _, _ in }
            }
            once(ev)
        }
        assertAborted(result, saying: "freed")
    }

    func testFreeingAWrapperTwiceInItsHandlerIsAFault() throws {
        let result = try runInChild(self) {
            let ev = try context()
            timer(wrapper(of: ev), under: memory) { given, _, _ in
                release(given)
                release(given)
            }
            once(ev)
        }
        assertAborted(result, saying: "twice")
    }

    // MARK: What cannot be wrapped

    func testWrappersCannotBeStacked() throws {
        let ev = try context()
        let first = wrapper(of: ev)
        let blocks = talloc_total_blocks(memory)
        errno = 0
        XCTAssertNil(wrapper(of: first))
        XCTAssertEqual(errno, EINVAL)
        XCTAssertEqual(talloc_total_blocks(memory), blocks)
    }

    func testALoopThatMayNestCannotBeWrapped() throws {
        let ev = try context()
        tevent_loop_allow_nesting(ev)
        errno = 0
        XCTAssertNil(wrapper(of: ev))
        XCTAssertEqual(errno, EINVAL)
    }

    func testAWrapperHasNoLoop() throws {
        for run in [_tevent_loop_once, _tevent_loop_wait] {
            let ev = try context()
            let wrapper = wrapper(of: ev)
            timer(ev) { _, _, _ in self.log.append("ran") }
            noteAborts()
            errno = 0
            XCTAssertEqual(run(wrapper, here), -1)
            XCTAssertEqual(errno, ENOSYS)
            XCTAssertEqual(abortReasons.count, 1)
            XCTAssertEqual(log, [])
        }
    }
}
