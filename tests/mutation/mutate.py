#!/usr/bin/env python3
"""mutate.py - changes mm/, fs/ and pte.h, or files of kernel/, one thing at a time; reports what no test noticed.

    scripts/mutate --minutes 30                        a sample of what the host programs have, within so many minutes
    scripts/mutate --file mm/quota.[ch] kernel/proc.c  these files
    scripts/mutate --seed 2 --jobs 4 --json FILE       another sample; on four cores; the outcomes to a file
    scripts/mutate --kernel                            survivors go to the kernels in QEMU too (in_kernel.py)
    mutate.py --test BUILD                             tests of this program: known.txt, on one machine

Each mutant is compiled into the host programs of both paging modes (mutate-two-level and mutate-pae of tests/host, no
sanitisers), which run the suite of its module, then all on one machine, then all on every machine (fs/ asks them for
nothing but pages: one will do), and at last all on one machine with sanitisers. A file that these programs do not have
goes to the kernels at once. What hangs or crashes is killed. A mutant is not counted where it does not compile, or
where the compiler makes the same code of it. equivalent.txt lists those that no test can kill, and why; these are
reported apart.
"""
from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "boot"))
sys.path.insert(0, str(HERE))
from sites import Mutant, mutants_of  # noqa: E402
from tap import Result, Tap  # noqa: E402

MODES = ("two-level", "pae")
CODEC = "arch/x86/include/arch/pte.h"
# Suites that have another name than their module.
SUITES = {
    "frame_check": "frame",
    "frame_init": "frame",
    "frame_zones": "frame",
    "mmap_advice": "advice",
    "mmap_remap": "mremap",
    "pgtable_run": "mmap",
    "space_check": "space",
}
MACHINES = ("small", "plain", "i486", "holes", "nonx", "lowfew", "high", "full4g", "above4g", "full64g")
PATIENCE = 4  # times as long as without a change, and a little more, is a hang
KILLED, SURVIVED, EQUIVALENT, SAME, BROKEN = "killed", "survived", "equivalent", "same code", "does not compile"


class Outcome(NamedTuple):
    mutant: Mutant
    fate: str
    by: str


Judge = Callable[[Mutant], Outcome]


class Compile(NamedTuple):
    source: str  # from the root
    output: str  # from the build directory
    command: List[str]


