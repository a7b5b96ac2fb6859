"""Opens recordings in Debian's chromium, and fails a test that leaves a console message or a request behind."""

import atexit
import functools
import os
import shutil
import tempfile
import unittest

from playwright.sync_api import sync_playwright

import sample

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


@functools.cache
def browser():
    """One browser for all tests; each test gets a profile of its own."""
    playwright = sync_playwright().start()
    launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    atexit.register(lambda: (launched.close(), playwright.stop()))
    return launched


class PlayerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.messages, self.requests, self.contexts = [], [], []

    def tearDown(self):
        for context in self.contexts:
            context.close()
        self.assertEqual(self.messages, [], "the console must stay empty")
        self.assertEqual([url for url in self.requests if not url.startswith(("file:", "data:"))], [], "no network")

    def open(self, tape, step=None, hash_=None, width=1200, **options):
        """Opens a recording from disk, at a step if one is given."""
        path = sample.write(self.folder.name, "recording", tape)
        return self.open_file(path, hash_ or (f"#step={step}" if step else ""), width, **options)

    def open_file(self, path, hash_="", width=1200, **options):
        context = browser().new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(5000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(f"file://{path}{hash_}")
        self.page = page
        return page

    def texts(self, selector):
        """The text of each element, with one space for any white space."""
        return [" ".join(text.split()) for text in self.page.locator(selector).all_inner_texts()]

    def text(self, selector):
        return self.texts(selector)[0]

    def go(self, step):
        self.page.evaluate("step => teventPlayer.go(step - 1)", step)

    def until(self, expression, argument=None):
        """Waits until an expression holds. The library's own waiting needs eval, which the page's policy forbids."""
        for _ in range(60):
            if self.page.evaluate(expression, argument):
                return
            self.page.wait_for_timeout(50)
        self.fail(f"still not true after 3 seconds: {expression}")

    def position(self):
        return self.text(".position")

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def events(self, list_):
        """The labels of one of the lists of events, each with its mark if it has one."""
        return self.page.locator(f".list-{list_} li").evaluate_all(
            "rows => rows.map(row => [...row.querySelectorAll('.label, .mark')].map(part => part.textContent).join(' ')"
            " || row.textContent)")

    def tree(self):
        """The lines of the memory tree, indented by their depth, each with its mark if it has one."""
        return self.page.locator("#panel-memory .chunk").evaluate_all(
            "chunks => chunks.map(chunk => { let depth = -1; for (let at = chunk.closest('ul'); at; at = "
            "at.parentElement.closest('ul')) depth += 1; return '  '.repeat(depth) + "
            "[...chunk.querySelectorAll('.label, .mark')].map(part => part.textContent).join(' '); })")
