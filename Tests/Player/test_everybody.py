"""What holds for every reader and every recording: colours, widths, screen readers, sound and unsound data."""

import json
import unittest
from pathlib import Path

import sample
from browser import PlayerTest

TAPES = [sample.turn_order, sample.ticker, sample.cascade, sample.queue, sample.threads, sample.lost, sample.hostile]

# The contrast of each visible text with the first opaque background under it.
CONTRASTS = """() => {
    const parse = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
    const light = (rgb) => rgb.slice(0, 3).map(part => part / 255)
        .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    const under = (element) => {
        for (; element; element = element.parentElement) {
            const colour = parse(getComputedStyle(element).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const poor = [];
    for (const element of document.querySelectorAll("#player *")) {
        const hasText = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        if (!hasText || !element.checkVisibility() || element.closest(".hidden")) continue;
        const [one, other] = [light(parse(getComputedStyle(element).color)), light(under(element))].sort();
        const ratio = (other + 0.05) / (one + 0.05);
        if (ratio < 4.5) poor.push(`${element.className} ${element.textContent.slice(0, 20)} ${ratio.toFixed(2)}`);
    }
    return poor;
}"""


class AppearanceTests(PlayerTest):
    def test_both_colour_schemes_have_contrast(self):
        for scheme, page_colour in [("light", "rgb(255, 255, 255)"), ("dark", "rgb(13, 17, 23)")]:
            for tape in TAPES:
                with self.subTest(scheme=scheme, tape=tape.__name__):
                    self.open(tape(), step=2, color_scheme=scheme)
                    self.page.get_by_role("button", name="Predict", exact=True).click()
                    self.assertEqual(self.page.evaluate("getComputedStyle(document.body).backgroundColor"), page_colour)
                    self.assertEqual(self.page.evaluate(CONTRASTS), [])
                    for step in range(2, 6):
                        self.go(step)
                        self.assertEqual(self.page.evaluate(CONTRASTS), [])

    def test_each_kind_has_its_hue(self):
        for scheme, ink in [("light", "rgb(154, 103, 0)"), ("dark", "rgb(210, 153, 34)")]:
            self.open(sample.turn_order(), step=4, color_scheme=scheme)
            self.assertEqual(self.page.locator(".list-timers .label").first.evaluate("label => getComputedStyle(label).color"), ink)

    def test_360_pixels_without_sideways_scrolling(self):
        for tape in TAPES:
            self.open(tape(), width=360)
            for step in range(1, 7):
                self.go(step)
                self.assertLessEqual(self.page.evaluate("document.documentElement.scrollWidth"), 360, (tape.__name__, step))
            outside = self.page.evaluate("""[...document.querySelectorAll('#player *')].filter(each => each.checkVisibility()
                && !each.closest('.hidden, .source') && each.getBoundingClientRect().right > 361).map(each => each.className)""")
            self.assertEqual(outside, [], tape.__name__)

    def test_reduced_motion_has_no_transitions(self):
        self.open(sample.turn_order(), reduced_motion="reduce")
        moving = self.page.evaluate("""[...document.querySelectorAll('*')].filter(each =>
            !['0s', ''].includes(getComputedStyle(each).transitionDuration)).length""")
        self.assertEqual(moving, 0)

    def test_print_leaves_out_the_controls(self):
        self.open(sample.turn_order(), step=4)
        self.page.emulate_media(media="print")
        self.assertFalse(self.page.locator(".buttons").is_visible())
        self.assertTrue(self.page.locator("#why").is_visible())
        self.assertTrue(self.page.locator("#panel-memory").is_visible())


class AccessTests(PlayerTest):
    def test_live_region_announces_the_step(self):
        self.open(sample.turn_order())
        self.press("ArrowRight")
        self.until("document.getElementById('live').textContent.startsWith('Step 2 of 7. The handler of SIGUSR1')")
        self.assertEqual(self.page.locator("#live").get_attribute("aria-live"), "polite")

    def test_controls_and_panels_have_names(self):
        self.open(sample.queue(), step=2)
        nameless = self.page.evaluate("""[...document.querySelectorAll('button, select, input, section, [tabindex]')].filter(each =>
            !(each.getAttribute('aria-label') || each.textContent.trim() || each.labels?.length
            || document.getElementById(each.getAttribute('aria-labelledby')))).map(each => each.outerHTML)""")
        self.assertEqual(nameless, [])

    def test_focus_is_visible(self):
        self.open(sample.turn_order())
        self.press("Tab")
        self.assertEqual(self.page.evaluate("getComputedStyle(document.activeElement).outlineStyle"), "solid")

    def test_table_without_javascript(self):
        self.open(sample.hostile(), java_script_enabled=False)
        self.assertEqual(self.page.locator("tbody tr").count(), 2)
        self.assertIn("</script><img", self.text("tbody tr"))
        self.assertTrue(self.page.locator("table").is_visible())

    def test_no_table_with_javascript(self):
        self.open(sample.turn_order())
        self.assertEqual(self.page.locator("table").count(), 0)


