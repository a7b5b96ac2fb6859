"""What each panel shows at given steps."""

import unittest

import sample
from browser import PlayerTest


class StepTests(PlayerTest):
    """The sentences and stages of the turn-order recording; the steps are its handlers, its first and its last record."""

    def setUp(self):
        super().setUp()
        self.open(sample.turn_order())

    def stage(self):
        return self.texts("#stages [aria-current]")

    def test_first_step_comes_before_any_loop(self):
        self.assertEqual(self.position(), "Step 1 of 7")
        self.assertEqual(self.text("#why"), "Memory “program” is made as a root of the memory tree: 64 bytes.")
        self.assertEqual(self.text("#next"), "No loop has begun yet.")
        self.assertEqual(self.stage(), [])

    def test_each_handler_has_a_reason_and_a_stage(self):
        expected = [
            (2, "Signals", "The handler of SIGUSR1 (TurnOrder.swift:18) runs: the signal arrived once, and a turn looks for signals first."),
            (3, "Immediates", "Immediate 1 (TurnOrder.swift:16) runs: it was first among the immediates, and this turn found no signal."),
            (4, "Timers", "Timer 1 (TurnOrder.swift:12) runs: it was due 201 µs ago, and this turn found no signal and no immediate."),
            (5, "Descriptors", "The handler of descriptor 4 (TurnOrder.swift:10) runs: the descriptor is ready (read), and this turn"
                " found no signal, no immediate and no due timer."),
        ]
        for step, stage, reason in expected:
            with self.subTest(step=step):
                self.go(step)
                self.assertEqual(self.text("#why"), reason)
                self.assertEqual(self.texts("#stages [aria-current] span"), [stage])

    def test_forecast_names_the_first_of_the_lists(self):
        self.go(2)
        self.assertEqual(self.text("#next"), "If this handler changes nothing, immediate 1 is next: it is first among the immediates."
                         " Only a signal would come before it.")
        self.go(4)
        self.assertEqual(self.text("#next"), "If this handler changes nothing, timer 2 is next, due in 19.7 ms, unless a descriptor is"
                         " ready before.")
        self.go(6)
        self.assertEqual(self.text("#next"), "If this handler changes nothing, no event is left, and the loop ends.")
        self.go(7)
        self.assertEqual(self.text("#next"), "The recording ends here.")

    def test_waiting_lights_the_last_stage(self):
        self.page.select_option(".options select >> nth=0", "record")
        wait = next(index for index, record in enumerate(sample.turn_order().records) if record[2] == "waitBegin")
        self.go(wait + 1)
        self.assertEqual(self.texts("#stages [aria-current] span"), ["Waiting"])
        self.assertEqual(self.text("#why"), "The loop of the context waits for at most 19 ms.")

    def test_lists_mark_what_came_and_went(self):
        self.go(3)
        self.assertEqual(self.events("signals"), ["SIGUSR1"])
        self.assertEqual(self.events("immediates"), ["immediate 1 running"])
        self.assertEqual(self.events("timers"), ["timer 1", "timer 2"])
        self.assertEqual(self.events("descriptors"), ["descriptor 4"])
        self.go(4)
        self.assertEqual(self.events("signals"), ["SIGUSR1 gone"])
        self.assertEqual(self.events("immediates"), ["none"])
        self.assertEqual(self.events("timers"), ["timer 1 running", "timer 2"])
        self.go(2)
        self.assertEqual(self.events("signals"), ["SIGUSR1 running"])
        self.assertEqual(self.events("timers"), ["timer 1 new", "timer 2 new"])

    def test_memory_tree_marks_what_was_made_moved_and_freed(self):
        self.go(2)
        self.assertEqual(self.tree(), ["program", "  the context made", "    session made", "      timer 2 made",
                                       "    descriptor 4 made", "    timer 1 made", "    immediate 1 made", "    SIGUSR1 made"])
        self.go(6)
        self.assertEqual(self.tree(), ["program", "  the context", "    session", "      timer 2", "    immediate 1",
                                       "    descriptor 4 freed"])
        self.page.select_option(".options select >> nth=0", "record")
        moved = next(index for index, record in enumerate(sample.turn_order().records) if record[2] == "moved")
        self.go(moved + 1)
        self.assertEqual(self.tree(), ["program", "  the context", "    session", "      timer 2", "  immediate 1 moved"])

    def test_output_and_notes_so_far(self):
        rows = "#panel-output .output li"
        self.go(1)
        self.assertEqual(self.texts(rows), [])
        self.go(3)
        self.assertEqual(self.texts(rows), ["Everything is ready.", "signal"])
        self.go(7)
        self.assertEqual(self.texts(rows), ["Everything is ready.", "signal", "immediate", "standard error timer",
                                            "note the descriptor is readable"])

    def test_source_marks_the_line(self):
        self.go(4)
        self.assertEqual(self.text("#panel-source .place"), "turn_order/TurnOrder.swift:12")
        self.assertEqual(self.page.locator("#panel-source .here").inner_text(), "line 12 of the source", "without its indentation")
        self.assertEqual(self.page.locator("#panel-source li").count(), 9)
        self.assertEqual(self.page.locator("#panel-source .here").get_attribute("value"), "12")

    def test_source_wraps_the_marked_line(self):
        tape = sample.turn_order()
        lines = tape.sources["turn_order/TurnOrder.swift"]["lines"]
        for number in [12, 13]:
            lines[number - 1] = f"    line {number}: " + "try events.addTimer(after: .zero, under: request) " * 8
        self.open(tape, step=4)
        panel, here, other = [self.page.locator(each).bounding_box() for each in
                              ["#panel-source", "#panel-source .here code", "#panel-source .here + li code"]]
        self.assertLess(here["x"] + here["width"], panel["x"] + panel["width"], "its end is seen")
        self.assertGreater(here["height"], 2 * other["height"])

    def test_panels_without_matter_are_hidden(self):
        self.assertFalse(self.page.locator("#panel-requests").is_visible())
        self.assertFalse(self.page.locator("#panel-queues").is_visible())


