#!/usr/bin/env python3
"""run.py - boots a kernel for its own tests and reports one flat TAP line for each case.

    run.py --kernel build/quire.elf                          all suites, in one boot
    run.py --kernel build/quire.elf --panics                 each expected-panic case, in a boot of its own
    run.py --kernel build/quire.elf test=pgtable             one suite
    run.py --kernel build/quire.elf test=pgtable.name seed=7 one case; other words go to the kernel as they are
    run.py --kernel build/quire.elf --list                   what there is, and how it runs

A name that fits no case of the kernel gives an empty, skipped report: it may well be the name of a host test.
"""
from __future__ import annotations

import argparse
import re
import sys
from typing import Dict, List

import qemu
from ktap import STATUS_PASS, convert
from tap import Result, Tap

LISTED = re.compile(r"^\s*([A-Za-z0-9_]+\.[A-Za-z0-9_]+) (normal|panic|manual)\s*$")


class ListError(Exception):
    """The kernel did not say which cases it has."""


def parse_arguments(argv: List[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_machine_arguments(parser)
    parser.add_argument("--panics", action="store_true", help="the expected-panic cases only")
    parser.add_argument("--list", action="store_true", help="print the cases and how each runs")
    parser.add_argument("words", nargs="*", help="words for the kernel's command line; test=NAME chooses")
    return parser.parse_args(argv)


def add_machine_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--kernel", help="ELF file to boot by QEMU's -kernel")
    what.add_argument("--iso", help="ISO image to boot by its GRUB")
    parser.add_argument("--initramfs", default="", help="archive to give the kernel (an ISO has its own)")
    parser.add_argument("--memory", default="64M", help="as QEMU's -m (default: %(default)s)")
    parser.add_argument("--cpu", default="", help="as QEMU's -cpu (default: QEMU's)")
    parser.add_argument("--machine", default="pc", help="as QEMU's -machine (default: %(default)s)")
    parser.add_argument("--limit", type=float, default=600, help="seconds for one boot (default: %(default)s)")
    parser.add_argument("--silence", type=float, default=60, help="seconds without output (default: %(default)s)")


def boot_of(args: argparse.Namespace, words: List[str]) -> qemu.Boot:
    return qemu.Boot(
        kernel=args.kernel,
        iso=args.iso,
        initramfs=args.initramfs,
        words=words,
        memory=args.memory,
        cpu=args.cpu,
        machine=args.machine,
        limit=args.limit,
        silence=args.silence,
    )


def list_cases(boot: qemu.Boot) -> Dict[str, str]:
    """All cases by name, and how each runs. Raises ListError when the list is not whole."""
    run = qemu.run(boot)
    cases = {m.group(1): m.group(2) for m in map(LISTED.match, run.lines) if m}
    if run.ending.status != STATUS_PASS or not cases:
        tail = "\n".join([run.ending.text(), *run.errors, *run.lines[-20:]])
        raise ListError(f"test=list gave {len(cases)} cases\n{tail}")
    return cases


def chosen(cases: Dict[str, str], name: str) -> Dict[str, str]:
    """The cases that a name means: all, a suite, or one case, which may have a parameter: suite.case.value."""
    if not name:
        return cases
    return {case: how for case, how in cases.items() if f"{case}.".startswith(f"{name}.") or is_case(name, case)}


def is_case(name: str, case: str) -> bool:
    return f"{name}.".startswith(f"{case}.")


def run_once(boot: qemu.Boot, context: str) -> List[Result]:
    run = qemu.run(boot)
    return convert(run.lines, run.ending, context, run.errors)


def run_suites(boot: qemu.Boot, expected: List[str]) -> List[Result]:
    """One boot for many cases; each that the kernel listed must be in its report, once for each parameter."""
    results = run_once(boot, "boot")
    names = [r.name for r in results]
    lost = [c for c in expected if not any(n == c or n.startswith(c + ".") for n in names)]
    if lost:
        results.append(Result("boot.lost", False, None, ["listed by test=list and not reported:", *lost]))
    return results


def run_panic_case(boot: qemu.Boot, name: str) -> List[Result]:
    """One boot for one case, and no result of any other may stand in for it."""
    results = run_once(boot, name)
    if not any(r.name == name for r in results) and all(r.ok for r in results):
        results.append(Result(name, False, None, ["the report does not have this case"]))
    return results


def run_tests(args: argparse.Namespace, tap: Tap, only: str, words: List[str]) -> int:
    try:
        cases = chosen(list_cases(boot_of(args, ["test=list"])), only)
    except ListError as error:
        tap.add(Result("boot.list", False, None, str(error).splitlines()))
        return tap.finish()
    panics = sorted(name for name, how in cases.items() if how == "panic")
    others = [name for name, how in cases.items() if how == "normal" or how == "manual" and is_case(only, name)]
    if not (panics if args.panics else others):
        return tap.skip_all(f"no such case here: {only or 'any'}")
    if not args.panics:
        tap.extend(run_suites(boot_of(args, [f"test={only}" if only else "test", *words]), others))
        return tap.finish()
    for name in panics:
        tap.extend(run_panic_case(boot_of(args, [f"test={name}", *words]), name))
    return tap.finish()


def main(argv: List[str]) -> int:
    qemu.end_on_sigterm()
    args = parse_arguments(argv)
    only = next((w[len("test=") :] for w in reversed(args.words) if w.startswith("test=")), "")
    words = [w for w in args.words if not w.startswith("test=") and w != "test"]
    if args.list:
        for name, how in list_cases(boot_of(args, ["test=list"])).items():
            print(name, how)
        return 0
    return run_tests(args, Tap(), only, words)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ListError as list_error:
        sys.exit(f"run.py: {list_error}")
