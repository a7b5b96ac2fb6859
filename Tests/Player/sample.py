"""Small recordings in the format of Player/README.md, and the player's file with one of them inside."""

import html
import json
import re
from contextlib import contextmanager
from pathlib import Path

PLAYER = Path(__file__).resolve().parents[2] / "Player"
MILLISECOND = 1_000_000


class Tape:
    """Builds a recording: each method adds records, one microsecond apart. Deadlines count from its beginning."""

    clock = 62_972_045_347_769  # what a context's clock shows when the recording begins

    def __init__(self, program, threads=("main",), lost=0):
        self.program, self.lost = program, lost
        self.threads = list(threads)
        self.strings = [""]
        self.string_numbers = {"": 0}
        self.objects, self.records, self.sources = [], [], {}
        self.time = 0
        self.thread = 0

    def string(self, text):
        if text not in self.string_numbers:
            self.string_numbers[text] = len(self.strings)
            self.strings.append(text)
        return self.string_numbers[text]

    def record(self, what, thing=-1, other=-1, value=0, detail=0, text="", line=0):
        self.time += 1000
        self.records.append([self.time, self.thread, what, thing, other, value, detail, self.string(text), line])
        return len(self.records) - 1

    def declare(self, kind, name="", at=("", 0)):
        """An object that the recording mentions but does not make."""
        self.objects.append([kind, self.string(name), self.string(at[0]), at[1], self.thread])
        return len(self.objects) - 1

    def make(self, kind, parent=-1, name="", at=("", 0), size=64):
        thing = self.declare(kind, name or f"struct tevent_{kind}", at)
        self.record("made", thing, parent, size)
        return thing

    def event(self, kind, context, value=0, detail=0, text="", at=("", 0), parent=None):
        thing = self.make(kind, context if parent is None else parent, at=at)
        if kind == "timer":
            self.deadline("attached", thing, context, value)
        else:
            self.record("attached", thing, context, value, detail, text)
        return thing

    def deadline(self, what, timer, context, value):
        """A timer is attached or changed."""
        self.record(what, timer, context, self.clock + value, value - self.time)

    def free(self, thing, context=None):
        if context is not None:
            self.record("detached", thing, context)
        self.record("freed", thing)

    @contextmanager
    def turn(self, context, level=1):
        self.record("turnBegin", context, value=level)
        yield
        self.record("turnEnd", context)

    @contextmanager
    def handler(self, thing, other=-1, value=0, detail=0):
        if self.objects[thing][0] == "timer":
            value += self.clock
        self.record("begin", thing, other, value, detail)
        yield
        self.record("end", thing)

    def wait(self, context, limit, ready, lasting=0, woken=0):
        self.record("waitBegin", context, value=limit)
        self.time += lasting
        self.record("waitEnd", context, value=ready, detail=woken)

    def on(self, thread):
        self.thread = thread

    def data(self):
        return {"format": 1, "program": self.program, "lost": self.lost, "threads": self.threads, "strings": self.strings,
                "objects": self.objects, "records": self.records, "sources": self.sources}


def arrivals():
    """A signal that arrives three times before its handler runs, then once, then at a time that is not known."""
    tape = Tape("arrivals")
    context = tape.make("context")
    signal = tape.event("signal", context, value=10, text="SIGUSR1")
    tape.objects[signal].append("18446744073709551615")
    tape.make("inbox", context, name="struct tevent_threaded_context")
    tape.record("arrived", signal, context, 10)
    tape.time += 41_000
    with tape.turn(context), tape.handler(signal, context, 10, 3):
        pass
    tape.record("arrived", signal, context, 10)
    for _ in range(2):
        with tape.turn(context), tape.handler(signal, context, 10, 1):
            pass
    return tape