class Program:
    """One of the host programs as Meson builds it: how each of its objects is compiled, from what, and the link, for
    which an archive is its objects."""

    def __init__(self, build: Path, name: str) -> None:
        self.build = build
        self.name = f"tests/host/{name}"
        link = self.ninja("commands", "-s", self.name)[-1].split()
        self.objects = [c for part in [self.name, *filter(is_archive, link)] for c in self.compiles(part)]
        self.users = self.dependencies()
        self.link = [word for one in link for word in self.members(one)]

    def ninja(self, *words: str) -> List[str]:
        said = subprocess.run(["ninja", "-t", *words], cwd=self.build, stdout=subprocess.PIPE, check=True)
        return said.stdout.decode().splitlines()

    def members(self, word: str) -> List[str]:
        return [c.output for c in self.objects if c.output.startswith(word + ".p/")] if is_archive(word) else [word]

    def compiles(self, part: str) -> Iterator[Compile]:
        folder = part + ".p/"
        for entry in json.loads((self.build / "compile_commands.json").read_text()):
            if entry["output"].startswith(folder):
                source = os.path.relpath(self.build / entry["file"], ROOT)
                yield Compile(source, entry["output"], entry["command"].split())

    def dependencies(self) -> Dict[str, Set[str]]:
        """Files from the root, and the objects made of each."""
        users: Dict[str, Set[str]] = {}
        output = ""
        for line in self.ninja("deps"):
            if line and not line.startswith(" "):
                output = line.split(":")[0]
            elif line.strip():
                users.setdefault(os.path.relpath(self.build / line.strip(), ROOT), set()).add(output)
        return users

    def made_of(self, file: str) -> List[Compile]:
        return [c for c in self.objects if c.output in self.users.get(file, set())]

    def make(self, file: str, overlay: Path) -> Tuple[Optional[Path], bool]:
        """Builds with overlay/file in the place of file. Returns the program, if it compiles; whether it differs."""
        wanted = self.made_of(file)
        replaced: Dict[str, str] = {}
        differs = False
        for one in wanted:
            out = overlay / Path(one.output).name
            if not self.compile(one, file, overlay, out):
                return None, False
            differs |= out.read_bytes() != (self.build / one.output).read_bytes()
            replaced[one.output] = str(out)
        program = overlay / Path(self.name).name
        link = [replaced.get(word, word) for word in self.link]
        link[link.index("-o") + 1] = str(program)
        if differs:
            subprocess.run(link, cwd=self.build, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return program, differs

    def compile(self, one: Compile, file: str, overlay: Path, out: Path) -> bool:
        command = list(one.command)
        command[command.index("-o") + 1] = str(out)
        command[command.index("-MF") + 1] = str(out) + ".d"
        if one.source == file:
            command[command.index("-c") + 1] = str(overlay / file)
        # <mm/frame.h> and <arch/pte.h> are looked for in the overlay first.
        command[1:1] = ["-w", f"-I{overlay}", f"-I{overlay}/arch/x86/include", f"-ffile-prefix-map={overlay}/="]
        done = subprocess.run(command, cwd=self.build, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return done.returncode == 0


def is_archive(word: str) -> bool:
    return word.endswith(".a")


def run(program: Path, machine: str, suite: str, limit: float) -> Optional[str]:
    """Returns what was wrong with a run: null for nothing."""
    words = [str(program), machine] + ([suite] if suite else [])
    try:
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as p:
            try:
                status = p.wait(limit)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, 9)  # its machines are processes of their own
                return "a time-out"
    except OSError as error:
        return str(error)
    return f"status {status}" if status else None


class Mutator:
    def __init__(self, build: Path, machines: List[str]) -> None:
        self.build = build
        self.programs = {mode: Program(build, f"mutate-{mode}") for mode in MODES}
        self.sanitised = {mode: Program(build, f"host-{mode}-64") for mode in MODES}
        self.machines = machines
        self.limits: Dict[Tuple[str, str, str], float] = {}

    def measure(self, suites: Set[str]) -> None:
        """How long everything takes without a change; it must pass."""
        for mode in MODES:
            program = self.build / self.programs[mode].name
            for machine, suite in [*((m, "") for m in self.machines), *((self.machines[0], s) for s in suites)]:
                start = time.monotonic()
                wrong = run(program, machine, suite, 600)
                if wrong:
                    raise RuntimeError(f"without any change, {mode} on {machine} ends with {wrong}")
                self.limits[mode, machine, suite] = 5 + PATIENCE * (time.monotonic() - start)

    def plan(self, file: str) -> List[Tuple[str, str, str]]:
        """What is run, the quickest that may notice first."""
        suite = suite_of(file)
        first = self.machines[0]
        runs = [(mode, first, suite) for mode in MODES if suite]
        machines = [first] if file.startswith("fs/") else self.machines
        return runs + [(mode, machine, "") for machine in machines for mode in MODES]

    def has(self, file: str) -> bool:
        return any(program.made_of(file) for program in self.programs.values())

    def judge(self, m: Mutant) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="mutate-") as name:
            made = self.make(m, self.programs, Path(name))
            if made is None:
                return Outcome(m, BROKEN, "")
            if not made:
                return Outcome(m, SAME, "")
            by = self.killer(m, made, self.plan(m.file))
            if not by:
                # What reads or writes beside an array may show nowhere else.
                made = self.make(m, self.sanitised, Path(name) / "sanitised") or {}
                by = self.killer(m, made, [(mode, self.machines[0], "") for mode in made])
        return Outcome(m, KILLED if by else SURVIVED, by)

    def make(self, m: Mutant, programs: Dict[str, Program], folder: Path) -> Optional[Dict[str, Path]]:
        """Builds the programs that it changes; none where it does not compile."""
        made: Dict[str, Path] = {}
        for mode, program in programs.items():
            overlay = folder / mode
            (overlay / m.file).parent.mkdir(parents=True)
            (overlay / m.file).write_text(m.apply((ROOT / m.file).read_text()))
            built, differs = program.make(m.file, overlay)
            if not built:
                return None
            if differs:
                made[mode] = built
        return made

    def killer(self, m: Mutant, made: Dict[str, Path], runs: List[Tuple[str, str, str]]) -> str:
        """Returns the first run that goes wrong; an empty string for none."""
        for mode, machine, suite in runs:
            if mode in made:
                slower = 20 if "host-" in made[mode].name else 1
                wrong = run(made[mode], machine, suite, slower * self.limits[mode, machine, suite])
                if wrong:
                    return f"{made[mode].name} {machine} {suite}: {wrong}"
        return ""


