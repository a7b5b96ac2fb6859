"""Runs all tests, two modules at a time and then the one that measures, and prints the output of each that fails."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

FOLDER = Path(__file__).parent
LONGEST_FIRST = ["test_examples", "test_everybody", "test_panels"]
ALONE = "test_speed"


def run(module):
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "unittest", module], cwd=FOLDER, capture_output=True, text=True, check=False)
    return done, time.monotonic() - begin


def main():
    found = sorted(path.stem for path in FOLDER.glob("test_*.py"))
    modules = LONGEST_FIRST + [module for module in found if module not in [*LONGEST_FIRST, ALONE]]
    failed = []

    def report(module, done, seconds):
        print(f"{module}: {'FAILED' if done.returncode else 'passed'} ({seconds:.0f} s)", flush=True)
        if done.returncode:
            failed.append(module)
            print(done.stdout + done.stderr, flush=True)

    with ThreadPoolExecutor(2) as pool:
        runs = {pool.submit(run, module): module for module in modules}
        for future in as_completed(runs):
            report(runs[future], *future.result())
    report(ALONE, *run(ALONE))
    if failed:
        print(f"error: FAILED: {', '.join(failed)} (run one alone: Scripts/test-player {failed[0]})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
