#!/usr/bin/env python3
"""test_all.py - runs every test there is and counts cases; behind scripts/test, which installs what it needs.

A step is one command and one case. A Meson test gives one case for each line of its TAP report. Whatever leaves
no sound report behind (a crashed runner, a test that did not run, a plan that is not kept) counts as a failure.
"""
from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "boot"))

from tap import Report, Result, read_tap  # noqa: E402

BUILD, CHECKED = "build", "build-debug"
CASES = "cases"  # the Meson suite of those tests that take test=NAME
# Again, with all checks on.
CHECKED_TESTS = ["kernel", "kernel-max", "kernel-486", "panics", "kernel-pae", "kernel-pae-max", "panics-pae"]
CROSS = ["--cross-file", "cross/i686.ini"]
GOOD = ("OK", "EXPECTEDFAIL")
OUTPUT_SHOWN = 120  # lines of a failing step
PROGRESS = re.compile(r"\[\d+/\d+\] ")  # ninja's


@dataclass
class Step:
    name: str
    commands: List[List[str]]


STEPS = [Step("reproducible", [["scripts/check-reproducible"]]), Step("bench", [["scripts/bench", "--quick"]])]


@dataclass
class Total:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: List[str] = field(default_factory=list)

    def add(self, where: str, result: Result) -> None:
        if not result.ok:
            self.failed += 1
            name = f"{where}: {result.name}"
            self.failures.append(name)
            print(f"FAILED {name}")
            for note in result.notes:
                print(f"    {note}")
        elif result.skip is not None:
            self.skipped += 1
        else:
            self.passed += 1

    def fail(self, where: str, name: str, notes: List[str]) -> None:
        self.add(where, Result(name, False, None, notes))

    def last_line(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def say(text: str) -> None:
    print(f"==> {text}", flush=True)


def run_step(step: Step, total: Total) -> bool:
    """One case, which passes when all its commands do."""
    say(f"{step.name}: {'; '.join(' '.join(c) for c in step.commands)}")
    start = time.monotonic()
    for command in step.commands:
        try:
            done = subprocess.run(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            output, status = done.stdout.decode(errors="replace").splitlines(), done.returncode
        except OSError as error:
            output, status = [str(error)], 127
        if status != 0:
            told = [line for line in output if not PROGRESS.match(line)]
            total.fail("step", step.name, [f"exit status {status}", *told[-OUTPUT_SHOWN:]])
            return False
    total.add("step", Result(step.name, True))
    say(f"{step.name}: passed in {time.monotonic() - start:.0f} s")
    return True


def build_step(folder: str, targets: List[str], options: List[str]) -> Step:
    commands = [["ninja", "-C", folder, *targets]]
    if not (ROOT / folder / "build.ninja").exists():
        commands.insert(0, ["meson", "setup", folder, *CROSS, *options])
    return Step(f"build.{'default' if folder == BUILD else 'checked'}", commands)


def build_default(total: Total) -> bool:
    return run_step(build_step(BUILD, ["all", "iso"], []), total)


def build_checked(total: Total) -> bool:
    return run_step(build_step(CHECKED, ["quire.elf", "quire-pae.elf"], ["-Ddebug_checks=true", "-Dubsan=true"]), total)


@dataclass
class Known:
    """A test as Meson knows it."""

    name: str
    is_tap: bool
    suites: List[str]


def known_tests(folder: str) -> List[Known]:
    done = subprocess.run(["meson", "introspect", "--tests", folder], cwd=ROOT, capture_output=True, check=True)
    return [
        Known(t["name"], t["protocol"] == "tap", [s.split(":")[-1] for s in t["suite"]])
        for t in json.loads(done.stdout)
    ]


def read_log(path: Path) -> Dict[str, dict]:
    """Meson's log: an object a line, by the name of the test without the suites in front of it."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8") as file:
        entries = [json.loads(line) for line in file if line.strip()]
    return {entry["name"].split(" / ")[-1]: entry for entry in entries}


def run_meson(folder: str, tests: List[Known], total: Total, only: str = "") -> None:
    """Runs the tests and counts their cases; with `only`, the case or suite that each is asked for."""
    log = ROOT / folder / "meson-logs" / "counted.json"
    log.unlink(missing_ok=True)
    command = ["meson", "test", "-C", folder, "--no-rebuild", "--logbase", "counted"]
    command += ["--test-args", f"test={only}"] if only else []
    say(f"{folder}: {' '.join(command)}{' (' + ' '.join(t.name for t in tests) + ')' if only else ''}")
    done = subprocess.run([*command, *(t.name for t in tests)], cwd=ROOT, stdin=subprocess.DEVNULL)
    entries = read_log(log)
    failed_before = total.failed
    for test in tests:
        count_test(f"{folder}/{test.name}", test, entries.get(test.name), total, bool(only))
    if done.returncode != 0 and total.failed == failed_before:
        total.fail(folder, "meson.test", [f"exit status {done.returncode}, and no test tells why"])


def count_test(where: str, test: Known, entry: Optional[dict], total: Total, asked: bool) -> None:
    if entry is None:
        total.fail(where, "did_not_run", ["Meson's log has no such test"])
        return
    tail = [*(entry["stdout"] or "").splitlines()[-40:], *(entry.get("stderr") or "").splitlines()[-40:]]
    if not test.is_tap:
        count_plain(where, entry, tail, total)
        return
    report = read_tap(entry["stdout"] or "")
    if report.skipped is not None and not report.results:
        if not asked:
            total.add(where, Result(test.name, True, report.skipped))
        return
    count_report(where, report, entry, tail, total)


def count_plain(where: str, entry: dict, tail: List[str], total: Total) -> None:
    skip = "as the test says" if entry["result"] == "SKIP" else None
    good = entry["result"] in GOOD or skip is not None
    total.add(where, Result("test", good, skip, [f"{entry['result']}, status {entry['returncode']}", *tail]))


def count_report(where: str, report: Report, entry: dict, tail: List[str], total: Total) -> None:
    for result in report.results:
        total.add(where, result)
    if report.problems:
        total.fail(where, "report", [*report.problems, *tail])
    elif entry["result"] not in (*GOOD, "SKIP") and all(r.ok for r in report.results):
        total.fail(where, "status", [f"{entry['result']}, though its report has no failure", *tail])


def everything(total: Total) -> None:
    if build_default(total):
        run_meson(BUILD, known_tests(BUILD), total)
    if build_checked(total):
        run_meson(CHECKED, [t for t in known_tests(CHECKED) if t.name in CHECKED_TESTS], total)
    for step in STEPS:
        run_step(step, total)


def by_name(name: str, total: Total) -> None:
    """A step, a Meson test, or a suite or case in all tests that have it."""
    for step in STEPS:
        if step.name == name:
            run_step(step, total)
            return
    if not build_default(total):
        return
    total.passed = 0  # the build was asked for by nobody
    tests = known_tests(BUILD)
    if name in (t.name for t in tests):
        run_meson(BUILD, [t for t in tests if t.name == name], total)
    else:
        run_meson(BUILD, [t for t in tests if CASES in t.suites], total, name)


def show_list() -> int:
    if not (ROOT / BUILD / "build.ninja").exists() and not build_default(Total()):
        return 1
    print("Steps:", *(step.name for step in STEPS))
    print("Meson tests:", *(t.name for t in known_tests(BUILD)))
    print(f"Suites and cases of the kernel: python3 tests/boot/run.py --kernel {BUILD}/quire.elf --list")
    return 0


def main(argv: List[str]) -> int:
    if argv == ["--list"]:
        return show_list()
    if len(argv) > 1 or argv and argv[0].startswith("-"):
        print("usage: scripts/test [NAME | --list | --help]", file=sys.stderr)
        return 2
    total = Total()
    start = time.monotonic()
    try:
        by_name(argv[0], total) if argv else everything(total)
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        total.fail("scripts/test", "itself", [repr(error)])
    if total.passed + total.failed == 0:
        total.fail("scripts/test", "nothing_ran", [f"no test, suite or case is named {argv[0] if argv else '?'}"])
    say(f"{time.monotonic() - start:.0f} s")
    for name in total.failures:
        print(f"failed: {name}")
    print(total.last_line(), flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # in step with what the commands print
    sys.exit(main(sys.argv[1:]))