class KindTests(PlayerTest):
    def test_timer_that_repeats(self):
        self.open(sample.ticker(), step=3)
        self.assertEqual(self.text("#why"), "Timer 1 (Ticker.swift:12) runs: it was due 200 µs ago, and this turn found no signal"
                         " and no immediate.")
        self.page.select_option(".options select >> nth=0", "turn")
        self.go(4)
        self.assertEqual(self.events("timers"), ["timer 1 changed"])
        self.assertIn("due in 4.79 ms", self.text(".list-timers li"))

    def test_timers_with_one_deadline_run_in_the_order_of_joining(self):
        self.open(sample.same_deadline(), hash_="#unit=record&step=5")
        self.assertEqual(self.events("timers"), ["timer 1", "timer 2 new"])
        self.go(6)
        self.assertEqual(self.events("timers"), ["timer 2", "timer 1 changed"])

    def due(self):
        return self.texts(".list-timers .detail")[-1]

    def test_clock_that_runs_is_known_from_the_first_record_on(self):
        self.open(sample.ticker(), hash_="#unit=record&step=3")
        self.assertEqual(self.due(), "due in 5 ms · Ticker.swift:12")
        self.assertEqual(self.text("#why"), "Timer 1 joins the timers of the context: due in 5 ms.")
        self.go(5)
        self.assertIn("The loop of the context waits for at most", self.text("#why"))
        self.assertEqual(self.due(), "due in 5 ms · Ticker.swift:12")

    def test_clock_that_is_set_by_hand_shows_its_last_known_time(self):
        for now, in_handler in [([sample.MILLISECOND], "due in 99 ms"), ([5 * sample.MILLISECOND, 90 * sample.MILLISECOND], "due in 95 ms")]:
            with self.subTest(now=now):
                self.open(sample.clock(now), hash_="#unit=record")
                attached = [index for index, record in enumerate(sample.clock(now).records) if record[2] == "attached"]
                self.go(attached[-1] + 1)
                self.assertEqual(self.due(), "due in 100 ms")
                self.page.select_option(".options select >> nth=0", "handler")
                self.go(2)
                self.assertEqual(self.due(), in_handler)

    def test_durations_of_days(self):
        self.open(sample.far(), hash_="#unit=record&step=3")
        self.assertEqual(self.due(), "due in 24 h")
        self.page.select_option(".options select >> nth=0", "handler")
        self.go(2)
        self.assertEqual(self.text("#why"), "Timer 1 runs: it was due 1 h ago, and this turn found no signal and no immediate.")

    def test_deadline_that_only_means_at_once(self):
        for start in [1_796_056_000 * 10**9, 74_000 * 10**9]:
            with self.subTest(start=start):
                self.open(sample.at_once(start), hash_="#unit=record&step=3")
                self.assertEqual(self.due(), "due at once")
                self.assertEqual(self.text("#why"), "Timer 1 joins the timers of the context: due at once.")
                self.assertIn("timer 1 is next: it is due.", self.text("#next"))
                self.go(5)
                self.assertEqual(self.text("#why"), "Timer 1 runs: it was to run at once, and this turn found no signal and no immediate.")
                self.page.select_option(".options select >> nth=0", "handler")
                self.go(3)
                self.assertIn("it was due 12 h ago", self.text("#why"), "that is just late")

    def test_deadline_zero_of_a_clock_that_begins_there(self):
        self.open(sample.at_once(0), step=2)
        self.assertEqual(self.text("#why"), "Timer 1 runs: it was due 4 µs ago, and this turn found no signal and no immediate.")

    def test_arrivals_of_signals(self):
        self.open(sample.arrivals())
        reasons = ["the signal arrived 3 times, the first time 43 µs ago", "the signal arrived once, 2 µs ago", "the signal arrived once"]
        for step, reason in enumerate(reasons, 2):
            self.go(step)
            self.assertEqual(self.text("#why"), f"The handler of SIGUSR1 runs: {reason}, and a turn looks for signals first.")
        self.assertEqual(self.events("signals"), ["SIGUSR1 running"])
        self.assertIn("tag 18446744073709551615", self.text(".list-signals li"))
        self.page.select_option(".options select >> nth=0", "record")
        self.go(5)
        self.assertEqual(self.text("#why"), "The signal SIGUSR1 arrives.")
        self.assertEqual(self.text(".stages-title"), "Between turns")

    def test_tasks_begin_wait_and_go_on(self):
        self.open(sample.tasks())
        queue = "it was first among the immediates"
        expected = [
            (2, f"Task 1 begins: {queue}, and this turn found no signal.", ["task 1 running", "task 2 new"]),
            (3, f"Task 2 begins: {queue}, and this turn found no signal.", ["task 2 running"]),
            (5, f"Task 1 goes on after it awaited request 1 “Wakeup”: {queue}, where the handler of timer 1 had put it, and this turn"
                " found no signal.", ["task 1 running"]),
        ]
        for step, reason, immediates in expected:
            with self.subTest(step=step):
                self.go(step)
                self.assertEqual(self.text("#why"), reason)
                self.assertEqual(self.texts("#stages [aria-current] span"), ["Immediates"])
                self.assertEqual([item for item in self.events("immediates") if "gone" not in item], immediates)
        self.assertFalse([line for line in self.tree() if "task" in line], "a task is no memory")
        self.page.select_option(".options select >> nth=0", "record")
        sentences = []
        for step in range(1, 33):
            self.go(step)
            sentences.append(self.text("#why"))
        for sentence in ["Task 1 waits for request 1 “Wakeup”.", "Task 2 has returned.", "Task 1 returns.",
                         "Task 1 can go on: it joins the end of the immediates of the context."]:
            self.assertIn(sentence, sentences)

    def test_threaded_immediates_are_called_that(self):
        self.open(sample.arrivals())
        self.go(2)
        self.assertIn("threaded immediate 1", self.text("#panel-memory"))

    def test_callback_that_reports_progress(self):
        self.open(sample.progress(), step=2)
        self.assertEqual(self.text("#why"), "The callback of request 1 “Count” runs: the request is still in progress and reports how"
                         " far it has come.")

    def test_trigger_that_the_program_starts(self):
        self.open(sample.progress(), step=3)
        self.assertEqual(self.text("#why"), "Queue 1 “jobs” calls the trigger of entry 1: the entry is first in line.")
        self.assertEqual(self.text("#next"), "No loop runs in this recording.")
        self.assertFalse(self.page.locator("#stages").is_visible())
        self.go(4)
        self.assertEqual(self.texts("#panel-queues .entries li"), ["entry 1 request 2 “Job” its turn"])

    def test_long_output_is_shown_by_its_first_line(self):
        self.open(sample.progress(), hash_="#unit=record&step=4")
        self.assertEqual(self.text("#why"), "The program prints: one of three …")
        self.assertEqual(self.page.locator("#panel-output pre").inner_text(), "one of three\ntwo to go")

    def test_descriptor_that_is_off_is_not_waited_for(self):
        tape = sample.descriptor()
        where = {what: [index for index, record in enumerate(tape.records) if record[2] == what] for what in ["changed", "freed"]}
        for record, why, forecast in [
            (where["changed"][0] - 1, "The event for descriptor 4 joins the descriptors of the context, watched for: read.",
             "As the lists stand, the loop waits until descriptor 4 is ready."),
            (where["changed"][0], "The event for descriptor 4 is switched off: the loop no longer watches it.",
             "As the lists stand, no event is left, and the loop ends."),
            (where["changed"][1], "The event for descriptor 4 is now watched for: read, write.",
             "As the lists stand, the loop waits until descriptor 4 is ready."),
            (where["freed"][1], "The event for descriptor 4 is freed.", "The context is freed, and its loop runs no handler any more."),
        ]:
            with self.subTest(why):
                self.open(tape, hash_=f"#unit=record&step={record + 1}")
                self.assertEqual(self.text("#why"), why)
                self.assertEqual(self.text("#next"), forecast)

    def test_what_has_left_its_list_is_about_to_run(self):
        for tape, forecasts in [
            (sample.queue(), ["Queue 1 “log” is about to call the trigger of entry 1.", "Queue 1 “log” is about to call the trigger of entry 3."]),
            (sample.cascade(), ["The handler of timer 1 is about to run.", "The handler of timer 2 is about to run.",
                                "The callback of request 1 “Tea” is about to run."]),
        ]:
            with self.subTest(tape.program):
                self.open(tape, hash_="#unit=record")
                found = []
                for index, record in enumerate(tape.records):
                    if record[2] == "detached":
                        self.go(index + 1)
                        found.append(self.text("#next"))
                self.assertEqual(found, forecasts)

    def test_other_threads_may_act_before_it_runs(self):
        tape = sample.queue()
        tape.threads.append("worker")
        left = next(index for index, record in enumerate(tape.records) if record[2] == "detached")
        tape.records.insert(left + 1, [tape.records[left][0], 1, "note", -1, -1, 0, 0, tape.string("meanwhile"), 0])
        self.open(tape, hash_=f"#unit=record&step={left + 1}")
        self.assertEqual(self.text("#next"), "Queue 1 “log” is about to call the trigger of entry 1.")

    def test_what_is_taken_off_its_list_does_not_run(self):
        tape = sample.Tape("cancelled")
        context = tape.make("context")
        timers = [tape.event("timer", context, value=number) for number in [1, 2]]
        tape.record("detached", timers[0], context)
        with tape.turn(context), tape.handler(timers[1], context, 2, 1000):
            pass
        self.open(tape, hash_="#unit=record&step=6")
        self.assertIn("timer 2 is next: it is due.", self.text("#next"))

    def test_nested_loop(self):
        self.open(sample.nested(), step=3)
        self.assertEqual(self.text("#why"), "Immediate 2 runs: it was first among the immediates, and this turn found no signal.")
        self.assertEqual(self.texts(".where span")[-1], "nested loop, level 2, inside the handler of immediate 1")
        self.assertEqual(self.text("#stages-title"), "Turn 2 of the context")
        self.assertEqual(self.events("immediates"), ["immediate 1 running", "immediate 2 running"])
        self.go(2)
        self.assertEqual(len(self.texts(".where span")), 1)
        self.page.select_option(".options select >> nth=0", "turn")
        self.go(3)
        self.assertEqual(self.text("#why"), "A turn of the context begins inside the handler of immediate 1: this is a nested loop, of"
                         " level 2.")

    def test_requests_are_a_cascade(self):
        self.open(sample.cascade(), step=4)
        rows = "#panel-requests .request"
        self.assertEqual(self.texts(rows), ["request 1 “Tea” in progress", "request 2 “Boil” done, received",
                                            "request 3 “Pour” in progress"])
        indents = self.page.locator(f"{rows} .name").evaluate_all("names => names.map(name => parseFloat(getComputedStyle(name).paddingInlineStart))")
        self.assertEqual(indents[0], 0)
        self.assertGreater(indents[1], 0)
        self.assertEqual(indents[1], indents[2])
        bars = self.page.locator(f"{rows} .bar .span:first-child").evaluate_all(
            "bars => bars.map(bar => [bar.style.left, bar.style.width].map(parseFloat))")
        self.assertEqual(bars[0], [0, 100], "the first request lasts from its beginning until now")
        self.assertGreater(bars[2][0], bars[1][0])
        kept = self.page.locator(f"{rows} .kept").evaluate("bar => [bar.style.left, bar.style.width].map(parseFloat)")
        self.assertAlmostEqual(sum(bars[1]), kept[0], places=2, msg="the second has ended, and is kept until it is freed")
        self.assertLess(sum(kept), 100)
        self.go(7)
        self.assertEqual(self.texts(rows), ["request 1 “Tea” failed, received", "request 2 “Boil” done, received",
                                            "request 3 “Pour” failed, received"])

    def test_callbacks_say_how_they_are_called(self):
        self.open(sample.cascade(), step=3)
        self.assertEqual(self.text("#why"), "The callback of request 2 “Boil” (Cascade.swift:30) runs, inside the handler of timer 1:"
                         " the request is done.")
        self.go(6)
        self.assertEqual(self.text("#why"), "The callback of request 1 “Tea” (Cascade.swift:20) runs: the request failed, and its"
                         " callback was posted and came first among the immediates.")
        self.assertEqual(self.texts("#stages [aria-current] span"), ["Immediates"])

    def test_end_of_a_request_shows_where_it_ended(self):
        self.open(sample.cascade())
        ended = next(index for index, record in enumerate(sample.cascade().records) if record[2] == "ended")
        self.page.select_option(".options select >> nth=0", "record")
        self.go(ended + 1)
        self.assertEqual(self.text("#panel-source .place"), "cascade/Cascade.swift:50")

    def test_queue_shows_its_entries(self):
        rows = "#panel-queues .entries li"
        self.open(sample.queue(), step=2)
        self.assertEqual(self.texts(rows), ["entry 1 request 1 “Write” running", "entry 2 request 2 “Write” new",
                                            "entry 3 request 3 “Write” new"])
        self.assertEqual(self.text("#why"), "Queue 1 “log” calls the trigger of entry 1 (Queue.swift:10): the entry is first in line,"
                         " and the queue was first among the immediates.")
        self.go(3)
        self.assertEqual(self.texts(rows), ["entry 1 request 1 “Write” running", "entry 3 request 3 “Write”", "entry 2 gone"])
        self.assertEqual(self.text("#panel-queues h3"), "Queue 1 “log” stopped")
        self.go(4)
        self.assertEqual(self.text("#panel-queues h3"), "Queue 1 “log”")
        self.assertEqual(self.texts(rows), ["entry 3 request 3 “Write” running", "entry 1 gone"])

    def test_entry_that_a_handler_starts(self):
        self.open(sample.direct(), step=3)
        self.assertEqual(self.text("#why"), "Queue 1 “log” calls the trigger of entry 1, inside the handler of immediate 1: the entry is first"
                         " in line.")
        arrow = self.page.evaluate("teventPlayer.timeline.layout.arrow(teventPlayer.index)")
        self.assertIsNone(arrow, "the loop did not start it, although that was scheduled")

    def test_messages_between_threads(self):
        self.open(sample.threads(), step=2)
        self.assertEqual(self.texts(".where span")[1], "on the main thread")
        self.assertEqual(self.text("#why"), "Inbox 1 (Threads.swift:9) gets message 1, which thread worker sent 9 µs ago: the"
                         " message was first among the immediates.")
        self.assertEqual(self.texts(".list-immediates >> nth=0 >> li"), ["message 1 to inbox 1 running", "message 2 to inbox 1"])
        self.page.select_option(".options select >> nth=0", "record")
        sent = [index for index, record in enumerate(sample.threads().records) if record[2] == "sent"]
        self.go(sent[1] + 1)
        self.assertEqual(self.texts(".messages li"), ["message 1 to inbox 1", "message 2 to inbox 1"])
        self.assertEqual(self.text("#why"), "Thread worker sends message 2 to inbox 1.")

    def test_threads_without_a_name_are_not_called_thread_twice(self):
        tape = sample.threads()
        tape.threads[1] = "thread 1"
        self.open(tape, step=2)
        self.assertIn("which thread 1 sent", self.text("#why"))
        self.assertIn("which the main thread sent", self.page.evaluate("""(() => {
            teventPlayer.last(); teventPlayer.previous(); return document.getElementById("why").textContent; })()"""))

    def test_contexts_without_events_take_one_line(self):
        self.open(sample.threads(), step=2)
        self.assertEqual(self.texts("#panel-lists .context"), [
            "Context 1 “main context” Immediates message 1 to inbox 1 running message 2 to inbox 1",
            "Context 2 “worker context” no events"])

    def test_own_wakeup_is_no_ready_descriptor(self):
        tape = sample.threads()
        woken = next(index for index, record in enumerate(tape.records) if record[2] == "waitEnd")
        tape.records[woken][5] = 1
        self.open(tape, hash_=f"#unit=record&step={woken + 1}")
        self.assertEqual(self.text("#why"), "The wait ends: a message from another thread or a signal has woken the loop.")
        self.assertNotIn("descriptor", self.text("#next"))


