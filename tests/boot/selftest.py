#!/usr/bin/env python3
"""selftest.py - real boots that must be reported as failures, each under the name of its case.

    selftest.py --kernel build/quire.elf

The kernel's suite `selftest` (tests/ktest/selftest_test.c) has cases that run by name only and go wrong on
purpose. A runner that takes one of them for a success would hide the like of it in every other suite.
"""
from __future__ import annotations

import argparse
import sys
from typing import List

import qemu
from run import add_machine_arguments, boot_of, run_once
from tap import Result, Tap

SILENCE = 10.0  # seconds after which a hang is one; the boot before it takes less than one


# Each case and what the notes of its failure must say.
WRONGS = {
    "fails": "EXPECT",
    "fails_in_an_assert": "EXPECT",
    "crashes": "panic: ",
    "panics": "panic: a case panicked that was not to",
    "hangs": "hung: silent",
    "exits_early": "ended inside this case",
    "resets_the_machine": "ended inside this case",
    "leaks_a_frame": "leak: ",
    "leaks_an_object": "leak: ",
    "overflows_stack": "stack overflow",
    "returns_instead_of_panicking": "without the panic",
    "panics_with_another_message": "panic: some other message",
}


def described(results: List[Result]) -> List[str]:
    lines = []
    for result in results:
        lines += [f"{'ok' if result.ok else 'not ok'} {result.name}", *(f"  {n}" for n in result.notes)]
    return lines


def judge(case: str, note: str, results: List[Result]) -> Result:
    """ok when the run was reported as a failure of the case, and for the right reason."""
    full = f"selftest.{case}"
    mine = [r for r in results if r.name == full]
    good = len(mine) == 1 and not mine[0].ok and any(note in text for text in mine[0].notes)
    wanted = f"wanted one failure of {full} that mentions '{note}', got:"
    return Result(f"runner.{case}_is_a_failure", good, None, [wanted, *described(results)])


def judge_skip(results: List[Result]) -> Result:
    """A skipped case is neither a failure nor a pass, and keeps its reason."""
    skips = [r.skip for r in results if r.name == "selftest.skips"]
    good = all(r.ok for r in results) and len(skips) == 1 and skips[0] is not None
    return Result("runner.skips_is_a_skip", good, None, described(results))


def main(argv: List[str]) -> int:
    qemu.end_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_machine_arguments(parser)
    parser.add_argument("words", nargs="*", help="ignored: test=NAME means nothing here")
    args = parser.parse_args(argv)
    args.silence = SILENCE
    tap = Tap()
    for case, note in WRONGS.items():
        tap.add(judge(case, note, run_once(boot_of(args, [f"test=selftest.{case}"]), "boot")))
    tap.add(judge_skip(run_once(boot_of(args, ["test=selftest.skips"]), "boot")))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
