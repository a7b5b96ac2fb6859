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
        self.assertEqual(self.text("#why"), "Memory “program” is made as a root of the memory tree, 64 bytes.")
        self.assertEqual(self.text("#next"), "No loop has begun yet.")
        self.assertEqual(self.stage(), [])

    def test_each_handler_has_a_reason_and_a_stage(self):
        expected = [
            (2, "Signals", "The handler of SIGUSR1 (TurnOrder.swift:18) runs: the signal arrived once, and signals come first in a turn."),
            (3, "Immediates", "Immediate 1 (TurnOrder.swift:16) runs: it was the first of the immediates, and this turn found no signal"
                " before it."),
            (4, "Timers", "Timer 1 (TurnOrder.swift:12) runs: it was due 201 µs ago, and this turn found no signal and no immediate"
                " before it."),
            (5, "Descriptors", "The handler of descriptor 4 (TurnOrder.swift:10) runs: its descriptor is ready (read), and this turn"
                " found no signal, no immediate and no due timer before it."),
        ]
        for step, stage, reason in expected:
            with self.subTest(step=step):
                self.go(step)
                self.assertEqual(self.text("#why"), reason)
                self.assertEqual(self.texts("#stages [aria-current] span"), [stage])

    def test_forecast_names_the_first_of_the_lists(self):
        self.go(2)
        self.assertEqual(self.text("#next"), "If this handler changes nothing, immediate 1 is next: it is first of the immediates."
                         " Only a signal would come before it.")
        self.go(4)
        self.assertEqual(self.text("#next"), "If this handler changes nothing, timer 2 is next: due in 19.7 ms. A descriptor comes"
                         " before it if one is ready by then; the loop cannot know.")
        self.go(6)
        self.assertEqual(self.text("#next"), "If this handler changes nothing, no event is left, and the loop has nothing to wait for.")
        self.go(7)
        self.assertEqual(self.text("#next"), "The recording ends here.")

    def test_waiting_lights_the_last_stage(self):
        self.page.select_option(".options select >> nth=0", "record")
        wait = next(index for index, record in enumerate(sample.turn_order().records) if record[2] == "waitBegin")
        self.go(wait + 1)
        self.assertEqual(self.texts("#stages [aria-current] span"), ["Waiting"])
        self.assertEqual(self.text("#why"), "The context waits for 19 ms at most.")

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

    def test_panels_without_matter_are_hidden(self):
        self.assertFalse(self.page.locator("#panel-requests").is_visible())
        self.assertFalse(self.page.locator("#panel-queues").is_visible())