def tasks():
    """A task that awaits a request of a timer, and another that returns without waiting."""
    tape = Tape("tasks")
    context = tape.make("context")
    one, two = tape.declare("task"), tape.declare("task")
    tape.record("attached", one, context)
    tape.record("attached", two, context)
    with tape.turn(context):
        with tape.handler(one, context):
            request = tape.make("request", context, name="Wakeup")
            timer = tape.event("timer", context, value=MILLISECOND, parent=request)
            tape.record("awaits", one, request)
    with tape.turn(context), tape.handler(two, context):
        tape.record("freed", two)
    tape.time += MILLISECOND
    with tape.turn(context):
        tape.record("detached", timer, context)
        with tape.handler(timer, context, MILLISECOND, 1000):
            tape.record("freed", timer)
            tape.record("ended", request, value=1)
            tape.record("attached", one, context)
    with tape.turn(context), tape.handler(one, context):
        tape.record("received", request)
        tape.record("freed", request)
        tape.record("freed", one)
    return tape


def turn_order():
    """One event of each kind, in the order of a turn; then a wait and the end."""
    tape = Tape("turn-order")
    file = "turn_order/TurnOrder.swift"
    tape.sources[file] = {"first": 1, "lines": [f"    line {number} of the source" for number in range(1, 31)]}
    root = tape.make("memory", name="program")
    context = tape.make("context", root, at=(file, 5), size=320)
    session = tape.make("memory", context, name="session")
    fd = tape.event("fd", context, value=4, detail=1, at=(file, 10))
    timer = tape.event("timer", context, value=100_000, at=(file, 12))
    later = tape.event("timer", context, value=20 * MILLISECOND, at=(file, 14), parent=session)
    immediate = tape.event("immediate", context, at=(file, 16))
    signal = tape.event("signal", context, value=10, text="SIGUSR1", at=(file, 18))
    tape.record("output", value=1, text="Everything is ready.\n")
    with tape.turn(context), tape.handler(signal, context, 10, 1):
        tape.record("output", value=1, text="signal\n")
    with tape.turn(context):
        tape.record("detached", immediate, context)
        with tape.handler(immediate, context):
            tape.record("output", value=1, text="immediate\n")
    tape.free(signal, context)
    tape.time = 300_000
    with tape.turn(context):
        tape.record("detached", timer, context)
        with tape.handler(timer, context, 100_000, 201_000):
            tape.record("output", value=2, text="timer\n")
        tape.record("freed", timer)
    with tape.turn(context):
        tape.wait(context, 19 * MILLISECOND, 1)
        with tape.handler(fd, context, 4, 1):
            tape.record("note", text="the descriptor is readable")
            tape.free(fd, context)
    tape.time = 20 * MILLISECOND
    with tape.turn(context):
        tape.record("detached", later, context)
        with tape.handler(later, context, 20 * MILLISECOND, 3000):
            tape.record("moved", immediate, root)
        tape.record("freed", later)
    tape.record("freed", immediate)
    tape.record("freed", session)
    tape.record("freed", context)
    tape.record("freed", root)
    return tape


def ticker(count=3):
    """A timer that sets its next deadline in its handler."""
    tape = Tape("ticker")
    context = tape.make("context")
    timer = tape.event("timer", context, value=5 * MILLISECOND, at=("ticker/Ticker.swift", 12))
    for number in range(1, count + 1):
        with tape.turn(context):
            deadline = number * 5 * MILLISECOND
            tape.wait(context, deadline - tape.time, 0, lasting=deadline - tape.time + 197_000)
            tape.record("detached", timer, context)
            with tape.handler(timer, context, deadline, 200_000):
                tape.record("output", value=1, text=f"tick {number}\n")
                if number < count:
                    tape.deadline("changed", timer, context, deadline + 5 * MILLISECOND)
            if number == count:
                tape.record("freed", timer)
    return tape


def cascade():
    """A request with two subrequests, each with a timer; one is done, one fails."""
    tape = Tape("cascade")
    file = "cascade/Cascade.swift"
    context = tape.make("context")
    tea = tape.make("request", context, name="Tea", at=(file, 20))
    state = tape.make("memory", tea, name="struct tea_state")
    requests = []
    for number, name in enumerate(["Boil", "Pour"]):
        request = tape.make("request", state, name=name, at=(file, 30 + number))
        requests.append((request, tape.event("timer", context, value=(number + 1) * MILLISECOND, at=(file, 40), parent=request)))
    for number, (request, timer) in enumerate(requests):
        deadline = (number + 1) * MILLISECOND
        with tape.turn(context):
            tape.wait(context, deadline - tape.time, 0, lasting=deadline - tape.time)
            tape.record("detached", timer, context)
            with tape.handler(timer, context, deadline, 5000):
                tape.record("ended", request, value=1 + number, text=file, line=50 + number)
                with tape.handler(request, value=1 + number):
                    tape.record("received", request)
                    tape.record("freed", timer)
                    tape.record("freed", request)
                    if number == 1:
                        tape.record("ended", tea, value=2, text=file, line=60)
                        tape.record("attached", tea, context)
    with tape.turn(context):
        tape.record("detached", tea, context)
        with tape.handler(tea, context, 2):
            tape.record("received", tea)
            tape.record("freed", state)
            tape.record("freed", tea)
    return tape


