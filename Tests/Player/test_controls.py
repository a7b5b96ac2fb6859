"""Moving through the steps: buttons, keys, the slider, the address, the timeline, and predictions."""

import unittest

import sample
from browser import PlayerTest


class MovingTests(PlayerTest):
    def setUp(self):
        super().setUp()
        self.open(sample.turn_order())

    def test_keys_move(self):
        for key, position in [("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("End", 7), ("ArrowRight", 7), ("Home", 1),
                              ("ArrowLeft", 1)]:
            self.press(key)
            self.assertEqual(self.position(), f"Step {position} of 7", key)

    def test_buttons_move(self):
        for name, position in [("Next step", 2), ("Last step", 7), ("Previous step", 6), ("First step", 1)]:
            self.page.get_by_role("button", name=name, exact=True).click()
            self.assertEqual(self.position(), f"Step {position} of 7", name)

    def test_slider_moves(self):
        self.page.locator("input[type=range]").fill("5")
        self.assertEqual(self.position(), "Step 5 of 7")
        self.assertEqual(self.page.locator("input[type=range]").get_attribute("aria-valuetext"), "Step 5 of 7")

    def test_units_keep_the_place(self):
        records = sample.turn_order().records
        self.go(4)
        self.page.select_option(".options select >> nth=0", "record")
        begin = [index for index, record in enumerate(records) if record[2] == "begin"][2]
        self.assertEqual(self.position(), f"Step {begin + 1} of {len(records)}")
        self.press("ArrowRight")
        self.assertEqual(self.text("#why"), "The program prints to standard error: timer")
        self.page.select_option(".options select >> nth=0", "turn")
        self.assertEqual(self.position(), "Step 4 of 7")
        self.assertIn("A turn of the context begins", self.text("#why"))
        self.page.select_option(".options select >> nth=0", "handler")
        self.assertEqual(self.position(), "Step 3 of 7")

    def test_units_have_names_of_their_own(self):
        self.assertEqual(self.texts(".options select >> nth=0 >> option"), ["handler", "turn", "change"])

    def test_arrows_step_while_a_menu_has_the_focus(self):
        for select in self.page.locator("select").all():
            select.focus()
            chosen = select.input_value()
            self.press("ArrowRight")
            self.assertEqual(self.position(), "Step 2 of 7")
            self.press("ArrowLeft")
            self.assertEqual(self.position(), "Step 1 of 7")
            self.assertEqual(select.input_value(), chosen)

    def test_playing_goes_to_the_end_and_stops(self):
        self.page.select_option(".options select >> nth=1", "40")
        self.press(" ")
        self.until("teventPlayer.step === 6")
        self.page.get_by_role("button", name="Play", exact=True).wait_for(timeout=1000)
        self.assertEqual(self.position(), "Step 7 of 7")

    def test_pausing_stops(self):
        self.page.select_option(".options select >> nth=1", "1")
        self.press(" ")
        self.page.get_by_role("button", name="Pause", exact=True).click()
        self.assertEqual(self.page.evaluate("teventPlayer.timer"), 0)

    def test_everything_works_by_keyboard_alone(self):
        self.go(4)
        reached = set()
        for _ in range(30):
            self.press("Tab")
            reached.add(self.page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"))
        for name in ["First step", "Previous step", "Play", "Next step", "Last step", "Position in the recording", "Predict",
                     "Zoom in", "Zoom out", "Show all", "Source", "Output and notes"]:
            self.assertIn(name, reached)
        self.assertTrue(any(name.startswith("Timeline of the recording") for name in reached))

    def test_space_presses_the_focused_button(self):
        self.page.get_by_role("button", name="Last step", exact=True).focus()
        self.press(" ")
        self.assertEqual(self.position(), "Step 7 of 7")
        self.assertEqual(self.page.evaluate("teventPlayer.timer"), 0)


class AddressTests(PlayerTest):
    def test_address_leads_to_a_step(self):
        self.open(sample.turn_order(), step=5)
        self.assertEqual(self.position(), "Step 5 of 7")

    def test_address_is_kept_up_to_date(self):
        self.open(sample.turn_order())
        self.press("ArrowRight", "ArrowRight")
        self.until("location.hash === '#step=3'")
        self.page.select_option(".options select >> nth=0", "turn")
        self.until("location.hash === '#step=3&unit=turn'")
        self.page.reload()
        self.assertEqual(self.position(), "Step 3 of 7")

    def test_changed_address_moves(self):
        self.open(sample.turn_order())
        self.page.evaluate("location.hash = '#step=4'")
        self.until("teventPlayer.step === 3")
        self.assertEqual(self.position(), "Step 4 of 7")

    def test_senseless_addresses_are_bounded(self):
        for given, position in [("#step=999", 7), ("#step=-3", 1), ("#step=x", 1), ("#unit=constructor&step=2", 2), ("#%E0%A4", 1)]:
            with self.subTest(given):
                self.open(sample.turn_order(), hash_=given)
                self.assertEqual(self.position(), f"Step {position} of 7")


class TimelineTests(PlayerTest):
    def point(self, record, row):
        """The place of a record in a row, on the page."""
        return self.page.evaluate("""([record, row]) => {
            const { drawing, base } = teventPlayer.timeline;
            const box = base.getBoundingClientRect();
            return [box.left + drawing.x(drawing.place(record)) + 2, box.top + row * 22 + 10];
        }""", [record, row])

    def view(self):
        return self.page.evaluate("[teventPlayer.timeline.drawing.from, teventPlayer.timeline.drawing.to]")

    def row_titles(self):
        return self.page.evaluate("teventPlayer.timeline.layout.rows.map(row => row.title)")

    def test_lanes(self):
        self.open(sample.turn_order())
        self.assertEqual(self.row_titles(), ["Turns", "Signals", "Immediates", "Timers", "Descriptors"])
        self.open(sample.threads())
        self.assertEqual(self.row_titles(), ["main", "Messages", "worker", "Messages"])
        self.open(sample.queue())
        self.assertEqual(self.row_titles(), ["Turns", "Callbacks", "Triggers", "Requests", "", "", "queue 1 “log”", "", ""])

    def test_click_goes_to_the_step(self):
        self.open(sample.turn_order())
        begin = [index for index, record in enumerate(sample.turn_order().records) if record[2] == "begin"]
        self.page.mouse.click(*self.point(begin[2] + 1, 3))
        self.assertEqual(self.position(), "Step 4 of 7")

    def test_bars_are_painted(self):
        self.open(sample.turn_order())
        begin = [index for index, record in enumerate(sample.turn_order().records) if record[2] == "begin"]
        colour = self.page.evaluate("""record => {
            const { drawing, base } = teventPlayer.timeline;
            const x = Math.round(drawing.x(drawing.place(record))) + 1;
            return [...base.getContext("2d").getImageData(x * devicePixelRatio, 3 * 22 + 10, 1, 1).data];
        }""", begin[2])
        self.assertEqual(colour, [0x9A, 0x67, 0x00, 255], "the timer's bar begins in its colour")

    def test_keys_buttons_and_wheel_change_the_view(self):
        self.open(sample.ticker(50), step=20)
        self.page.locator(".canvases").focus()
        whole = self.view()
        self.press("+")
        closer = self.view()
        self.assertLess(closer[1] - closer[0], whole[1] - whole[0])
        self.press("-")
        self.assertGreater(self.view()[1] - self.view()[0], closer[1] - closer[0])
        self.press("+")
        self.press("Shift+ArrowRight")
        self.assertGreater(self.view()[0], closer[0])
        self.press("0")
        everything = self.view()
        self.assertGreater(everything[1], len(sample.ticker(50).records) - 2)
        self.page.get_by_role("button", name="Zoom in").click()
        self.assertLess(self.view()[1] - self.view()[0], everything[1] - everything[0])
        before = self.view()
        self.page.locator(".canvases").hover()
        self.page.keyboard.down("Control")
        self.page.mouse.wheel(0, -100)
        self.page.keyboard.up("Control")
        self.until("before => teventPlayer.timeline.drawing.to - teventPlayer.timeline.drawing.from < before",
                                    before[1] - before[0])
        self.press("ArrowRight")
        self.assertEqual(self.position().split()[1], "21", "arrows alone still step")

    def test_scale_of_time(self):
        self.open(sample.ticker(3))
        self.page.get_by_label("Scale").select_option("time")
        self.assertGreater(self.view()[1], 14_000_000)

    def test_present_step_stays_visible(self):
        self.open(sample.ticker(200))
        self.press("End")
        from_, to = self.view()
        self.assertTrue(from_ < len(sample.ticker(200).records) - 1 < to)
        self.press("Home")
        self.assertLess(self.view()[0], 0)

    def test_arrows_lead_from_causes(self):
        self.open(sample.threads())
        records = sample.threads().records
        begin = next(index for index, record in enumerate(records) if record[2] == "begin")
        sent = next(index for index, record in enumerate(records) if record[2] == "sent")
        arrow = self.page.evaluate("record => teventPlayer.timeline.layout.arrow(record)", begin)
        self.assertEqual(arrow, {"from": sent, "fromRow": 2, "to": begin, "toRow": 1})


class PredictionTests(PlayerTest):
    def start(self, tape, step):
        self.open(tape, step=step)
        self.page.get_by_role("button", name="Predict", exact=True).click()

    def choices(self):
        return self.texts(".choices button span")

    def choose(self, text):
        self.page.locator(".choices button", has_text=text).click()

    def test_what_comes_next_is_hidden(self):
        self.start(sample.turn_order(), 2)
        self.assertEqual(self.text("#next"), "Hidden until you answer.")
        self.assertEqual(self.page.evaluate("teventPlayer.timeline.drawing.hiddenAfter"), self.page.evaluate("teventPlayer.index"))
        self.page.get_by_role("button", name="Predict", exact=True).click()
        self.assertIn("If this handler changes nothing", self.text("#next"))

    def test_right_answer(self):
        self.start(sample.turn_order(), 2)
        self.assertEqual(self.choices(), ["Descriptor 4 (TurnOrder.swift:10)", "Timer 1 (TurnOrder.swift:12)",
                                          "Timer 2 (TurnOrder.swift:14)", "Immediate 1 (TurnOrder.swift:16)",
                                          "SIGUSR1 (TurnOrder.swift:18)", "No handler: the loop ends first"])
        self.choose("Immediate 1")
        self.assertEqual(self.text(".feedback"), "Right. Immediate 1 (TurnOrder.swift:16) runs: it was first among the immediates,"
                         " and this turn found no signal.")
        self.assertEqual(self.text(".score"), "1 right, 0 wrong")
        self.assertEqual(self.position(), "Step 3 of 7")

    def test_timeline_covers_what_comes_later(self):
        self.start(sample.turn_order(), 3)
        around = self.page.evaluate("""() => {
            const { drawing, overlay, at } = teventPlayer.timeline;
            const [from, to] = [at - 3, at + 3].map((index) => Math.round(drawing.x(drawing.place(index)) * devicePixelRatio));
            const strip = [...overlay.getContext("2d").getImageData(from, 3 * 22 + 10, to - from, 1).data];
            return [strip.slice(0, 4), strip.slice(-4)];
        }""")
        self.assertEqual(around, [[0, 0, 0, 0], [255, 255, 255, 255]])

    def test_event_that_does_not_exist_yet_is_not_named(self):
        self.start(sample.chain(), 2)
        self.assertEqual(self.choices(), ["An event that does not exist yet", "No handler: the loop ends first"])
        self.choose("does not exist yet")
        self.assertEqual(self.text(".score"), "1 right, 0 wrong")
        self.assertEqual(self.position(), "Step 3 of 4")

    def test_first_question_comes_when_there_is_something_to_find_the_answer_in(self):
        self.start(sample.turn_order(), 1)
        self.assertEqual(self.position(), "Step 2 of 7")
        self.assertEqual(len(self.choices()), 6)
        self.press("Home")
        self.assertEqual(self.position(), "Step 1 of 7")
        self.assertEqual(self.text(".choices"), "No event exists yet that could run. The questions begin at the next step.")
        self.assertEqual(self.text("#next"), "No loop has begun yet.")

    def test_wrong_answer(self):
        self.start(sample.turn_order(), 3)
        self.choose("Timer 2")
        self.assertIn("Not quite. Timer 1 (TurnOrder.swift:12) runs", self.text(".feedback"))
        self.assertEqual(self.text(".score"), "0 right, 1 wrong")
        self.assertEqual(self.position(), "Step 4 of 7")

    def test_feedback_stands_above_the_next_question(self):
        self.start(sample.turn_order(), 3)
        self.choose("Timer 2")
        feedback, heading = [self.page.locator(each).bounding_box() for each in [".feedback", "#title-predict"]]
        self.assertLess(feedback["y"] + feedback["height"], heading["y"])

    def test_feedback_goes_when_the_reader_moves(self):
        self.start(sample.turn_order(), 3)
        self.choose("Timer 2")
        self.press("Home")
        self.assertEqual(self.text(".feedback"), "")

    def test_nothing_is_right_at_the_end(self):
        self.start(sample.turn_order(), 6)
        self.choose("No handler")
        self.assertEqual(self.text(".feedback"), "Right. The loop ends before another handler runs.")
        self.assertEqual(self.position(), "Step 7 of 7")
        self.assertIn("This is the last step.", self.text(".choices"))
        self.assertEqual(self.text("#next"), "The recording ends here.", "nothing is hidden")

    def test_right_answer_is_always_among_at_most_six(self):
        for tape in [sample.turn_order, sample.ticker, sample.cascade, sample.queue, sample.threads, sample.lost, sample.hostile]:
            self.start(tape(), 1)
            found = self.page.evaluate("""() => teventPlayer.steps.map((_, step) => {
                teventPlayer.go(step);
                const { question } = teventPlayer.predict;
                return question && [question.choices.length, question.choices.some(choice => choice.key === question.answer.key),
                    new Set(question.choices.map(choice => choice.key)).size];
            })""")
            self.assertIsNone(found[-1])
            for count, has_answer, different in found[1 if found[0] is None else 0:-1]:
                self.assertTrue(2 <= count <= 6 and has_answer and different == count, (tape.__name__, found))

    def test_nothing_is_right_between_two_loops(self):
        self.start(sample.two_loops(), 2)
        self.assertEqual(self.choices(), ["An event that does not exist yet", "No handler: the loop ends first"])
        self.choose("No handler")
        self.assertEqual(self.text(".score"), "1 right, 0 wrong")
        self.assertEqual(self.position(), "Step 3 of 4")

    def test_the_loop_ends_first_although_another_one_runs_the_handler(self):
        for answer, why in [("Immediate 3", "Immediate 3 runs: "),
                            ("No handler", "This loop ends first, and the next one runs the handler. Immediate 3 runs: ")]:
            with self.subTest(answer):
                self.start(sample.two_contexts(), 3)
                self.choose(answer)
                self.assertTrue(self.text(".feedback").startswith(f"Right. {why}"), self.text(".feedback"))
                self.assertEqual(self.position(), "Step 4 of 5")

    def test_an_arrival_between_two_turns_does_not_end_the_loop(self):
        self.start(sample.two_contexts(), 2)
        self.choose("No handler")
        self.assertIn("Not quite.", self.text(".feedback"))

    def test_many_events_are_few_choices(self):
        self.start(sample.long(200), 3)
        self.assertEqual(len(self.choices()), 6)

    def test_space_plays_after_clicks(self):
        self.start(sample.turn_order(), 2)
        focus = "document.activeElement.id"
        self.assertEqual(self.page.evaluate(focus), "title-predict")
        self.choose("Immediate 1")
        self.assertEqual(self.page.evaluate(focus), "title-predict")
        self.press(" ")
        self.assertNotEqual(self.page.evaluate("teventPlayer.timer"), 0, "it plays")
        self.press(" ")
        self.assertEqual(self.text(".score"), "1 right, 0 wrong", "it chooses nothing")
        predict = self.page.get_by_role("button", name="Predict", exact=True)
        predict.click()
        self.press(" ")
        self.assertNotEqual(self.page.evaluate("teventPlayer.timer"), 0)
        self.assertFalse(self.page.locator("#panel-predict").is_visible())

    def test_space_presses_predict_if_a_key_pressed_it(self):
        self.open(sample.turn_order(), step=2)
        self.page.get_by_role("button", name="Predict", exact=True).focus()
        for is_visible in [True, False]:
            self.press(" ")
            self.assertEqual(self.page.locator("#panel-predict").is_visible(), is_visible)

    def test_answer_by_keys(self):
        self.start(sample.turn_order(), 2)
        self.press("4")
        self.assertEqual(self.text(".score"), "1 right, 0 wrong")
        self.page.locator(".choices button").first.focus()
        self.press("Enter")
        self.assertEqual(self.text(".score"), "1 right, 1 wrong")
        self.assertTrue(self.page.evaluate("document.activeElement.closest('.choices') !== null"), "the focus stays in the choices")

    def test_messages_and_queues_are_asked_for(self):
        self.start(sample.threads(), 2)
        self.assertEqual(self.text("#title-predict"), "What runs next on the main thread?")
        self.choose("Message 2 to inbox 1")
        self.assertEqual(self.text(".score"), "1 right, 0 wrong")
        self.start(sample.direct(), 2)
        self.assertEqual(self.choices(), ["Entry 1", "No handler: the loop ends first"], "a queue stands for its first entry")
        self.choose("Entry 1")
        self.assertEqual(self.text(".score"), "1 right, 0 wrong")


if __name__ == "__main__":
    unittest.main()
