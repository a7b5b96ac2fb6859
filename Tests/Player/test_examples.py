"""Every example's recording opens, and moves, without an error.

The pages contain the player that was built into the programs. With REFILL=1 they get the present one, which saves a build
while you work on the player.
"""

import json
import os
import re
import unittest

import examples
import sample
from browser import PlayerTest

# What no sentence may contain: a value that is missing, or a placeholder that nothing has filled.
BROKEN = re.compile(r"undefined|NaN|null|\{\w+\}|unknown")


class ExampleTests(PlayerTest):
    """One test for each example; they are added below."""

    @classmethod
    def setUpClass(cls):
        examples.require()
        super().setUpClass()

    def check(self, name):
        path = examples.record(name, "html")
        data = json.loads(re.search(r'id="recording">(.*?)</script>', path.read_text(), re.S)[1])
        if os.environ.get("REFILL"):
            path.write_text(sample.page(data, name))
        self.open_file(path, width=360)
        self.assertEqual(self.page.locator(".trouble").count(), 0, "the player shows an error")
        self.assertEqual(self.text("h1"), name)
        for unit in ["handler", "turn", "record"]:
            self.page.evaluate("unit => teventPlayer.setUnit(unit)", unit)
            self.check_steps()
        self.assertEqual(self.page.evaluate("teventPlayer.steps.length"), len(data["records"]))
        self.page.set_viewport_size({"width": 1200, "height": 900})
        self.assertLessEqual(self.page.evaluate("document.documentElement.scrollWidth"), 1200)

    def check_steps(self):
        """The ends by keys, and up to a dozen steps from one end to the other."""
        count = self.page.evaluate("teventPlayer.steps.length")
        for key, step in [("Home", 1), ("End", count)]:
            self.press(key)
            self.assertEqual(self.position(), f"Step {step:,} of {count:,}")
        self.assertEqual(self.text("#next"), "The recording ends here.")
        found = self.page.evaluate("""count => Array.from({ length: Math.min(12, count) }, (_, at) => {
            teventPlayer.go(Math.floor(at * (count - 1) / Math.max(1, Math.min(12, count) - 1)));
            return [document.getElementById("why").textContent, document.getElementById("next").textContent,
                document.documentElement.scrollWidth];
        })""", count)
        for why, forecast, width in found:
            for sentence in [why, forecast]:
                if not sentence.startswith(("The program prints", "Note of the program")):
                    self.assertNotRegex(sentence, BROKEN)
            self.assertTrue(why)
            self.assertTrue(forecast)
            self.assertLessEqual(width, 360, f"{why}: wider than the page")


examples.add_tests(ExampleTests)

if __name__ == "__main__":
    unittest.main()