def queue():
    """A queue with three entries; the second is removed before it starts, and the queue is stopped for a while."""
    tape = Tape("queue")
    context = tape.make("context")
    queue = tape.make("queue", context, name="log")
    entries = []
    for number in range(3):
        request = tape.make("request", context, name="Write")
        entries.append((request, tape.make("entry", request, at=("queue/Queue.swift", 10 + number))))
        tape.record("joined", entries[-1][1], queue)
        if number == 0:
            tape.record("attached", queue, context)
    for number in [0, 2]:
        request, entry = entries[number]
        with tape.turn(context):
            tape.record("detached", queue, context)
            with tape.handler(entry, queue):
                tape.record("output", value=1, text=f"write {number}\n")
                if number == 0:
                    tape.record("left", entries[1][1], queue)
                    tape.record("freed", entries[1][1])
                    tape.record("stopped", queue)
                tape.record("ended", request, value=1)
                with tape.handler(request, value=1):
                    tape.record("received", request)
                    tape.record("left", entry, queue)
                    tape.record("freed", entry)
                if number == 0:
                    tape.record("started", queue)
                    tape.record("attached", queue, context)
    return tape


def direct():
    """A queue that is to be started by the loop; but a handler starts its first entry before that."""
    tape = Tape("direct")
    context = tape.make("context")
    immediate = tape.event("immediate", context)
    queue = tape.make("queue", context, name="log")
    entry = tape.make("entry", context)
    tape.record("joined", entry, queue)
    tape.record("attached", queue, context)
    with tape.turn(context):
        tape.record("detached", immediate, context)
        with tape.handler(immediate, context):
            tape.record("detached", queue, context)
            with tape.handler(entry, queue):
                pass
    return tape


def threads():
    """A worker thread sends two messages to the main thread's loop, and gets one back."""
    tape = Tape("threads", threads=["main", "worker"])
    main = tape.make("context", name="main context")
    inbox = tape.make("inbox", main, at=("threads/Threads.swift", 9))
    tape.on(1)
    worker = tape.make("context", name="worker context")
    reply = tape.make("inbox", worker, at=("threads/Worker.swift", 3))
    tape.on(0)
    tape.record("turnBegin", main, value=1)
    tape.record("waitBegin", main, value=-1)
    tape.on(1)
    tape.record("sent", inbox, value=1)
    tape.record("sent", inbox, value=2)
    tape.record("turnBegin", worker, value=1)
    tape.record("waitBegin", worker, value=-1)
    tape.on(0)
    tape.record("waitEnd", main, value=0, detail=1)
    tape.record("turnEnd", main)
    for number in [1, 2]:
        with tape.turn(main):
            if number == 1:
                tape.record("arrived", inbox, main, 1)
                tape.record("arrived", inbox, main, 2)
            with tape.handler(inbox, main, number):
                if number == 2:
                    tape.record("sent", reply, value=3)
    tape.record("freed", inbox)
    tape.on(1)
    tape.record("waitEnd", worker, value=0, detail=1)
    tape.record("turnEnd", worker)
    with tape.turn(worker):
        tape.record("arrived", reply, worker, 3)
        with tape.handler(reply, worker, 3):
            tape.record("note", text="the reply is here")
    return tape


def same_deadline():
    """Two timers with one deadline; the first is updated to the same deadline, which puts it after the other."""
    tape = Tape("same-deadline")
    context = tape.make("context")
    first = tape.event("timer", context, value=7 * MILLISECOND)
    tape.event("timer", context, value=7 * MILLISECOND)
    tape.deadline("changed", first, context, 7 * MILLISECOND)
    return tape