def suite_of(file: str) -> str:
    stem = Path(file).stem
    suite = SUITES.get(stem, stem)
    case = re.compile(rf"^KTEST\w*\({suite},", re.M)
    files = [*(ROOT / "tests/ktest").glob("*_test.c"), *(ROOT / "tests/host").glob("*_test.c")]
    return suite if any(case.search(file.read_text()) for file in files) else ""


def listed(name: str) -> Dict[Tuple[str, str, str], str]:
    """Lines of file, before, after, and words about it, with tabs between."""
    found = {}
    for line in (HERE / name).read_text().splitlines():
        if line and not line.startswith("#"):
            file, before, after, why = line.split("\t")
            found[file, before, after] = why
    return found


def key_of(m: Mutant) -> Tuple[str, str, str]:
    return m.file, m.before, m.after


def all_mutants(files: List[str]) -> List[Mutant]:
    return [m for file in files for m in mutants_of(file, (ROOT / file).read_text())]


def default_files() -> List[str]:
    found = [str(p.relative_to(ROOT)) for folder in ("mm", "fs") for p in (ROOT / folder).glob("*.[ch]")]
    return [*sorted(found), CODEC]


class Budget:
    def __init__(self, minutes: float) -> None:
        self.end = time.monotonic() + 60 * minutes

    def is_spent(self) -> bool:
        return time.monotonic() > self.end


def judge_all(judges: List[Judge], mutants: List[Mutant], args: argparse.Namespace) -> List[Outcome]:
    outcomes: List[Outcome] = []
    budget = Budget(args.minutes)
    equivalent = listed("equivalent.txt")

    def one(m: Mutant) -> None:
        if budget.is_spent():
            return
        outcome = judged(judges, m)
        why = equivalent.get(key_of(m))
        if outcome.fate == SURVIVED and why:
            outcome = Outcome(m, EQUIVALENT, why)
        outcomes.append(outcome)
        if outcome.fate == SURVIVED:
            print(describe(outcome), flush=True)
        write_json(args, outcomes)

    with ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(one, mutants))
    return outcomes


def judged(judges: List[Judge], m: Mutant) -> Outcome:
    """What the first says that does not let it live."""
    outcome = Outcome(m, SURVIVED, "")
    for judge in judges:
        if outcome.fate == SURVIVED:
            outcome = judge(m)
    return outcome


def describe(o: Outcome) -> str:
    m = o.mutant
    return f"{m.file}:{m.line}: {o.fate} ({m.kind})\n    - {m.before}\n    + {m.after}"


def summary(outcomes: List[Outcome], of: int) -> List[str]:
    rows = []
    for file in [*sorted({o.mutant.file for o in outcomes}), "all"]:
        fates = Counter(o.fate for o in outcomes if file in ("all", o.mutant.file))
        counted = fates[KILLED] + fates[SURVIVED]
        percent = 100 * fates[KILLED] / counted if counted else 100
        rows.append(
            f"{file:<32} {fates[KILLED]:>5} killed {fates[SURVIVED]:>4} survived {percent:6.1f} % "
            f"{fates[EQUIVALENT]:>4} equivalent, not counted {fates[SAME] + fates[BROKEN]}"
        )
    return [*rows, f"{len(outcomes)} of {of} mutants tried"]


