#!/usr/bin/env python3
"""prove.py - proves mm/quota.[ch] with Frama-C WP; one TAP line for each part of the proof. Behind scripts/prove.

With --mutants it then changes the code one place at a time; a line for each change, which passes when a goal fails.
"""
from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "boot"))

from tap import Result, Tap  # noqa: E402

TOOLS = ("frama-c", "why3", "cvc4")
FILES = ("mm/quota.h", "mm/quota.c")
NOT_OURS = "vpn_of,vaddr_of,paddr_of"  # lib/types.h comes along
# What the prover may do for a goal: its own steps and its own seconds, which other load does not touch. The unchanged
# code takes 140000 steps and 3 seconds at most.
LIMITS = ["-wp-steps", "400000", "-wp-timeout", "30"]
MUTANT_LIMITS = ["-wp-steps", "200000", "-wp-timeout", "6"]
SAMPLE = 10  # by --sample one mutant in so many is tried

# What a store into one array says of the others hides the sums from the prover, so the addresses go separately.
ARITHMETIC = ["-wp-rte", "-rte-no-mem", "-warn-unsigned-overflow"]
PARTS: Dict[str, List[str]] = {
    # With them: no precondition, assumption or loop invariant is found contradictory, by which all could be proved.
    "arithmetic": [*ARITHMETIC, "-wp-smoke-tests", "-wp-no-smoke-dead-code", "-wp-smoke-timeout", "1"],
    "memory": ["-wp-rte", "-wp-prop=mem_access"],
}
GOALS = re.compile(r"\[wp\] Proved goals:\s+(\d+) / (\d+)")
FAILED = re.compile(r"\[wp\] \[(?!Qed|Passed)[^]]+\] (?!.* : Valid)(Goal|Smoke-test) .*")


class Outcome(NamedTuple):
    proved: int
    goals: int
    notes: List[str]

    @property
    def complete(self) -> bool:
        return 0 < self.goals == self.proved


class FramaC:
    """The tools, set up in a folder that goes when they are done."""

    def __init__(self, folder: str) -> None:
        self.environment = {**os.environ, "WHY3CONFIG": f"{folder}/why3.conf", "FRAMAC_SESSION": folder}
        subprocess.run(["why3", "config", "detect"], env=self.environment, capture_output=True)

    def run(self, tree: Path, options: List[str], until_failure: bool = False) -> Outcome:
        command = ["frama-c", "-machdep", "gcc_x86_32", f"-cpp-extra-args=-I{tree} -I{ROOT} -idirafter /usr/include"]
        command += ["-wp", "-wp-prover", "cvc4", "-wp-par", "2", "-wp-skip-fct", NOT_OURS]
        with subprocess.Popen(
            [*command, *options, str(tree / "mm" / "quota.c")],
            cwd=tree,  # where Frama-C looks for included files first
            env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as process:  # fmt: skip
            lines: List[str] = []
            for line in process.stdout or ():
                lines.append(line.rstrip())
                if until_failure and FAILED.match(line):
                    process.terminate()  # the provers end with it
                    return Outcome(0, 1, [lines[-1]])
        found = GOALS.search("\n".join(lines))
        if process.returncode != 0 or not found:
            return Outcome(0, 0, [f"frama-c ended with status {process.returncode}", *lines[-20:]])
        return Outcome(int(found.group(1)), int(found.group(2)), [line for line in lines if FAILED.match(line)])


def prove(tap: Tap, tools: FramaC) -> None:
    for name, options in PARTS.items():
        start = time.monotonic()
        outcome = tools.run(ROOT, [*options, *LIMITS])
        count = f"{outcome.proved} of {outcome.goals} goals"
        tap.add(Result(f"proof.quota_{name}", outcome.complete, None, [count, *outcome.notes]))
        tap.note(f"{name}: {count}, {time.monotonic() - start:.0f} s")


class Mutant(NamedTuple):
    path: str
    line: int  # from 0
    function: str
    text: str


# Each changes the first match in a line, and the second where there are two.
CHANGES: Tuple[Tuple[str, str], ...] = (
    (r"^\t[^=]*\S.*[-+]?=[^=].*;$|^\t.*(\+\+|--);$", "\t;"),
    (r"\+=", "-="),
    (r"-=", "+="),
    (r"\+\+;", "--;"),
    (r"--;", "++;"),
    (r" - ", " + "),
    (r" > ", " >= "),
    (r" <= ", " < "),
    (r"\btrue\b", "false"),
    (r"\bfalse\b", "true"),
    (r"\bUINT32_MAX\b", "(UINT32_MAX - 1)"),
    (r" = 0;", " = 1;"),
    (r" = n;", " = n + 1;"),
    (r" = (parent|quota|up);", r" = \1 + 1;"),
    (r"\[(i|up|child|parent)\]( [-+]?=|\+\+|--)", r"[0]\2"),
    (r"([-+]?= )(q->quota\[\w+\]|n);", r"\1\2 + 1;"),
    (r"q->parent\[(\w+)\](;|\])", r"\1\2"),
)


def mutants() -> Iterator[Mutant]:
    for path in FILES:
        function, inside = "", False
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").split("\n")):
            named = re.match(r"[\w ]+[ *](quota_\w+)\(", line)
            function = named.group(1) if named else function
            inside = line == "{" or inside and line != "}"
            if inside and line.startswith("\t") and "/*" not in line:
                yield from dict.fromkeys(mutants_of(path, number, function, line))


def mutants_of(path: str, number: int, function: str, line: str) -> Iterator[Mutant]:
    declares = re.match(r"\tuint32_t ", line)
    for pattern, text in CHANGES:
        changed = re.sub(pattern, text, line, count=1)
        if changed != line and not (declares and changed == "\t;"):
            yield Mutant(path, number, function, changed)


def try_mutant(mutant: Mutant, tools: FramaC) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "mm", Path(folder) / "mm")
        path = Path(folder) / mutant.path
        lines = path.read_text(encoding="utf-8").split("\n")
        lines[mutant.line] = mutant.text
        path.write_text("\n".join(lines), encoding="utf-8")
        options = [*ARITHMETIC, "-wp-fct", mutant.function, *MUTANT_LIMITS]
        outcome = tools.run(Path(folder), options, until_failure=True)
    name = f"proof.{mutant.path}:{mutant.line + 1}:{mutant.text.strip()}"
    if outcome.goals == 0:
        return Result(name, False, None, outcome.notes)
    return Result(name, not outcome.complete, None, ["every goal is proved of this mutant too"])


def missing() -> Optional[str]:
    lacking = [tool for tool in TOOLS if not shutil.which(tool)]
    return f"{', '.join(lacking)} not installed" if lacking else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mutants", action="store_true", help="demand that a goal fails for each changed line")
    parser.add_argument("--sample", action="store_true", help=f"the same for one change in {SAMPLE}")
    parser.add_argument("--list", action="store_true", help="show the mutants")
    arguments = parser.parse_args()
    chosen = list(mutants())[:: SAMPLE if arguments.sample else 1]
    if arguments.list:
        for mutant in chosen:
            print(f"{mutant.path}:{mutant.line + 1}: {mutant.function}: {mutant.text.strip()}")
        return 0
    tap = Tap()
    lacking = missing()
    if lacking:
        return tap.skip_all(lacking)
    with tempfile.TemporaryDirectory() as folder:
        tools = FramaC(folder)
        prove(tap, tools)
        for mutant in chosen if arguments.mutants or arguments.sample else ():
            tap.add(try_mutant(mutant, tools))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
