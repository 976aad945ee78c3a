#!/usr/bin/env python3
"""run.py - runs the suites on simulated machines and reports one flat TAP line for each case and machine.

    run.py build/tests/host/host-pae-64                      every machine
    run.py build/tests/host/host-pae-64 --machine plain      one of them
    run.py build/tests/host/host-pae-64 test=pgtable seed=7  one suite or case, on every machine
    run.py --skip REASON                                     for a program that could not be built

Other words are for the kernel and mean nothing here. A name that fits no case of the program gives an empty,
skipped report: it may well be the name of a test that needs the real machine.
"""
from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "boot"))
from ktap import STATUS_FAIL, STATUS_PASS, Converter, Ending  # noqa: E402
from tap import Result, Tap  # noqa: E402

LISTED = re.compile(r"(\w+\.\w+) (normal|panic|manual)$")
MACHINE = re.compile(r"# machine (\S+)(?: (\S+))?$")
ENDED = re.compile(r"# ended (?:(\d+)|skipped (.*)|(.*))$")


def parse_arguments(argv: List[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", help="one of the host programs")
    parser.add_argument("words", nargs="*", help="test=NAME and seed=N")
    parser.add_argument("--machine", default="all", help="the machine (default: all)")
    parser.add_argument("--skip", metavar="REASON", help="report that there is no program, and why")
    # Anywhere among the words: Meson appends the words that it is given.
    return parser.parse_intermixed_args(argv)


def value_of(words: List[str], key: str) -> str:
    for word in words:
        if word.startswith(key + "="):
            return word[len(key) + 1 :]
    return ""


def list_cases(program: str) -> Dict[str, str]:
    done = subprocess.run([program, "list"], stdout=subprocess.PIPE, text=True, check=True)
    return {m.group(1): m.group(2) for m in map(LISTED.match, done.stdout.splitlines()) if m}


def is_chosen(case: str, how: str, only: str) -> bool:
    """As kernel/ktest.c: a suite means its normal cases, a case itself, with a parameter or not."""
    if not only:
        return how != "manual"
    if only == case.split(".")[0]:
        return how != "manual"
    return only == case or only.startswith(case + ".")


def ending_of(match: "re.Match[str]") -> Ending:
    if match.group(1) is None:
        return Ending(None, f"the machine's process ended: {match.group(3)}")
    status = int(match.group(1))
    meaning = {0: STATUS_PASS, 1: STATUS_FAIL}.get(status)
    return Ending(meaning, "" if meaning else f"the machine's process ended with status {status}")


class Reader:
    """Takes the lines of all machines and keeps each one's results apart."""

    def __init__(self, tap: Tap, cases: Dict[str, str]) -> None:
        self.tap = tap
        self.cases = cases
        self.machine = ""
        self.panic_case: Optional[str] = None
        self.converter: Optional[Converter] = None

    def feed(self, line: str) -> None:
        machine = MACHINE.match(line)
        ended = ENDED.match(line)
        if machine:
            self.machine, self.panic_case = machine.group(1), machine.group(2)
            self.converter = Converter(self.panic_case or "machine")
        elif ended and ended.group(2):
            self.converter = None
            self.tap.add(Result(self.machine, True, ended.group(2)))
        elif ended:
            self.end(ending_of(ended))
        elif self.converter:
            self.converter.feed(line)

    def end(self, ending: Ending) -> None:
        if self.converter is None:
            return
        results = self.converter.finish(ending)
        self.converter = None
        lost = self.lost(results)
        if lost:
            results.append(Result("machine.lost", False, None, ["listed and not reported:", *lost]))
        for result in results:
            result.name = f"{self.machine}/{result.name}"
        self.tap.extend(results)

    def lost(self, results: List[Result]) -> List[str]:
        """The cases that the program listed and that this report does not have."""
        wanted = [self.panic_case] if self.panic_case else [c for c, how in self.cases.items() if how != "panic"]
        names = [r.name for r in results]
        return [c for c in wanted if not any(n == c or n.startswith(c + ".") for n in names)]


def lines_of(command: List[str]) -> Iterator[str]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout
        for raw in process.stdout:
            yield raw.decode("utf-8", "replace").rstrip("\n")


def main(argv: List[str]) -> int:
    args = parse_arguments(argv)
    tap = Tap()
    if args.skip:
        return tap.skip_all(args.skip)
    only = value_of(args.words, "test")
    try:
        listed = list_cases(args.program)
    except (OSError, subprocess.SubprocessError) as error:
        tap.add(Result("host.list", False, None, [f"the program does not list its cases: {error}"]))
        return tap.finish()
    cases = {case: how for case, how in listed.items() if is_chosen(case, how, only)}
    if not cases:
        return tap.skip_all(f"no such case here: {only}")
    reader = Reader(tap, cases)
    for line in lines_of([args.program, args.machine, only, value_of(args.words, "seed") or "0"]):
        reader.feed(line)
    reader.end(Ending(None, "the program ended before its machine"))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