def clock(now):
    """A timer runs at each of the given times of a clock that is set by hand, ten milliseconds apart; another one stays."""
    tape = Tape("clock")
    tape.clock = 0
    context = tape.make("context")
    timers = [tape.make("timer", context) for _ in range(len(now) + 1)]
    for timer in timers:
        deadline = 100 * MILLISECOND if timer == timers[-1] else 1000
        tape.record("attached", timer, context, deadline, detail=deadline)
    for number, timer in enumerate(timers[:-1]):
        tape.time = (10 + 10 * number) * MILLISECOND
        with tape.turn(context), tape.handler(timer, context, 1000, now[number] - 1000):
            pass
        tape.free(timer, context)
    return tape


def progress():
    """A request that reports its progress, and a queue that the program starts, all without a loop."""
    tape = Tape("progress")
    context = tape.make("context")
    request = tape.make("request", context, name="Count")
    with tape.handler(request, value=0):
        tape.record("output", value=1, text="one of three\ntwo to go\n")
    queue = tape.make("queue", context, name="jobs")
    entry = tape.make("entry", tape.make("request", context, name="Job"))
    tape.record("joined", entry, queue)
    with tape.handler(entry, queue):
        pass
    tape.record("note", text="the job is under way")
    return tape


def descriptor():
    """A descriptor that is watched, switched off, and on again for something else; no loop ever runs, and the context goes first."""
    tape = Tape("descriptor")
    context = tape.make("context")
    fd = tape.event("fd", context, value=4, detail=1)
    tape.record("changed", fd, context, 4, 0)
    tape.record("changed", fd, context, 4, 3)
    with tape.turn(context):
        pass
    tape.record("freed", context)
    tape.record("freed", fd)
    tape.record("note", text="the end")
    return tape


def far():
    """A timer that is due in a day, and runs an hour too late."""
    tape = Tape("far")
    context = tape.make("context")
    timer = tape.make("timer", context)
    tape.record("attached", timer, context, 864 * 10**11, 864 * 10**11)
    with tape.turn(context):
        tape.record("begin", timer, context, 864 * 10**11, 36 * 10**11)
        tape.record("end", timer)
    return tape


def at_once(start):
    """A timer with the deadline 0, on a clock that shows `start` when the recording begins, and then one of half a day before."""
    tape = Tape("at-once")
    tape.clock = start
    context = tape.make("context")
    for deadline in [0, start - 432 * 10**11]:
        timer = tape.event("timer", context, value=deadline - start)
        with tape.turn(context), tape.handler(timer, context, deadline - start, start + tape.time - deadline):
            pass
        tape.free(timer, context)
    return tape


def two_contexts():
    """The loop of a context runs two immediates and ends. Directly after it, that of another context runs one."""
    tape = Tape("two-contexts")
    one, other = tape.make("context"), tape.make("context")
    signal = tape.event("signal", other, value=10, text="SIGUSR1")
    events = [(tape.event("immediate", context), context) for context in [one, one, other]]
    for immediate, context in events:
        with tape.turn(context):
            tape.record("detached", immediate, context)
            with tape.handler(immediate, context):
                pass
        if immediate == events[0][0]:
            tape.record("arrived", signal, other, 10)
        if immediate == events[1][0]:
            with tape.turn(context):
                pass
    return tape


def two_loops():
    """A loop that ends, and then a second one for an event that did not exist before."""
    tape = Tape("two-loops")
    context = tape.make("context")
    for _ in range(2):
        immediate = tape.event("immediate", context)
        with tape.turn(context):
            tape.record("detached", immediate, context)
            with tape.handler(immediate, context):
                pass
        tape.record("freed", immediate)
    return tape


def chain():
    """An immediate whose handler makes a second one."""
    tape = Tape("chain")
    context = tape.make("context")
    first = tape.event("immediate", context)
    with tape.turn(context):
        tape.record("detached", first, context)
        with tape.handler(first, context):
            second = tape.event("immediate", context)
    with tape.turn(context):
        tape.record("detached", second, context)
        with tape.handler(second, context):
            pass
    return tape


