#!/usr/bin/env python3
"""prove.py - proves mm/quota.[ch] with Frama-C WP; one TAP line for each part of the proof. Behind scripts/prove.

With --mutants it changes the code one place at a time; a line for each change, which passes when a goal fails.
"""
from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "boot"))

from tap import Result, Tap  # noqa: E402

TOOLS = ("frama-c", "why3", "z3", "cvc4")
FILES = ("mm/quota.h", "mm/quota.c")
NOT_OURS = "vpn_of,vaddr_of,paddr_of"  # lib/types.h comes along
SECONDS, MUTANT_SECONDS = 20, 6  # for a goal; those of the unchanged code take 5 at most

# What a store into one array says of the others hides the sums from the provers, so the addresses go separately.
PARTS: Dict[str, List[str]] = {
    "arithmetic": ["-wp-rte", "-rte-no-mem", "-warn-unsigned-overflow"],
    "memory": ["-wp-rte", "-wp-prop=mem_access"],
    "contracts_can_hold": ["-wp-smoke-tests", "-wp-prop=@smoke"],
}
GOALS = re.compile(r"\[wp\] Proved goals:\s+(\d+) / (\d+)")
FAILED = re.compile(
    r"\[wp\] \[(?:Failed|Timeout)\S*\] (?:Goal|Smoke Test) .*"
    r"|\[wp\] \[\S+ [\d.]+\] Goal .*: (?!Valid).*"
)


class Outcome(NamedTuple):
    proved: int
    goals: int
    notes: List[str]

    @property
    def complete(self) -> bool:
        return 0 < self.goals == self.proved


def frama_c(tree: Path, options: List[str], seconds: int, config: str) -> Outcome:
    command = ["frama-c", "-machdep", "gcc_x86_32", f"-cpp-extra-args=-I{tree} -I{ROOT} -idirafter /usr/include"]
    command += ["-wp", "-wp-prover", "cvc4,z3", "-wp-timeout", str(seconds), "-wp-par", str(os.cpu_count() or 1)]
    command += ["-wp-skip-fct", NOT_OURS, *options, str(tree / "mm" / "quota.c")]
    environment = {**os.environ, "WHY3CONFIG": config, "FRAMAC_SESSION": f"{config}.session"}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    found = GOALS.search(done.stdout)
    if done.returncode != 0 or not found:
        return Outcome(0, 0, [f"frama-c ended with status {done.returncode}", *done.stdout.splitlines()[-20:]])
    failed = [line for line in done.stdout.splitlines() if FAILED.match(line)]
    return Outcome(int(found.group(1)), int(found.group(2)), failed)


def prove(tap: Tap, config: str) -> None:
    for name, options in PARTS.items():
        outcome = frama_c(ROOT, options, SECONDS, config)
        count = f"{outcome.proved} of {outcome.goals} goals"
        tap.add(Result(f"proof.quota_{name}", outcome.complete, None, [count, *outcome.notes]))
        tap.note(f"{name}: {count}")


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
)


def mutants() -> Iterator[Mutant]:
    for path in FILES:
        function, inside = "", False
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").split("\n")):
            named = re.match(r"[\w ]+[ *](quota_\w+)\(", line)
            function = named.group(1) if named else function
            inside = line == "{" or inside and line != "}"
            if inside and line.startswith("\t") and "/*" not in line:
                yield from mutants_of(path, number, function, line)


def mutants_of(path: str, number: int, function: str, line: str) -> Iterator[Mutant]:
    declares = re.match(r"\tuint32_t ", line)
    for pattern, text in CHANGES:
        changed = re.sub(pattern, text, line, count=1)
        if changed != line and not (declares and changed == "\t;"):
            yield Mutant(path, number, function, changed)


def try_mutant(mutant: Mutant, config: str) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "mm", Path(folder) / "mm")
        path = Path(folder) / mutant.path
        lines = path.read_text(encoding="utf-8").split("\n")
        lines[mutant.line] = mutant.text
        path.write_text("\n".join(lines), encoding="utf-8")
        outcome = frama_c(Path(folder), [*PARTS["arithmetic"], "-wp-fct", mutant.function], MUTANT_SECONDS, config)
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
    parser.add_argument("--list", action="store_true", help="show the mutants")
    arguments = parser.parse_args()
    if arguments.list:
        for mutant in mutants():
            print(f"{mutant.path}:{mutant.line + 1}: {mutant.function}: {mutant.text.strip()}")
        return 0
    tap = Tap()
    lacking = missing()
    if lacking:
        return tap.skip_all(lacking)
    with tempfile.TemporaryDirectory() as folder:
        config = f"{folder}/why3.conf"
        subprocess.run(["why3", "config", "detect"], env={**os.environ, "WHY3CONFIG": config}, capture_output=True)
        prove(tap, config)
        for mutant in mutants() if arguments.mutants else ():
            tap.add(try_mutant(mutant, config))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
