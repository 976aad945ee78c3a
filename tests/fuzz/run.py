#!/usr/bin/env python3
"""run.py - runs the fuzz targets: a little in the tests, long by scripts/fuzz.

    run.py --test build/tests/fuzz/fuzz-pae ...   replays the corpus and runs on from it, always in the same way; a
                                                  TAP line for each target and program
    run.py --skip REASON                          for programs that could not be built
    scripts/fuzz NAME --minutes 20                target NAME, in both paging modes by turns; NAME may be `all`
    scripts/fuzz NAME --mode pae --machine holes  in one mode, on one of the machines of tests/host/configs.c
    scripts/fuzz NAME --string FILE               one string alone: what a finding left behind
    scripts/fuzz --remake --minutes 5 NAME        makes tests/fuzz/corpus/NAME anew from seeds.py and what turns up

A finding is a string with which a target's program ended; it is kept in build/fuzz/findings, and its last lines shown.
"""
from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import List, NamedTuple, Optional, Tuple

ROOT = Path(__file__).resolve().parent.parent.parent
CORPUS = Path(__file__).resolve().parent / "corpus"
WORK = ROOT / "build" / "fuzz"  # what long runs found: strings that go new ways, and findings
sys.path.insert(0, str(ROOT / "tests" / "boot"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from seeds import seeds_of  # noqa: E402
from tap import Result, Tap  # noqa: E402

MODES = ("two-level", "pae")
# Strings of a short run behind the corpus, and the most bytes of a string: some targets take long for each.
TARGETS = {
    "container": (1500, 1024),
    "cpio": (1500, 4096),
    "elf": (1500, 4096),
    "frame": (150, 512),
    "memmap": (4000, 4096),
    "multiboot2": (40000, 4096),
    "pgtable": (150, 768),
    "pvh": (40000, 4096),
    "space": (600, 512),
}
SEED = 1
NOTES = re.compile(r"# (panic|sim)|ERROR:|check_|containers:|runtime error:|Test unit written")
EXECUTED = re.compile(rb"stat::number_of_executed_units:\s*(\d+)")
SLOWEST = 60  # seconds for one string


class Run(NamedTuple):
    status: int
    executed: int
    notes: List[str]


def base_command(program: Path, target: str, machine: str = "") -> List[str]:
    command = [str(program), f"--target={target}", f"-max_len={TARGETS[target][1]}", f"-timeout={SLOWEST}"]
    return command + ([f"--machine={machine}"] if machine else [])


def run(command: List[str]) -> Run:
    done = subprocess.run(
        [*command, "-print_final_stats=1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    lines = done.stdout.decode(errors="replace").splitlines()
    notes = [line for line in lines if NOTES.search(line)] or lines[-20:]
    return Run(done.returncode, sum(map(int, EXECUTED.findall(done.stdout))), notes)


def short_run(program: Path, target: str) -> Tuple[bool, List[str]]:
    """Replays the corpus, then goes on from it with a fixed seed: the same strings every time."""
    kept = sorted((CORPUS / target).iterdir()) if (CORPUS / target).is_dir() else []
    if not kept:
        return False, [f"no corpus in {CORPUS / target}"]
    with tempfile.TemporaryDirectory() as scratch:
        command = [*base_command(program, target), f"-seed={SEED}", f"-runs={TARGETS[target][0]}", "-len_control=0"]
        result = run([*command, f"-artifact_prefix={scratch}/", scratch, str(CORPUS / target)])
        left = [p for p in Path(scratch).iterdir() if re.match("(crash|timeout|oom|leak)-", p.name)]
        notes = [f"{p.name}: {p.read_bytes().hex()}" for p in left]
    enough = result.executed >= min(len(kept), TARGETS[target][0])
    return result.status == 0 and enough, [f"{result.executed} strings", *result.notes, *notes]


def test(programs: List[Path]) -> int:
    tap = Tap()
    for program in programs:
        for target in TARGETS:
            ok, notes = short_run(program.resolve(), target)
            tap.add(Result(f"{program.name}.{target}", ok, None, notes))
            tap.note(notes[0])
    return tap.finish()


def program_of(mode: str) -> Path:
    return ROOT / "build" / "tests" / "fuzz" / f"fuzz-{mode}"


def long_run(target: str, mode: str, machine: str, seconds: float) -> Run:
    """Runs until the time is over, behind each finding too."""
    corpus, findings = WORK / target, WORK / "findings"
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    command = [*base_command(program_of(mode), target, machine), "-len_control=0", "-reload=0"]
    command += [f"-artifact_prefix={findings}/{target}-{mode}-"]
    command += [str(corpus), str(CORPUS / target)] if (CORPUS / target).is_dir() else [str(corpus)]
    end = time.monotonic() + seconds
    executed, notes, found = 0, [], 0
    while time.monotonic() < end:
        result = run([*command, f"-max_total_time={max(1, int(end - time.monotonic()))}"])
        executed += result.executed
        if result.status:
            found += 1
            notes += result.notes
        if found == 10:
            break
    return Run(found, executed, notes)


def run_long(args: argparse.Namespace) -> int:
    failed = 0
    for target in args.targets:
        for mode in args.modes:
            minutes = args.minutes / len(args.modes)
            result = long_run(target, mode, args.machine, 60 * minutes)
            failed += result.status
            counts = f"{result.executed} strings in {minutes:g} minutes, {result.status} findings"
            print(f"{target} {mode}: {counts}", flush=True)
            for note in result.notes:
                print(f"    {note}")
    return 1 if failed else 0


def merge(target: str, source: List[Path], out: Path) -> None:
    """Copies of the source strings those that go new ways, as few as libFuzzer finds."""
    for mode in MODES:
        command = [*base_command(program_of(mode), target), "-merge=1", "-use_counters=0"]
        subprocess.run([*command, str(out), *map(str, source)], stderr=subprocess.DEVNULL, check=True)


def remake(args: argparse.Namespace) -> int:
    for target in args.targets:
        shutil.rmtree(CORPUS / target, ignore_errors=True)
        (WORK / target).mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds_of(target)):
            (WORK / target / f"seed-{number}").write_bytes(seed)
        args.targets, before = [target], args.targets
        failed = args.minutes and run_long(args)
        args.targets = before
        if failed:
            return 1
        (CORPUS / target).mkdir(parents=True)
        merge(target, [WORK / target], CORPUS / target)
        files = list((CORPUS / target).iterdir())
        print(f"{target}: {len(files)} strings, {sum(f.stat().st_size for f in files)} bytes", flush=True)
    return 0


def show_string(args: argparse.Namespace) -> int:
    status = 0
    for mode in args.modes:
        command = [*base_command(program_of(mode), args.targets[0], args.machine), args.string]
        status |= subprocess.run(command).returncode
    return 1 if status else 0


def parse_arguments(argv: Optional[List[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", nargs="?", default="all", choices=[*TARGETS, "all"])
    parser.add_argument("--minutes", type=float, default=20, help="for each target (default: 20)")
    parser.add_argument("--mode", choices=MODES, help="one paging mode (default: both by turns)")
    parser.add_argument("--machine", default="", help="the simulated machine (default: a small one of its own)")
    parser.add_argument("--string", metavar="FILE", help="run this string alone")
    parser.add_argument("--remake", action="store_true", help="make the corpus anew")
    parser.add_argument("--test", nargs="+", type=Path, metavar="PROGRAM", help=argparse.SUPPRESS)
    parser.add_argument("--skip", metavar="REASON", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    args.targets = list(TARGETS) if args.target == "all" else [args.target]
    args.modes = [args.mode] if args.mode else list(MODES)
    return args


def main() -> int:
    args = parse_arguments()
    if args.skip:
        return Tap().skip_all(args.skip)
    if args.test:
        return test(args.test)
    if args.string:
        return show_string(args)
    return remake(args) if args.remake else run_long(args)


if __name__ == "__main__":
    sys.exit(main())
