#!/usr/bin/env python3
"""programs.py - programs on a kernel, each in a boot of its own, whose whole output counts. A TAP line for each.

    programs.py --mode two-level --kernel build/quire.elf --build build/user       or --mode pae, quire-pae.elf
    programs.py ... only=churn                                                     those with this in their names
"""
from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import List

import qemu
import tour
from matrix import word
from tap import Result, Tap

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts")
BENCH = os.path.join(SCRIPTS, "bench_user.py")
ENDED_WELL = 1  # QEMU's status for a first program's 0
FREE = re.compile(r"free before (\d+) KiB, after (\d+) KiB")
OWN_STATUS = 5
OWN_SAYS = "/bin/own word, 2 words, 1.500000"
OWN = """#include <stdio.h>
int main(int argc, char **argv)
{
    printf("%s %s, %d words, %f\\n", argv[0], argv[1], argc, argc * 0.75);
    return 5;
}
"""
NOT_RUN = 127
REFUSED_FILES = {"script": "#!/bin/sh\n", "text": "no program\n"}
REFUSED = {
    "init=/bin/none": "The first program, /bin/none, is not there.",
    "init=/bin/script": "/bin/script, cannot be run: its interpreter is not there, or it is linked dynamically.",
    "init=/bin/text": "/bin/text, cannot be run: it is no program for this machine.",
    "init=/etc": "/etc, cannot be run: it is not executable.",
    "-- /bin/script": "init: /bin/script: its interpreter is not there, or it is linked dynamically",
}
WITHOUT_ARCHIVE = ("init=/bin/none", REFUSED["init=/bin/none"])
CPUS = {"two-level": "486", "pae": "max"}  # one that has least, and one that has most of what protects the kernel


@dataclass
class Program:
    name: str
    words: str
    says: str  # in the line that also says how much memory was free


# Half a million calls for each kernel, with seeds of their own.
PROGRAMS = {
    "two-level": [
        Program("sysfuzz", "/bin/sysfuzz 500000 1", "sysfuzz: 500"),
        Program("churn", "/bin/churn 10000", "churn: 10000 rounds"),
    ],
    "pae": [
        Program("sysfuzz", "/bin/sysfuzz 500000 2", "sysfuzz: 500"),
        Program("churn", "/bin/churn 10000", "churn: 10000 rounds"),
    ],
}


def boot(args: argparse.Namespace, archive: str, words: List[str]) -> qemu.Run:
    path = os.path.join(args.build, archive) if archive else ""
    cpu = CPUS[args.mode]
    return qemu.run(qemu.Boot(kernel=args.kernel, words=["selftest=off", *words], initramfs=path, cpu=cpu))


def run_program(args: argparse.Namespace, program: Program) -> List[str]:
    """What is wrong; nothing when it ended well and no memory was lost."""
    run = boot(args, "initramfs-tests.cpio", ["--", *program.words.split()])
    line = next((line for line in run.lines if line.startswith(program.says) and FREE.search(line)), "")
    free = FREE.search(line)
    notes = [f"ended with {run.ending.text()}"] if run.ending.status != ENDED_WELL else []
    if not free or int(free.group(2)) < int(free.group(1)):
        notes.append(f"no line '{program.says}...' with as much memory free as before, but '{line}'")
    return [*notes, *run.errors, *run.lines[-30:]] if notes else []


def run_tour(args: argparse.Namespace) -> List[str]:
    run = boot(args, "initramfs.cpio", [])
    notes = tour.faults(run.lines)
    return [*notes, run.ending.text(), *run.errors] if notes or run.ending.status != ENDED_WELL else []


def run_own(args: argparse.Namespace) -> List[str]:
    """As docs/programs.md tells how: a program that is compiled by scripts/cc and added to the files."""
    build = os.path.dirname(os.path.abspath(args.build))
    with tempfile.TemporaryDirectory(prefix="quire-own-") as folder:
        source, program, archive = (os.path.join(folder, name) for name in ("own.c", "own", "own.cpio"))
        with open(source, "w") as file:
            file.write(OWN)
        for words in (
            ["cc", source, "-O2", "-o", program],
            ["make-initramfs", "--base", f"{args.build}/initramfs.cpio", archive, program],
        ):
            line = [os.path.join(SCRIPTS, words[0]), *words[1:]]
            done = subprocess.run(line, env={**os.environ, "BUILD": build}, capture_output=True, text=True)
            if done.returncode != 0:
                return [f"{words[0]}: exit status {done.returncode}", *done.stderr.splitlines()]
        run = boot(args, archive, ["init=/bin/own", "--", "word"])
    if run.ending.status == 2 * OWN_STATUS + 1 and OWN_SAYS in (line.rstrip() for line in run.lines):
        return []
    return [f"not '{OWN_SAYS}' and status {OWN_STATUS}, but {run.ending.text()}", *run.errors, *run.lines[-30:]]


def run_refused(args: argparse.Namespace) -> List[str]:
    """What is said of a first program that cannot be run."""
    notes = []
    with tempfile.TemporaryDirectory(prefix="quire-refused-") as folder:
        archive = os.path.join(folder, "refused.cpio")
        files = []
        for name, content in REFUSED_FILES.items():
            files.append(os.path.join(folder, name))
            with open(files[-1], "w") as file:
                file.write(content)
            os.chmod(files[-1], 0o755)
        line = [os.path.join(SCRIPTS, "make-initramfs"), "--base", f"{args.build}/initramfs.cpio", archive, *files]
        subprocess.run(line, check=True)
        boots = [(archive, *refused) for refused in REFUSED.items()] + [("", *WITHOUT_ARCHIVE)]
        for path, words, says in boots:
            run = boot(args, path, words.split())
            if not any(says in line for line in run.lines) or run.ending.status != 2 * NOT_RUN + 1:
                notes += [f"{words}: not '{says}' and status {NOT_RUN}, but {run.ending.text()}", *run.lines[-5:]]
    return notes


def run_bench(args: argparse.Namespace) -> List[str]:
    """Only that it works: the script finds a figure for each of its rows or fails."""
    words = ["--kernel", args.kernel, "--base", f"{args.build}/initramfs.cpio", "--program", f"{args.build}/bench"]
    done = subprocess.run([sys.executable, BENCH, *words], capture_output=True, text=True)
    return [] if done.returncode == 0 else [f"exit status {done.returncode}", *done.stderr.splitlines()]


def main(argv: List[str]) -> int:
    qemu.end_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=sorted(PROGRAMS), required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--build", required=True, help="where the programs and archives are")
    parser.add_argument("words", nargs="*")
    args = parser.parse_args(argv)
    only = word(args.words, "only=")
    tests = {program.name: (lambda p=program: run_program(args, p)) for program in PROGRAMS[args.mode]}
    tests["vmtour"] = lambda: run_tour(args)
    tests["own"] = lambda: run_own(args)
    if args.mode == "two-level":
        tests["refused"] = lambda: run_refused(args)
    tests["bench"] = lambda: run_bench(args)
    tap = Tap()
    for name, run in tests.items():
        if only in name:
            notes = run()
            tap.add(Result(f"program.{args.mode}.{name}", not notes, None, notes))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