class KindTests(PlayerTest):
    def test_timer_that_repeats(self):
        self.open(sample.ticker(), step=3)
        self.assertEqual(self.text("#why"), "Timer 1 (Ticker.swift:12) runs: it was due 200 µs ago, and this turn found no signal"
                         " and no immediate before it.")
        self.page.select_option(".options select >> nth=0", "turn")
        self.go(4)
        self.assertEqual(self.events("timers"), ["timer 1 changed"])
        self.assertIn("due in 4.79 ms", self.text(".list-timers li"))

    def test_timers_with_one_deadline_run_in_the_order_of_joining(self):
        self.open(sample.same_deadline(), hash_="#unit=record&step=5")
        self.assertEqual(self.events("timers"), ["timer 1", "timer 2 new"])
        self.go(6)
        self.assertEqual(self.events("timers"), ["timer 2", "timer 1 changed"])

    def test_deadlines_are_relative_if_the_clock_is_known(self):
        cases = [
            ([10 * sample.MILLISECOND + 123], "due in 100 ms", "due in 90 ms"),  # one time, late as a real clock makes it
            ([sample.MILLISECOND], "deadline 100 ms", "due in 99 ms"),  # a clock that a test may have set
            ([5 * sample.MILLISECOND, 90 * sample.MILLISECOND], "deadline 100 ms", "due in 95 ms"),  # a test moves it
        ]
        for now, before, in_handler in cases:
            with self.subTest(now=now):
                self.open(sample.clock(now))
                self.page.select_option(".options select >> nth=0", "record")
                attached = [index for index, record in enumerate(sample.clock(now).records) if record[2] == "attached"]
                self.go(attached[-1] + 1)
                self.assertIn(before, self.texts(".list-timers .detail")[-1])
                self.page.select_option(".options select >> nth=0", "handler")
                self.go(2)
                self.assertIn(in_handler, self.texts(".list-timers .detail")[-1])

    def test_nested_loop(self):
        self.open(sample.nested(), step=3)
        self.assertEqual(self.text("#why"), "Immediate 2 runs: it was the first of the immediates, and this turn found no signal"
                         " before it.")
        self.assertEqual(self.texts(".where span")[-1], "nested loop, level 2")
        self.assertEqual(self.text("#stages-title"), "Turn 2 of the context")
        self.assertEqual(self.events("immediates"), ["immediate 1 running", "immediate 2 running"])

    def test_requests_are_a_cascade(self):
        self.open(sample.cascade(), step=4)
        rows = "#panel-requests .request"
        self.assertEqual(self.texts(rows), ["request 1 “Tea” in progress", "request 2 “Boil” done, received",
                                            "request 3 “Pour” in progress"])
        indents = self.page.locator(f"{rows} .name").evaluate_all("names => names.map(name => parseFloat(name.style.paddingInlineStart))")
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
        self.assertEqual(self.text("#why"), "The callback of request 1 “Tea” (Cascade.swift:20) runs: the request failed, its result was"
                         " posted, and it was the first of the immediates.")
        self.assertEqual(self.texts("#stages [aria-current] span"), ["Immediates"])

    def test_end_of_a_request_shows_where_it_ended(self):
        self.open(sample.cascade())
        ended = next(index for index, record in enumerate(sample.cascade().records) if record[2] == "ended")
        self.page.select_option(".options select >> nth=0", "record")
        self.go(ended + 1)
        self.assertEqual(self.text("#panel-source .place"), "cascade/Cascade.swift:50")

    def test_queue_shows_its_entries(self):
        rows = "#panel-queues li"
        self.open(sample.queue(), step=2)
        self.assertEqual(self.texts(rows), ["entry 1 running", "entry 2 new", "entry 3 new"])
        self.assertEqual(self.text("#why"), "Queue 1 “log” calls the trigger of entry 1 (Queue.swift:10), which is first in line.")
        self.go(3)
        self.assertEqual(self.texts(rows), ["entry 1 running", "entry 3", "entry 2 gone"])
        self.assertEqual(self.text("#panel-queues h3"), "Queue 1 “log” stopped")
        self.go(4)
        self.assertEqual(self.text("#panel-queues h3"), "Queue 1 “log”")
        self.assertEqual(self.texts(rows), ["entry 3 running", "entry 1 gone"])

    def test_entry_that_a_handler_starts(self):
        self.open(sample.direct(), step=3)
        self.assertEqual(self.text("#why"), "Queue 1 “log” calls the trigger of entry 1, which is first in line, inside the handler of"
                         " immediate 1.")
        arrow = self.page.evaluate("teventPlayer.timeline.layout.arrow(teventPlayer.index)")
        self.assertIsNone(arrow, "the loop did not start it, although that was scheduled")

    def test_messages_between_threads(self):
        self.open(sample.threads(), step=2)
        self.assertEqual(self.texts(".where span")[1], "thread main")
        self.assertEqual(self.text("#why"), "Inbox 1 (Threads.swift:9) gets message 1, which thread worker sent 10 µs ago:"
                         " it was the first of the immediates.")
        self.assertEqual(self.texts(".list-immediates >> nth=0 >> li"), ["inbox 1 running", "message 2 to inbox 1"])
        self.page.select_option(".options select >> nth=0", "record")
        sent = [index for index, record in enumerate(sample.threads().records) if record[2] == "sent"]
        self.go(sent[1] + 1)
        self.assertEqual(self.texts(".messages li"), ["message 1 to inbox 1", "message 2 to inbox 1"])
        self.assertEqual(self.text("#why"), "Thread worker sends message 2 to inbox 1.")


if __name__ == "__main__":
    unittest.main()
