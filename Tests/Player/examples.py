"""Records the examples of the tutorial, with the arguments and the input that the tour gives them."""

import functools
import json
import os
import subprocess
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("PROGRAMS") or PROJECT / ".build" / "debug").resolve()
SECONDS = 60

ALL = [example for chapter in json.loads((PROJECT / "Tutorial" / "tour.json").read_text())["chapters"]
       for example in chapter["examples"]]
NAMES = [example["name"] for example in ALL]


class NotRecorded(AssertionError):
    """An example that made no recording, with the reason."""


@functools.cache
def folder():
    return tempfile.TemporaryDirectory()


def require():
    """Fails once, for all tests of a class, if programs are missing."""
    missing = [name for name in NAMES if not (PROGRAMS / name).exists()]
    if missing:
        raise NotRecorded(f"{PROGRAMS} lacks {len(missing)} of {len(NAMES)} examples, such as '{missing[0]}': run `swift build` first,"
                          " or set PROGRAMS to the folder of the programs")


def record(name, form):
    """Runs an example, and returns the path of its recording in a form, "html" or "json"."""
    example = next(each for each in ALL if each["name"] == name)
    program = PROGRAMS / name
    path = Path(folder().name) / f"{name}.{form}"
    run = subprocess.run([program, *example.get("arguments", []), "--record", path], input=example.get("input", ""), text=True,
                         capture_output=True, timeout=SECONDS, env={**os.environ, "SWIFT_BACKTRACE": "enable=no"}, check=False)
    if run.returncode != 0 or not path.exists():
        raise NotRecorded(f"{name} ended with exit code {run.returncode} and recorded nothing: {run.stderr.strip()}")
    return path


def add_tests(case):
    """Adds a test for each example to a class, which checks the example of a name."""
    for name in NAMES:
        setattr(case, f"test_{name.replace('-', '_')}", lambda self, name=name: self.check(name))
