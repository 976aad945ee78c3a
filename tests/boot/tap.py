"""tap.py - results, and their report as flat TAP 13: one line for each result.

Meson reads only flat TAP, takes a name up to the first '#', and takes a report without results for skipped;
so names are cleaned here, and a report without results is a failing one.
"""
from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import Iterable, List, Optional, TextIO


@dataclass
class Result:
    name: str  # suite.case
    ok: bool
    skip: Optional[str] = None  # the reason
    notes: List[str] = field(default_factory=list)


class Tap:
    """Writes results as they come; finish() writes the plan and gives the exit status."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self.out = out
        self.count = 0
        self.failed = 0
        self._line("TAP version 13")

    def _line(self, text: str) -> None:
        print(text, file=self.out, flush=True)

    def note(self, text: str) -> None:
        self._line(f"# {printable(text)}")

    def add(self, result: Result) -> None:
        self.count += 1
        self.failed += not result.ok
        directive = f" # SKIP {printable(result.skip)}" if result.skip is not None and result.ok else ""
        verdict = "ok" if result.ok else "not ok"
        self._line(f"{verdict} {self.count} {clean_name(result.name)}{directive}")
        if not result.ok:
            for text in result.notes:
                self.note(text)

    def extend(self, results: Iterable[Result]) -> None:
        for result in results:
            self.add(result)

    def finish(self) -> int:
        if self.count == 0:
            self.add(Result("report.is_not_empty", False, notes=["no test ran at all"]))
        self._line(f"1..{self.count}")
        return 1 if self.failed else 0

    def skip_all(self, reason: str) -> int:
        """For a program that has nothing to do here. Only before the first result."""
        self._line(f"1..0 # SKIP {printable(reason)}")
        return 0


def printable(text: str) -> str:
    return re.sub(r"[^\x20-\x7e\t]", "?", text)


def clean_name(name: str) -> str:
    """A name that TAP readers give back whole: no blanks, no '#', no leading digit or dash."""
    name = re.sub(r"[^A-Za-z0-9_.,=+:/-]", "_", name)
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"


RESULT_LINE = re.compile(r"(not ok|ok)\s+(\d+)\s*-?\s*([^\s#]*)(?:\s*#\s*(?i:skip)\S*\s*(.*))?$")
PLAN_LINE = re.compile(r"1\.\.(\d+)(?:\s*#\s*(?i:skip)\S*\s*(.*))?$")


@dataclass
class Report:
    """A flat TAP report, read back."""

    results: List[Result] = field(default_factory=list)
    problems: List[str] = field(default_factory=list)  # why the report as a whole cannot be believed
    skipped: Optional[str] = None  # the whole of it, for this reason


def read_tap(text: str) -> Report:
    report = Report()
    plans: List[int] = []
    for line in text.split("\n"):
        result, plan = RESULT_LINE.match(line), PLAN_LINE.match(line)
        if result:
            verdict, number, name, reason = result.groups()
            report.results.append(Result(name, verdict == "ok", reason))
            if int(number) != len(report.results):
                report.problems.append(f"{name} has number {number}, not {len(report.results)}")
        elif plan:
            plans.append(int(plan.group(1)))
            report.skipped = plan.group(2) if plans == [0] else None
        elif line.startswith("Bail out!"):
            report.problems.append(line)
        elif line.startswith("#") and report.results:
            report.results[-1].notes.append(line[1:].strip())
    if plans != [len(report.results)]:
        report.problems.append(f"plans {plans}, results {len(report.results)}")
    if not report.results and report.skipped is None:
        report.problems.append("no results")
    return report