def nested():
    """A handler that runs a loop of its own, in which an immediate runs."""
    tape = Tape("nested")
    context = tape.make("context")
    outer, inner = [tape.event("immediate", context) for _ in range(2)]
    with tape.turn(context):
        tape.record("detached", outer, context)
        with tape.handler(outer, context), tape.turn(context, 2):
            tape.record("detached", inner, context)
            with tape.handler(inner, context):
                tape.record("note", text="inside")
    return tape


def lost():
    """The beginning is lost: nothing was made or attached, and the last handler has no end. One kind is unknown."""
    tape = Tape("lost", lost=1234)
    context = tape.declare("context", "struct tevent_context")
    timer = tape.declare("timer", "struct tevent_timer", ("lost/Lost.swift", 7))
    odd = tape.declare("gadget", "struct gadget")
    request = tape.declare("request", "Forgotten")
    tape.record("end", timer)
    tape.record("turnEnd", context)
    with tape.turn(context), tape.handler(timer, context, 0, 5 * 10**9):
        tape.record("attached", odd, context)
        tape.record("polished", odd, context, 3)
        tape.record("ended", request, value=9)
        tape.record("freed", timer)
    tape.record("turnBegin", context, value=1)
    tape.record("begin", odd, context)
    return tape


def long(count=10_000):
    """Many handlers, and as many timers that stay."""
    tape = Tape("long")
    context = tape.make("context")
    for number in range(count):
        tape.event("timer", context, value=10**12 + number, at=("long/Long.swift", 3))
    immediate = tape.event("immediate", context, at=("long/Long.swift", 5))
    for number in range(count):
        with tape.turn(context):
            tape.record("detached", immediate, context)
            with tape.handler(immediate, context):
                tape.record("attached", immediate, context)
                if number % 10 == 0:
                    tape.record("output", value=1, text=f"round {number}\n")
    return tape


def hostile():
    """Names and output that try to become markup."""
    evil = "</script><img src=x onerror=\"document.title='broken'\"><b>{{script}}"
    tape = Tape(evil, threads=[evil, "constructor"])
    context = tape.make("context", name=evil, at=(f"{evil}/{evil}", 2))
    memory = tape.make("memory", context, name=evil)
    queue = tape.make("queue", context, name=evil)
    request = tape.make("request", memory, name=evil)
    odd = tape.make("constructor", context, name=evil)
    signal = tape.event("signal", context, value=2, text=evil)
    tape.record("joined", tape.make("entry", request), queue)
    tape.record("__proto__", odd, context)
    with tape.turn(context), tape.handler(signal, context, 2, 1):
        tape.record("output", value=1, text=evil)
        tape.record("note", text=evil)
        tape.record("begin", odd, context)
    tape.sources[f"{evil}/{evil}"] = {"first": 1, "lines": [evil, evil]}
    return tape


def table(tape):
    """The rows for readers without JavaScript: one for each handler."""
    rows = []
    for time, thread, what, thing, *_ in tape.records:
        if what == "begin":
            kind, name, file, line, *_ = tape.objects[thing]
            place = f"{tape.strings[file].split('/')[-1]}:{line}" if file else ""
            cells = [len(rows) + 1, f"{time / MILLISECOND:.3f} ms", tape.threads[thread], f"{kind} {tape.strings[name]}", place]
            rows.append("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>")
    return "\n".join(rows)


def page(data, title="recording", rows=""):
    """The player's file. Replaces all placeholders in one pass, so that nothing in a value is taken for one."""
    scripts = [(PLAYER / name).read_text() for name in (PLAYER / "order.txt").read_text().split()]
    text = data if isinstance(data, str) else json.dumps(data)
    values = {"title": html.escape(title), "style": (PLAYER / "player.css").read_text(), "table": rows,
              "data": text.replace("<", "\\u003c"), "script": "\n".join(scripts)}
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], (PLAYER / "player.html").read_text())


def write(folder, name, tape):
    """Writes the player's file for a tape, or for data that are not sound, and returns its path."""
    path = Path(folder) / f"{name}.html"
    if isinstance(tape, Tape):
        path.write_text(page(tape.data(), tape.program, table(tape)))
    else:
        path.write_text(page(tape, name))
    return path