def write_json(args: argparse.Namespace, outcomes: List[Outcome]) -> None:
    (args.json or args.build / "mutants.json").write_text(json.dumps(as_json(list(outcomes)), indent=1) + "\n")


def as_json(outcomes: List[Outcome]) -> List[Dict[str, Any]]:
    return [
        {
            "file": o.mutant.file,
            "line": o.mutant.line,
            "kind": o.mutant.kind,
            "before": o.mutant.before,
            "after": o.mutant.after,
            "fate": o.fate,
            "by": o.by,
        }
        for o in outcomes
    ]


def parse_arguments(argv: Optional[List[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/mutate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30, help="begin no mutant after so many (default: 30)")
    parser.add_argument("--file", action="extend", nargs="+", help="files to change (default: mm/, fs/ and pte.h)")
    parser.add_argument("--seed", type=int, default=1, help="of the order in which they are tried (default: 1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at a time (default: all cores)")
    parser.add_argument("--json", type=Path, help="write the outcomes here (default: build/mutants.json)")
    parser.add_argument("--machine", action="append", choices=MACHINES, help="a machine to run on (default: all)")
    parser.add_argument("--kernel", action="store_true", help="give survivors to the kernels in QEMU")
    parser.add_argument("--again", type=Path, help="try the survivors of an earlier run, from its JSON file")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help=argparse.SUPPRESS)
    parser.add_argument("--test", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def chosen(args: argparse.Namespace) -> List[Mutant]:
    mutants = all_mutants(args.file or default_files())
    if args.again:
        earlier = [e for e in json.loads(args.again.read_text()) if e["fate"] == SURVIVED]
        wanted = {(e["file"], e["before"], e["after"]) for e in earlier}
        mutants = [m for m in mutants if key_of(m) in wanted]
    random.Random(args.seed).shuffle(mutants)
    return mutants


def self_test(build: Path) -> int:
    """Each line of known.txt is a mutant, and its words the fate that it must have."""
    tap = Tap()
    known = listed("known.txt")
    mutator = Mutator(build, ["small"])
    mutants = [m for m in all_mutants(sorted({file for file, _, _ in known})) if key_of(m) in known]
    mutator.measure({suite_of(m.file) for m in mutants} - {""})
    for (file, before, after), fate in known.items():
        outcomes = [mutator.judge(m) for m in mutants if key_of(m) == (file, before, after)]
        fates = {o.fate for o in outcomes}
        notes = [f"- {before}", f"+ {after}", f"wanted {fate}, got {', '.join(fates) or 'no such place'}"]
        tap.add(Result(f"mutate.{Path(file).stem}.{fate}.{tap.count + 1}", fates == {fate}, None, notes))
    return tap.finish()


def find_judges(args: argparse.Namespace, mutants: List[Mutant], stack: ExitStack) -> List[Judge]:
    mutator = Mutator(args.build, args.machine or list(MACHINES))
    here = {m.file for m in mutants if mutator.has(m.file)}
    judges: List[Judge] = []
    if here:
        mutator.measure({suite_of(file) for file in here} - {""})
        judges.append(lambda m: mutator.judge(m) if m.file in here else Outcome(m, SURVIVED, ""))
    if args.kernel or any(m.file not in here for m in mutants):
        from in_kernel import Kernels

        kernels = stack.enter_context(Kernels(args.build))
        judges.append(lambda m: kernels.judge(m) if args.kernel or m.file not in here else Outcome(m, SURVIVED, ""))
    return judges


def main() -> int:
    args = parse_arguments()
    if args.test:
        return self_test(args.build)
    mutants = chosen(args)
    with ExitStack() as stack:
        outcomes = judge_all(find_judges(args, mutants, stack), mutants, args)
    for line in summary(outcomes, len(mutants)):
        print(line)
    write_json(args, outcomes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