class SafetyTests(PlayerTest):
    def test_hostile_names_stay_text(self):
        self.open(sample.hostile())
        for unit in ["handler", "turn", "record"]:
            self.page.select_option(".options select >> nth=0", unit)
            for step in range(1, self.page.evaluate("teventPlayer.steps.length") + 1):
                self.go(step)
                self.assertEqual(self.page.locator("#player img, #player b, #player script").count(), 0)
        self.assertNotEqual(self.page.title(), "broken")
        self.assertIn("onerror", self.text("h1"))
        self.assertIn("</script><img", self.text("#panel-output"))

    def test_policy_forbids_the_network(self):
        self.open(sample.turn_order())
        blocked = self.page.evaluate("""async () => {
            try { await fetch("https://example.org/"); return "fetched"; } catch (error) { return "blocked"; }
        }""")
        self.assertEqual(blocked, "blocked")
        self.assertTrue(any("Content Security Policy" in message for message in self.messages), self.messages)
        self.messages.clear()

    def test_nothing_leaks_to_the_global_scope(self):
        self.open(sample.turn_order())
        path = Path(self.folder.name) / "empty.html"
        path.write_text("<!DOCTYPE html><div id='player'></div><script id='recording'></script>")
        empty = self.contexts[0].new_page()
        empty.goto(f"file://{path}")
        before = set(empty.evaluate("Object.getOwnPropertyNames(window)"))
        after = set(self.page.evaluate("Object.getOwnPropertyNames(window)"))
        self.assertEqual(after - before, {"teventPlayer"})


class RobustnessTests(PlayerTest):
    def test_lost_beginning(self):
        self.open(sample.lost())
        self.assertIn("its oldest 1,234 records were overwritten", self.text(".warning"))
        self.assertEqual(self.text("#next"), "No event is left that this recording knows; its beginning was lost.")
        self.go(2)
        self.assertEqual(self.text("#why"), "Timer 1 (Lost.swift:7) runs: it was due 5 s ago, and this turn found no signal and"
                         " no immediate.")
        self.assertEqual(self.tree(), ["timer 1", "the context"])
        self.assertEqual(self.events("timers"), ["timer 1 running"], "the context has its lists")
        self.assertIn("made before the recording began", self.text("#panel-memory"))

    def test_unknown_kinds_are_shown(self):
        self.open(sample.lost(), hash_="#unit=record&step=6")
        self.assertEqual(self.text("#why"), "“polished” happens to gadget 1 “struct gadget”, which this player does not know.")
        self.assertEqual(self.events("others"), ["gadget 1 “struct gadget”"])
        self.press("End")
        self.assertEqual(self.text("#why"), "The handler of gadget 1 “struct gadget” runs.")
        self.assertEqual(self.texts("#panel-requests .request"), ["request 1 “Forgotten” ended with status 9"])

    def test_every_record_can_be_shown_from_both_sides(self):
        for tape in TAPES:
            self.open(tape(), hash_="#unit=record")
            same = self.page.evaluate("""() => {
                const read = (step) => { teventPlayer.go(step); return document.querySelector("main").innerText; };
                const steps = [...teventPlayer.steps.keys()];
                const forward = steps.map(read);
                const back = steps.reverse().map(read).reverse();
                return forward.every((text, step) => text === back[step]);
            }""")
            self.assertTrue(same, tape.__name__)
            self.assertEqual(self.page.locator(".trouble").count(), 0)

    def test_empty_recording(self):
        self.open(sample.Tape("empty"))
        self.assertEqual(self.text(".trouble"), "empty The recording is empty.")

    def test_bad_data_are_explained(self):
        good = sample.ticker().data()
        cases = [
            ("{", "The recording is not valid JSON"),
            ("", "This page contains no recording."),
            ({**good, "format": 2}, "The recording has format 2, but this player reads format 1."),
            ({**good, "records": None}, "The recording has no list “records”."),
            ({**good, "records": [[1, 2]]}, "Record 1 is not a list of nine values."),
        ]
        for data, message in cases:
            with self.subTest(message):
                self.open(data if isinstance(data, str) else json.dumps(data))
                self.assertIn(message, self.text(".trouble"))

    def test_numbers_out_of_range(self):
        data = sample.ticker().data()
        data["objects"] += [[], [None, 999, -1, "x", 77]]
        data["records"] += [[10**15, 3, "begin", 999, -7, 2**63, -(2**63), 9999, None], [10**16, -1, "attached", 3, 2.5, None, {}, [], ""],
                            [10**17, 0, "end", "x", 0, 0, 0, 0, 0]]
        self.open(data, hash_="#unit=record&step=999")
        count = len(data["records"])
        for step in range(count - 3, count + 1):
            self.go(step)
            self.assertEqual(self.position(), f"Step {step} of {count}")

    def test_records_out_of_order_are_sorted(self):
        data = sample.ticker().data()
        data["records"].reverse()
        self.open(data, step=1)
        self.assertEqual(self.text("#why"), "The context is made as a root of the memory tree: 64 bytes.")


if __name__ == "__main__":
    unittest.main()
