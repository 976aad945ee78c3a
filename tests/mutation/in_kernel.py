"""in_kernel.py - gives mutants that the host programs let live to the kernels: one after the other, in a copy of the
tree, booted in QEMU with all suites."""
from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List

from mutate import KILLED, ROOT, SURVIVED, Outcome

KERNELS = ("quire.elf", "quire-pae.elf")
CPUS = ("", "max")
LIMIT = 900  # seconds, for all suites of one boot


def quietly(command: List[str], tree: Path) -> int:
    nothing = subprocess.DEVNULL
    try:
        done = subprocess.run(command, cwd=tree, stdin=nothing, stdout=nothing, stderr=nothing, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return -1
    return done.returncode


def build(tree: Path) -> bool:
    return quietly(["ninja", "-C", "build", *KERNELS], tree) == 0


def boots(tree: Path) -> str:
    """Returns the boot that failed; an empty string for none."""
    for kernel in KERNELS:
        for cpu in CPUS:
            command = [sys.executable, "tests/boot/run.py", "--kernel", f"build/{kernel}"]
            if quietly(command + (["--cpu", cpu] if cpu else []), tree):
                return f"{kernel} {cpu}".strip()
    return ""


def try_one(o: Outcome, tree: Path) -> Outcome:
    path = tree / o.mutant.file
    before = path.read_text()
    path.write_text(o.mutant.apply(before))
    # What the kernel's stricter warnings refuse was built for the host: no verdict from here.
    by = boots(tree) if build(tree) else ""
    path.write_text(before)
    return Outcome(o.mutant, KILLED, by) if by else o


def try_kernels(outcomes: List[Outcome]) -> List[Outcome]:
    with tempfile.TemporaryDirectory(prefix="mutate-") as name:
        tree = Path(name) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("build*", ".git"))
        # A warning is no error here: a mutant may well leave something unused.
        setup = ["meson", "setup", "build", "--cross-file", "cross/i686.ini", "-Dwerror=false"]
        if quietly(setup, tree) or not build(tree) or boots(tree):
            raise RuntimeError("the kernels fail without any change")
        return [try_one(o, tree) if o.fate == SURVIVED else o for o in outcomes]
