"""ktap.py - from what a kernel printed to a list of results.

The kernel's report is KTAP with one level of subtests (kernel/ktest.h):

    KTAP version 1
    1..1                            suites
      KTAP version 1
      # Subtest: pgtable
      1..2                          cases of this suite
      # running unmap_flushes       before each case, so that a run that stops here names it
      ok 1 unmap_flushes
      ...
    not ok 1 pgtable

Whatever is missing, out of order or contradicts itself becomes a failing result: a run counts as passed only
when it is whole, every case passed, and the machine ended with the passing status.
"""
from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import Deque, Dict, Iterable, List, Optional, Set

from tap import Result

STATUS_PASS = 33  # isa-debug-exit: 0x10 << 1 | 1
STATUS_FAIL = 35  # 0x11 << 1 | 1
NOTES_KEPT = 60
TAIL_KEPT = 60

VERSION = re.compile(r"( *)KTAP version 1$")
PLAN = re.compile(r"( *)1\.\.(\d+)$")
SUBTEST = re.compile(r" +# Subtest: (\S+)$")
RUNNING = re.compile(r" +# running (\S+)$")
RESULT = re.compile(r"( *)(not ok|ok) (\d+) (?:- )?([^\s#]+)(?:\s*# SKIP\b\s*(.*))?$")
TOTALS = re.compile(r"# totals: pass:(\d+) fail:(\d+) skip:(\d+)$")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1bc|[\r\x00]")


@dataclass
class Ending:
    """How a run ended: an exit status, or none and the reason."""

    status: Optional[int]
    why: str = ""

    def text(self) -> str:
        if self.why:
            return self.why
        hint = " (a reset: triple fault?)" if self.status == 0 else ""
        return f"the machine ended with exit status {self.status}{hint}"


@dataclass
class Suite:
    name: str
    planned: Optional[int] = None
    seen: int = 0
    failed: int = 0
    ended: bool = False


