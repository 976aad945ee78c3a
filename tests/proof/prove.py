#!/usr/bin/env python3
"""prove.py - proves what carries contracts with Frama-C WP; one TAP line for each part. Behind scripts/prove.

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

import lemmas  # noqa: E402
from tap import Result, Tap  # noqa: E402

TOOLS = ("frama-c", "why3", "cvc4")
# What the prover may do for a goal: its own steps and its own seconds, which other load does not touch. The unchanged
# code takes 140000 steps and 3 seconds at most.
LIMITS = ["-wp-steps", "400000", "-wp-timeout", "30"]
MUTANT_LIMITS = ["-wp-steps", "200000", "-wp-timeout", "6"]
SAMPLE = 40  # by --sample one mutant in so many is tried

OVERFLOW = ["-wp-rte", "-rte-no-mem", "-warn-unsigned-overflow"]
# With them: no precondition, assumption or loop invariant is found contradictory, by which all could be proved.
SMOKE = ["-wp-smoke-tests", "-wp-no-smoke-dead-code", "-wp-smoke-timeout", "1"]
HOOKS = "arch/x86/include/arch"
TYPES = ("vpn_of", "vaddr_of", "paddr_of", "pages_for")
CODEC = ("lib/types.h", f"{HOOKS}/pt_format.h", f"{HOOKS}/pte.h")
# Functions of it without contracts.
UNPROVED = ("arch_pte_hide", "arch_pte_is_none", "arch_pte_read_only")
# What Frama-C does not know of C11.
DEFINES = ["-DQUIRE_DEBUG=0", "-D_Noreturn=", "'-D_Static_assert(...)=struct static_assertion'"]


class Subject(NamedTuple):
    name: str
    source: str  # what Frama-C reads
    files: Tuple[str, ...]  # what is proved of it, and changed for mutants
    functions: Tuple[str, ...] = ()  # those alone; else all but `others`
    unchanged: Tuple[str, ...] = ()  # functions without mutants
    others: Tuple[str, ...] = ()
    modes: Tuple[int, ...] = (0,)  # of paging: QUIRE_PAE
    memory: bool = False  # accesses too

    def scope(self) -> List[str]:
        if self.functions:
            return ["-wp-fct", ",".join(self.functions)]
        return ["-wp-skip-fct", ",".join(self.others)] if self.others else []

    def parts(self) -> Iterator[Tuple[str, int, List[str]]]:
        for mode in self.modes:
            name = self.name + ("", "_pae")[mode]
            yield f"{name}_arithmetic", mode, [*OVERFLOW, *SMOKE, *([] if self.memory else ["-wp-no-smoke-dead-call"])]
            # What a store into one array says of the others hides sums from the prover, so addresses go separately.
            if self.memory:
                yield f"{name}_memory", mode, ["-wp-rte", "-wp-prop=mem_access"]


SUBJECTS = (
    Subject("quota", "mm/quota.c", ("mm/quota.h", "mm/quota.c"), others=TYPES, memory=True),
    Subject("entries", "tests/proof/codec.c", CODEC, (), UNPROVED, UNPROVED, modes=(0, 1)),
    Subject("blocks", "mm/buddy.c", ("mm/buddy.c",), ("buddy_of", "merged", "block_bits", "is_complete", "pairs")),
    # Of large_fits only what first_piece needs.
    Subject("pieces", "mm/pgtable.c", ("mm/pgtable.c",), ("large_fits", "first_piece"), ("large_fits",), modes=(0, 1)),
)
WITH_LEMMAS = (f"{HOOKS}/pt_proof.h", f"{HOOKS}/pte_proof.h", "tests/proof/codec.c", "mm/buddy_proof.h")
COPIED = ("arch", "lib", "mm", "tests/proof")  # for a mutant
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

    def run(self, subject: Subject, mode: int, tree: Path, options: List[str], until_failure: bool = False) -> Outcome:
        folders = [f"-I{tree}", f"-I{tree}/arch/x86/include", "-idirafter /usr/include"]
        cpp = " ".join([*folders, *DEFINES, f"-DQUIRE_PAE={mode}"])
        command = ["frama-c", "-machdep", "gcc_x86_32", f"-cpp-extra-args={cpp}"]
        command += ["-wp", "-wp-prover", "cvc4", "-wp-par", "2"]
        with subprocess.Popen(
            [*command, *options, str(tree / subject.source)],
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


def prove(tap: Tap, tools: FramaC, subjects: List[Subject]) -> None:
    prove_lemmas(tap)
    for subject in subjects:
        for name, mode, options in subject.parts():
            start = time.monotonic()
            outcome = tools.run(subject, mode, ROOT, [*options, *subject.scope(), *LIMITS])
            count = f"{outcome.proved} of {outcome.goals} goals"
            tap.add(Result(f"proof.{name}", outcome.complete, None, [count, *outcome.notes]))
            tap.note(f"{name}: {count}, {time.monotonic() - start:.0f} s")


def prove_lemmas(tap: Tap) -> None:
    """What the contracts admit of bits; and a lemma that does not hold, which must not be proved."""
    start, count = time.monotonic(), 0
    failed = []
    for path in WITH_LEMMAS:
        for lemma in lemmas.lemmas(ROOT / path):
            proved, answer = lemmas.prove(lemma)
            count += 1
            if not proved:
                failed.append(f"{path}: {lemma.name}: {answer}")
    tap.add(Result("proof.lemmas", not failed, None, failed))
    wrong = lemmas.Lemma("wrong", ["x", "y"], "0 <= x < 16 && 0 <= y <= 16", "((x << 4) | y) == x * 16 + y")
    tap.add(Result("proof.wrong_lemma_is_refused", lemmas.prove(wrong) == (False, "sat"), None, []))
    tap.note(f"lemmas: {count}, {time.monotonic() - start:.0f} s")


class Mutant(NamedTuple):
    subject: Subject
    path: str
    line: int  # from 0
    function: str
    text: str


# Each changes the first match in a line, and the second where there are two.
QUOTA_CHANGES: Tuple[Tuple[str, str], ...] = (
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
BIT_CHANGES: Tuple[Tuple[str, str], ...] = (
    (r"^\t(?!return)(?!.*(==|!=|>= |[^<]<= )).* .?.?= .*;$|^\t.*(\+\+|--);$|^\t\w+\(.*\);$", "\t;"),
    (r" >> ", " << "),
    (r" << ", " >> "),
    (r" >>= ", " <<= "),
    (r" <<= ", " >>= "),
    (r" & ", " | "),
    (r" \| ", " & "),
    (r" \|= ", " &= "),
    (r" &= ", " |= "),
    (r" \^ ", " | "),
    (r" \+ ", " - "),
    (r" - ", " + "),
    (r" \+= ", " -= "),
    (r" == ", " != "),
    (r" != ", " == "),
    (r" < ", " <= "),
    (r" <= ", " < "),
    (r" > ", " >= "),
    (r" >= ", " > "),
    (r" % ", " / "),
    (r" && ", " || "),
    (r" \|\| ", " && "),
    (r"!(?=[\w(])", ""),
    (r"~(?=[\w(])", ""),
    (r" \? ([^()]*) : ([^;,()]*)", r" ? \2 : \1"),
    (r"\b0(u?)\b", r"1\1"),
    (r"\b(?!0\b)(0x[0-9A-Fa-f]+|\d+)(u?)\b(?!\w)", r"(\1\2 + 1)"),
    (r"\btrue\b", "false"),
    (r"\bPTE_(PRESENT|WRITE|USER|LARGE|ACCESSED|DIRTY|AS_PROT)\b", "0x400"),
    (r"\bPTE_NONE\b", "PTE_TABLE"),
    (r"\bPTE_(LEAF|TABLE)\b", "PTE_NONE"),
    (r"\bPAGE_SHIFT\b", "(PAGE_SHIFT - 1)"),
    (r"\bPAGE_SIZE\b", "(PAGE_SIZE + 1)"),
    (r"\bPROT_X\b", "PROT_W"),
    (r"\b(ARCH_\w+_END|ARCH_PTE_FRAME)\b", r"(\1 - 1)"),
)
# Changes that change nothing, and why.
EQUIVALENT = {
    "return next <= end ? next : end;": "where both are the same, either is",
    "f.n % ARCH_LARGE_PAGES == 0 && f.n >= (ARCH_NO_LARGE_END - 1);": "it is a multiple: one less is none",
}


def mutants(subjects: List[Subject]) -> Iterator[Mutant]:
    for subject in subjects:
        for path in subject.files:
            yield from mutants_in(subject, path)


def mutants_in(subject: Subject, path: str) -> Iterator[Mutant]:
    function, inside = "", False
    for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").split("\n")):
        named = re.match(r"[a-z][\w ]+[ *](\w+)\(.*\)$", line)
        function = named.group(1) if named else function
        inside = line == "{" or inside and line != "}"
        proved = (function in subject.functions or not subject.functions) and function not in subject.unchanged
        if re.match(r"#define ARCH_PT_(?!ROOT)|static const \w+ \w+\[", line):
            for text in dict.fromkeys(changes_of(subject, line.split("/*")[0].rstrip())):
                yield Mutant(subject, path, number, "", text)
        elif inside and proved and line.startswith("\t") and "/*" not in line:
            for text in dict.fromkeys(changes_of(subject, line)):
                yield Mutant(subject, path, number, function, text)


def changes_of(subject: Subject, line: str) -> Iterator[str]:
    declares = re.match(r"\t(uint32_t|pte_t|prot_t|vpn_t|unsigned|bool|struct \w+|static const uint32_t) ", line)
    for pattern, text in QUOTA_CHANGES if subject.name == "quota" else BIT_CHANGES:
        for count, match in enumerate(re.finditer(pattern, line)):
            changed = line[: match.start()] + match.expand(text) + line[match.end() :]
            if re.match(r"\t?static const ", line) and match.start() < line.index("="):
                continue  # how long a table is
            if changed != line and changed.strip() not in EQUIVALENT and not (declares and changed == "\t;"):
                yield changed


def try_mutant(mutant: Mutant, tools: FramaC) -> Result:
    name = f"proof.{mutant.path}:{mutant.line + 1}:{mutant.text.strip()}"
    with tempfile.TemporaryDirectory() as folder:
        for copied in COPIED:
            shutil.copytree(ROOT / copied, Path(folder) / copied)
        path = Path(folder) / mutant.path
        lines = path.read_text(encoding="utf-8").split("\n")
        lines[mutant.line] = mutant.text
        path.write_text("\n".join(lines), encoding="utf-8")
        scope = ["-wp-fct", mutant.function] if mutant.function else mutant.subject.scope()
        options = [*OVERFLOW, *scope, *MUTANT_LIMITS]
        for mode in mutant.subject.modes:
            outcome = tools.run(mutant.subject, mode, Path(folder), options, until_failure=True)
            if outcome.goals == 0:
                return Result(name, False, None, outcome.notes)
            if not outcome.complete:
                return Result(name, True, None, [])
    return Result(name, False, None, ["every goal is proved of this mutant too"])


def missing() -> Optional[str]:
    lacking = [tool for tool in TOOLS if not shutil.which(tool)]
    return f"{', '.join(lacking)} not installed" if lacking else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mutants", action="store_true", help="demand that a goal fails for each changed line")
    parser.add_argument("--sample", action="store_true", help=f"the same for one change in {SAMPLE}")
    parser.add_argument("--only", default="", help="the subjects with this in their names")
    parser.add_argument("--list", action="store_true", help="show the mutants")
    arguments = parser.parse_args()
    subjects = [subject for subject in SUBJECTS if arguments.only in subject.name]
    chosen = list(mutants(subjects))[:: SAMPLE if arguments.sample else 1]
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
        prove(tap, tools, subjects)
        for mutant in chosen if arguments.mutants or arguments.sample else ():
            tap.add(try_mutant(mutant, tools))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
