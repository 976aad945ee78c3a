#!/usr/bin/env python3
"""compare.py - runs the facts of user/tests on Linux, as the reference, and on Quire, and shows them side by side.

    compare.py --linux FILE --kernel build/quire.elf --initramfs ARCHIVE           all; those that differ come first
    compare.py ... mmap fork                                                       the facts of these programs
    compare.py --fetch build/i386 ...                                              Debian's Linux, fetched when needed
    compare.py ... --tap                                                           a line of TAP for each fact

A fact that fails on Linux is no fact. With --reference only Linux is asked.
"""
from __future__ import annotations

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterable, List, Optional, Tuple

import qemu
from ktap import ESCAPES
from tap import Result, Tap

FETCH = Path(__file__).resolve().parent.parent.parent / "scripts" / "fetch-i386"
LINUX_WORDS = ["console=ttyS0", "quiet", "panic=-1", "--", "/bin/facts"]
QUIRE_WORDS = ["selftest=off", "--", "/bin/facts"]

PROGRAM = re.compile(r"== program (\S+)$")
ENDED = re.compile(r"== ended (\S+) (with|by signal) (\d+)$")
PLAN = re.compile(r"1\.\.(\d+)$")
FACT = re.compile(r"(not ok|ok) \d+ (\w+)$")
NOTE = re.compile(r"# (.*)$")
ALL = "== all"


class NoReference(Exception):
    """There is no Linux to compare with, for this reason."""


@dataclass
class Outcome:
    ok: bool
    notes: List[str] = field(default_factory=list)

    def text(self) -> str:
        return "ok" if self.ok else "FAILS"


class Reading:
    """What a system said: the outcome of each fact by program.fact."""

    def __init__(self) -> None:
        self.facts: Dict[str, Outcome] = {}
        self.problems: List[str] = []
        self.program = ""
        self.notes: List[str] = []
        self.count = 0
        self.planned: Optional[int] = None
        self.whole = False

    def feed(self, line: str) -> None:
        line = ESCAPES.sub("", line).rstrip()
        for pattern, act in ((PROGRAM, self._begin), (ENDED, self._end), (FACT, self._fact), (PLAN, self._plan)):
            match = pattern.match(line)
            if match:
                act(match)
                return
        self.whole |= line == ALL
        note = NOTE.match(line)
        self.notes.append(note.group(1) if note else line)

    def _begin(self, match: "re.Match[str]") -> None:
        self._leave("another program began")
        self.program, self.notes, self.count, self.planned = match.group(1), [], 0, None

    def _fact(self, match: "re.Match[str]") -> None:
        self.count += 1
        self.facts[f"{self.program}.{match.group(2)}"] = Outcome(match.group(1) == "ok", self.notes)
        self.notes = []

    def _plan(self, match: "re.Match[str]") -> None:
        self.planned = int(match.group(1))

    def _end(self, match: "re.Match[str]") -> None:
        how = "" if match.group(2) == "with" else f"it was ended by signal {match.group(3)}"
        if match.group(2) == "with" and self.planned != self.count:
            how = f"it planned {self.planned} facts and reported {self.count}"
        self._leave(how)

    def _leave(self, why: str) -> None:
        if self.program and why:
            self.problems += [f"{self.program}: {why}", *self.notes[-20:]]
        self.program = ""

    def finish(self, ending: str) -> None:
        if not self.whole:
            last = [f"| {note}" for note in self.notes[-30:]]
            self.problems += [f"{self.program or 'the system'} did not come to its end: {ending}", *last]


def read(kernel: str, words: List[str], asked: argparse.Namespace) -> Reading:
    boot = qemu.Boot(kernel=kernel, words=[*words, *asked.names], initramfs=asked.initramfs, memory=asked.memory)
    run = qemu.run(boot)
    reading = Reading()
    for line in run.lines:
        reading.feed(line)
    reading.finish(run.ending.text())
    return reading


def find_linux(asked: argparse.Namespace) -> str:
    if asked.linux:
        return asked.linux
    done = subprocess.run([str(FETCH), asked.fetch, "linux"], capture_output=True, text=True)
    if done.returncode != 0:
        raise NoReference(done.stderr.strip().split("\n")[-1])
    return done.stdout.strip()


Pair = Tuple[str, Optional[Outcome], Optional[Outcome]]


def pairs(linux: Reading, quire: Reading) -> List[Pair]:
    names = sorted({**linux.facts, **quire.facts})
    return [(name, linux.facts.get(name), quire.facts.get(name)) for name in names]


def agree(pair: Pair) -> bool:
    return all(outcome is not None and outcome.ok for outcome in pair[1:])


def show(linux: Reading, quire: Optional[Reading]) -> int:
    """For a person. With one reading it is both columns."""
    table = sorted(pairs(linux, quire or linux), key=lambda p: (agree(p), p[0]))
    print(f"{'fact':<76} {'Linux':<6} {'Quire' if quire else ''}")
    for name, theirs, ours in table:
        cells = [outcome.text() if outcome else "-" for outcome in (theirs, ours)]
        print(f"{name:<76} {cells[0]:<6} {cells[1] if quire else ''}")
        for who, outcome in (("Linux", theirs), ("Quire", ours if quire else None)):
            for note in outcome.notes if outcome and not outcome.ok else []:
                print(f"    {who}: {note}")
    problems = [f"Linux: {p}" for p in linux.problems] + [f"Quire: {p}" for p in (quire.problems if quire else [])]
    for problem in problems:
        print(problem)
    good = sum(agree(pair) for pair in table)
    print(f"{good} facts hold{' on both' if quire else ''}, {len(table) - good} do not")
    return 0 if table and good == len(table) and not problems else 1


def fact_results(linux: Reading, quire: Optional[Reading]) -> Iterable[Result]:
    for name, theirs, ours in pairs(linux, quire or linux):
        if theirs is None or not theirs.ok:
            yield Result(name, False, None, ["not so on Linux", *(theirs.notes if theirs else [])])
        else:
            yield Result(name, bool(ours and ours.ok), None, ours.notes if ours else ["Quire did not come to it"])
    for who, reading in (("linux", linux), ("quire", quire)):
        if reading and reading.problems:
            yield Result(f"{who}.report", False, None, reading.problems)


def main(argv: List[str]) -> int:
    qemu.end_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--linux", help="the reference: a kernel of Linux for i386")
    where.add_argument("--fetch", metavar="FOLDER", help="where Debian's is fetched to and kept")
    parser.add_argument("--kernel", help="Quire's", default="")
    parser.add_argument("--initramfs", required=True)
    parser.add_argument("--memory", default="64M")
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--tap", action="store_true")
    parser.add_argument("names", nargs="*", metavar="PROGRAM")
    asked = parser.parse_args(argv)
    tap = Tap() if asked.tap else None
    try:
        linux = read(find_linux(asked), LINUX_WORDS, asked)
    except NoReference as reason:
        return tap.skip_all(str(reason)) if tap else print(reason) or 1
    quire = None if asked.reference else read(asked.kernel, QUIRE_WORDS, asked)
    if not tap:
        return show(linux, quire)
    tap.extend(fact_results(linux, quire))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
