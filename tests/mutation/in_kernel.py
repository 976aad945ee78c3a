"""in_kernel.py - judges mutants in the kernels: one after the other, in a copy of the tree that is built without what
makes the link slow, booted in QEMU with the facts, with all suites, and with processes that come and go.

A boot is what its results were and how it ended; what is otherwise than without a change has noticed the mutant. It is
stopped at the first result that is wrong.
"""
from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Dict, List, NamedTuple

import qemu
from ktap import STATUS_PASS, Ending
from mutate import BROKEN, KILLED, ROOT, SAME, SURVIVED, Mutant, Outcome

ARCHIVE = "user/initramfs-tests.cpio"
KERNELS = {"quire.elf": "", "quire-pae.elf": "max"}  # and the CPU: QEMU's own choice, and one that has everything
RESULT = re.compile(r"^ *(?:not )?ok \d+ \w+", re.M)
WRONG = re.compile(r"^ *not ok \d+ (\w+).*\n", re.M)
ENDED_WELL = 1  # QEMU's status for a first program's 0
SILENCE = 20.0  # seconds; what says nothing for so long is hung


class Scenario(NamedTuple):
    words: str
    status: int  # of QEMU


# What notices most comes first.
SCENARIOS = (
    Scenario("selftest=off -- /bin/facts", ENDED_WELL),
    Scenario("test", STATUS_PASS),
    Scenario("selftest=off -- /bin/churn 300", ENDED_WELL),
)


class Wrong(Exception):
    """A result that is wrong: no need to wait for more."""


def until_wrong():
    """For qemu.run: what it calls with each piece of text, which may end in the middle of a line."""
    text = ""

    def hear(piece: str) -> None:
        nonlocal text
        text = text[-200:] + piece
        wrong = WRONG.search(text.replace("\r", ""))
        if wrong:
            raise Wrong(wrong.group(1))

    return hear


class Kernels:
    """A context: it has a tree of its own."""

    def __init__(self, build: Path) -> None:
        self.build = build.resolve()
        self.lock = threading.Lock()
        self.plain: Dict[str, bytes] = {}  # kernels without a change, and what each boot of them said
        self.said: Dict[object, List[str]] = {}

    def __enter__(self) -> "Kernels":
        self.folder = tempfile.TemporaryDirectory(prefix="mutate-")
        self.tree = Path(self.folder.name) / "tree"
        shutil.copytree(ROOT, self.tree, ignore=shutil.ignore_patterns("build*", ".git"))
        (self.tree / "build").mkdir()
        (self.tree / "build" / "i386").symlink_to(self.build / "i386")  # nothing is fetched again
        # A warning is no error here: a mutant may well leave something unused.
        options = ["-Dwerror=false", "-Doptimization=g", "-Ddebug=false"]
        if not self.command("ninja", "-C", str(self.build), ARCHIVE):
            raise RuntimeError(f"there are no programs in {self.build}")
        shutil.copy(self.build / ARCHIVE, self.tree / "archive")
        self.command("meson", "setup", "build", "--cross-file", "cross/i686.ini", *options)
        for kernel in KERNELS:
            self.learn(kernel)
        return self

    def learn(self, kernel: str) -> None:
        """What it is and does without a change, with which it must pass."""
        if not self.make(kernel):
            raise RuntimeError(f"{kernel} does not build without any change")
        self.plain[kernel] = self.bytes_of(kernel)
        for scenario in SCENARIOS:
            said = self.boot(kernel, scenario)
            if said[-1] != Ending(scenario.status).text():
                raise RuntimeError(f"without any change, {kernel} {scenario.words}: {said[-1]}")
            self.said[kernel, scenario] = said

    def __exit__(self, *_: object) -> None:
        self.folder.cleanup()

    def command(self, *words: str) -> bool:
        nothing = subprocess.DEVNULL
        return subprocess.run(words, cwd=self.tree, stdin=nothing, stdout=nothing, stderr=nothing).returncode == 0

    def make(self, kernel: str) -> bool:
        return self.command("ninja", "-C", "build", kernel)

    def bytes_of(self, kernel: str) -> bytes:
        return (self.tree / "build" / kernel).read_bytes()

    def boot(self, kernel: str, scenario: Scenario) -> List[str]:
        """The results, and how it ended. Raises Wrong."""
        boot = qemu.Boot(
            kernel=str(self.tree / "build" / kernel),
            words=scenario.words.split(),
            initramfs=str(self.tree / "archive"),
            cpu=KERNELS[kernel],
            silence=SILENCE,
        )
        run = qemu.run(boot, until_wrong())
        return [*RESULT.findall("\n".join(run.lines)), run.ending.text()]

    def noticed(self, kernel: str, scenario: Scenario) -> str:
        """Empty when the boot was as it must be."""
        try:
            said = self.boot(kernel, scenario)
        except Wrong as wrong:
            return str(wrong)
        return "" if said == self.said[kernel, scenario] else said[-1]

    def judge(self, m: Mutant) -> Outcome:
        path = self.tree / m.file
        with self.lock:
            before = path.read_text()
            path.write_text(m.apply(before))
            try:
                return self.judge_tree(m)
            finally:
                path.write_text(before)

    def judge_tree(self, m: Mutant) -> Outcome:
        differs = False
        for kernel in KERNELS:
            if not self.make(kernel):
                return Outcome(m, BROKEN, "")
            if self.bytes_of(kernel) == self.plain[kernel]:
                continue
            differs = True
            for scenario in SCENARIOS:
                by = self.noticed(kernel, scenario)
                if by:
                    return Outcome(m, KILLED, f"{kernel} {scenario.words}: {by}")
        return Outcome(m, SURVIVED if differs else SAME, "")
