"""The trace events of every example have the structure that their format demands."""

import json
import unittest
from collections import defaultdict

import examples


class Slices:
    """The slices of each thread, from their B and E events."""

    def __init__(self, test, events):
        self.all = defaultdict(list)
        stacks, latest = defaultdict(list), defaultdict(float)
        for event in events:
            if event["ph"] not in "BE":
                continue
            thread, time = event["tid"], event["ts"]
            test.assertGreaterEqual(time, latest[thread], f"the time of thread {thread} goes back: {event}")
            latest[thread] = time
            if event["ph"] == "B":
                stacks[thread].append(time)
            else:
                test.assertTrue(stacks[thread], f"it ends a slice of thread {thread} that did not begin: {event}")
                self.all[thread].append((stacks[thread].pop(), time))
        test.assertEqual({thread: stack for thread, stack in stacks.items() if stack}, {}, "slices that do not end")

    def has(self, event):
        """Whether an event lies in a slice of its thread."""
        return any(begin <= event["ts"] <= end for begin, end in self.all[event["tid"]])


class TraceTests(unittest.TestCase):
    """One test for each example; they are added below."""

    @classmethod
    def setUpClass(cls):
        examples.require()

    def check(self, name):
        trace = json.loads(examples.record(name, "json").read_text())
        events = trace["traceEvents"]
        slices = Slices(self, events)
        self.check_requests(events, trace["otherData"]["lost"] > 0)
        self.check_flows(events, slices)
        for event in events:
            if event["ph"] == "C":
                self.assertTrue(all(count >= 0 for count in event["args"].values()), event)
        known = {event["tid"] for event in events if event["ph"] == "M" and event["name"] == "thread_name"}
        self.assertLessEqual({event["tid"] for event in events}, known, "threads without a name")

    def check_requests(self, events, has_lost):
        """A request whose beginning was lost has no slice, but may have ended or been received."""
        spans = defaultdict(list)
        for event in events:
            if event["ph"] in "bne":
                spans[event["cat"], event["id"]].append((event["ph"], event["ts"]))
        for key, found in spans.items():
            phases = "".join(phase for phase, _ in found)
            self.assertRegex(phases, "^(bn*e|n+)$" if has_lost else "^bn*e$", f"the asynchronous slice {key}")
            times = [time for _, time in found]
            self.assertEqual(times, sorted(times), f"the asynchronous slice {key}")

    def check_flows(self, events, slices):
        flows = defaultdict(list)
        for event in events:
            if event["ph"] in "sf":
                flows[event["id"]].append(event)
        for number, ends in flows.items():
            self.assertEqual([end["ph"] for end in ends], ["s", "f"], f"flow {number}")
            start, finish = ends
            self.assertLessEqual(start["ts"], finish["ts"], f"flow {number} goes back in time")
            for end in ends:
                self.assertTrue(slices.has(end), f"flow {number} has an end outside all slices: {end}")


examples.add_tests(TraceTests)

if __name__ == "__main__":
    unittest.main()