class Converter:
    """Takes a run's lines in order by feed(); finish() judges the whole and returns all results."""

    def __init__(self, context: str = "boot") -> None:
        self.context = context  # names what belongs to no case
        self.results: List[Result] = []
        self.suites: List[Suite] = []
        self.begun = False
        self.planned: Optional[int] = None
        self.suite: Optional[Suite] = None
        self.running: Optional[str] = None
        self.notes: Deque[str] = deque(maxlen=NOTES_KEPT)
        self.tail: Deque[str] = deque(maxlen=TAIL_KEPT)
        self.names: Set[str] = set()
        self.totals: Optional[List[int]] = None

    def feed(self, raw: str) -> None:
        line = ESCAPES.sub("", raw).rstrip()
        if not line:
            return
        self.tail.append(line)
        if not self._take(line):
            self.notes.append(re.sub(r"^\s*(# )?", "", line))

    def _take(self, line: str) -> bool:
        """True when the line is part of the report, not of a case's own output."""
        if VERSION.match(line):
            self.begun = True
            return True
        if not self.begun:
            return False
        for pattern, handler in (
            (SUBTEST, self._subtest),
            (PLAN, self._plan),
            (RUNNING, self._start),
            (RESULT, self._result),
            (TOTALS, self._totals),
        ):
            match = pattern.match(line)
            if match:
                handler(match)
                return True
        return False

    def _subtest(self, match: "re.Match[str]") -> None:
        self._leave_case("another suite began")
        self._leave_suite()
        self.suite = Suite(match.group(1))
        self.suites.append(self.suite)

    def _plan(self, match: "re.Match[str]") -> None:
        count = int(match.group(2))
        if not match.group(1):
            self._expect(self.planned is None, "plan", "a second plan of suites")
            self.planned = count
        elif self.suite is None or self.suite.planned is not None:
            self._fault("plan", "a plan of cases outside of a suite, or a second one")
        else:
            self.suite.planned = count

    def _start(self, match: "re.Match[str]") -> None:
        self._leave_case(f"{match.group(1)} began")
        self.running = match.group(1)
        self.notes.clear()

    def _result(self, match: "re.Match[str]") -> None:
        indent, verdict, number, name, reason = match.groups()
        if indent:
            self._case_result(verdict == "ok", int(number), name, reason)
        else:
            self._suite_result(verdict == "ok", int(number), name)

    def _case_result(self, ok: bool, number: int, name: str, skip: Optional[str]) -> None:
        if self.suite is None:
            self._fault("order", f"result of {name} outside of a suite")
            return
        if self.running is not None and self.running != name:
            self._leave_case(f"the result of {name} came instead")
        self._add(name, ok, skip, list(self.notes))
        self.running = None
        self.notes.clear()
        self._expect(number == self.suite.seen, "order", f"{name} has number {number}, not {self.suite.seen}")

    def _suite_result(self, ok: bool, number: int, name: str) -> None:
        self._leave_case("its suite ended")
        if self.suite is None or self.suite.name != name:
            self._fault("order", f"the end of suite {name}, which had not begun")
            return
        self._expect(number == len(self.suites), "order", f"{name} is suite {len(self.suites)}, not {number}")
        self._expect(
            ok == (self.suite.failed == 0),
            "verdict",
            f"suite {name} says {'ok' if ok else 'not ok'} with {self.suite.failed} failed cases",
        )
        self.suite.ended = True
        self.suite = None
        self.notes.clear()

    def _totals(self, match: "re.Match[str]") -> None:
        self.totals = [int(n) for n in match.groups()]

    def _leave_suite(self) -> None:
        if self.suite is not None:
            self._fault("order", f"suite {self.suite.name} has no result line")
            self.suite.ended = True
            self.suite = None

    def _leave_case(self, why: str) -> None:
        if self.running is not None:
            name, self.running = self.running, None
            self._add(name, False, None, list(self.notes) + [f"no result: {why}"])

    def _add(self, name: str, ok: bool, skip: Optional[str], notes: List[str]) -> None:
        assert self.suite is not None
        self.suite.seen += 1
        self.suite.failed += not ok
        full = f"{self.suite.name}.{name}"
        self._expect(full not in self.names, "order", f"{full} is reported twice")
        self.names.add(full)
        self.results.append(Result(full, ok, skip, notes))

    def _expect(self, condition: bool, what: str, note: str) -> None:
        if not condition:
            self._fault(what, note)

    def _fault(self, what: str, note: str, more: Iterable[str] = ()) -> None:
        self.results.append(Result(f"{self.context}.{what}", False, None, [note, *more]))

    def finish(self, ending: Ending, errors: Iterable[str] = ()) -> List[Result]:
        """Judges the whole run. errors: what the emulator itself complained about."""
        agreed = not any(not r.ok for r in self.results)
        self._judge_ending(ending, list(errors))
        self._judge_plans()
        self._judge_totals()
        passed = ending.status == STATUS_PASS
        if ending.status in (STATUS_PASS, STATUS_FAIL) and passed != agreed:
            said = "passed" if passed else "failed"
            self._fault("exit_status", f"the exit status says {said}, the report says otherwise", self._tail())
        return self.results

    def _tail(self) -> List[str]:
        return ["the last lines on the serial port:", *(f"| {t}" for t in self.tail)]

    def _judge_ending(self, ending: Ending, errors: List[str]) -> None:
        notes = [ending.text(), *errors, *self._tail()]
        crashed = ending.status not in (STATUS_PASS, STATUS_FAIL)
        if self.running is not None:
            name, self.running = self.running, None
            self._add(name, False, None, ["the run ended inside this case", *notes])
        elif crashed:
            self.results.append(Result(f"{self._place()}.crash", False, None, notes))
        elif not self.begun:
            self._fault("report", "no report at all", notes)
        elif self.suite is not None and ending.status == STATUS_FAIL and self._last_failed():
            self.results[-1].notes += ["the run ended behind this case:", *self.notes]
        elif self.suite is not None:
            self._fault("report", f"the report ends inside suite {self.suite.name}", notes)

    def _last_failed(self) -> bool:
        """True behind a case that panicked: the kernel reports the case first, then itself."""
        return bool(self.results) and self.results[-1].name in self.names and not self.results[-1].ok

    def _place(self) -> str:
        return self.suite.name if self.suite is not None else self.context

    def _judge_plans(self) -> None:
        if not self.begun:
            return
        missing = self._missing()
        if missing:
            self._fault("plan", "what the plan promised and the report lacks:", missing)
        if not self.names:
            self._fault("plan", "no case ran")

    def _missing(self) -> List[str]:
        lines = []
        if self.planned is None:
            lines.append("the plan of suites itself")
        elif self.planned != len(self.suites):
            lines.append(f"{self.planned} suites planned, {len(self.suites)} begun")
        for suite in self.suites:
            if suite.planned is None:
                lines.append(f"the plan of suite {suite.name}")
            elif suite.planned != suite.seen:
                lines.append(f"{suite.name}: {suite.planned} cases planned, {suite.seen} reported")
        return lines

    def _judge_totals(self) -> None:
        if self.totals is None:
            return
        counted = tally(r for r in self.results if r.name in self.names)
        want = [counted["passed"], counted["failed"], counted["skipped"]]
        self._expect(self.totals == want, "totals", f"the kernel counted {self.totals}, its report has {want}")


def tally(results: Iterable[Result]) -> Dict[str, int]:
    """Counts results by kind."""
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for result in results:
        kind = "failed" if not result.ok else "skipped" if result.skip is not None else "passed"
        count[kind] += 1
    return count


def convert(lines: Iterable[str], ending: Ending, context: str = "boot", errors: Iterable[str] = ()) -> List[Result]:
    converter = Converter(context)
    for line in lines:
        converter.feed(line)
    return converter.finish(ending, errors)