class MoreTests(PlayerTest):
    """Lists that are long have a button that shows more of them."""

    def rows(self, panel):
        return self.page.locator(f"#panel-{panel} .label").count()

    def test_button_shows_more_by_keyboard(self):
        self.open(sample.long(1000), step=3)
        for panel, key in [("lists", ".list-timers"), ("memory", ".tree")]:
            with self.subTest(panel):
                button = self.page.locator(f"#panel-{panel} {key} .more button")
                self.assertEqual(button.get_attribute("aria-expanded"), "false")
                before = self.rows(panel)
                button.focus()
                self.press("Enter")
                self.assertEqual(self.rows(panel), before + 500, "bounded")
                self.assertEqual(button.get_attribute("aria-expanded"), "true")
                self.assertTrue(button.evaluate("button => button === document.activeElement"), "the focus stays")
                self.press("ArrowRight")
                self.assertGreaterEqual(self.rows(panel), before + 500, "the next step shows as much")
                self.press(" ")
                self.assertLessEqual(self.rows(panel), before + 1)
                self.assertEqual(self.page.evaluate("teventPlayer.timer"), 0, "space presses the button")

    def test_earlier_output_and_requests(self):
        self.open(sample.long(1000))
        self.press("End")
        self.assertEqual(self.text("#panel-output .more"), "… and 40 earlier")
        self.page.get_by_role("button", name="… and 40 earlier").click()
        self.assertEqual(self.texts("#panel-output .more"), ["Show fewer"])
        self.assertEqual(self.texts("#panel-output pre")[0], "round 0")
        self.page.get_by_role("button", name="Show fewer").click()
        self.assertEqual(self.page.locator("#panel-output pre").count(), 60)


if __name__ == "__main__":
    unittest.main()
