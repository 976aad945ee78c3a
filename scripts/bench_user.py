#!/usr/bin/env python3
"""bench_user.py - runs user/bench.c on Quire and on Debian's Linux in QEMU; behind scripts/bench --user.

    bench_user.py --base build/user/initramfs.cpio --program build/user/bench --kernel build/quire.elf
    bench_user.py ... --fetch build/i386      with Linux's column; without --kernel, only that
"""
from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional

ROOT = Path(__file__).resolve().parent.parent
COUNTING = ["-icount", "shift=0,sleep=off", "-seed", "1", "-rtc", "base=2020-01-01,clock=vm"]
# Linux at its quickest: without what protects, watches or shares out, and always at the same addresses.
TUNED = ["init_on_alloc=0", "lsm=", "audit=0", "cgroup_disable=memory", "preempt=none", "mitigations=off", "norandmaps"]
LINUX_WORDS = ["console=ttyS0", "quiet", "panic=-1", *TUNED, "--", "/bin/bench"]
QUIRE_WORDS = ["selftest=off", "seed=1", "--", "/bin/bench"]
LIMIT = 900

Figures = Dict[str, int]


@dataclass
class Row:
    key: str
    what: str
    bound: str  # what no kernel goes below
    goal: Optional[int]
    least: bool = False  # the least of all runs is shown, not their mean
    more: bool = False  # more is better


ROWS = [
    Row("getppid", "getppid, int 0x80", "8", 70, least=True),
    Row("write_fault", "write fault on an untouched page (minimum)", "1041", 1250, least=True),
    Row("read_fault", "read fault on an untouched page", "13", 150, least=True),
    Row("mmap_touch_munmap", "mmap a page, touch, munmap", "", 2300),
    Row("munmap_page", "munmap per touched page", "", 100),
    Row("mprotect_and_back", "mprotect a page in 4 MiB and back", "", 2000),
    Row("brk_touch_brk", "brk a page up, touch, down", "", 2200),
    Row("cow_fault", "copy-on-write fault", "1041", 1350, least=True),
    Row("fork_exit_wait", "fork + exit + wait, small process", "", 15000),
    Row("fork_touched_page", "the same, each touched page more", "", 40),
    Row("fork_exec_wait", "fork + execve static + wait", "", 45000),
    Row("file_page", "private file page read, per page with fault-around", "", 100),
    Row("pipe_round_trip", "pipe round trip between two processes", "16", 2000),
    Row("at_10_areas", "mmap + fault + munmap at 10 areas", "", None),
    Row("at_10000_areas", "mmap + fault + munmap at 10 000 areas", "", None),
    Row("free_kib", "free memory at -m 64 when a small init runs, KiB", "", 62000, more=True),
]


def read(output: str) -> Dict[str, List[int]]:
    lines = [line.split() for line in output.splitlines() if line.startswith("bench: ")]
    if ["bench:", "done"] not in lines:
        raise RuntimeError("no complete report:\n" + "\n".join(output.splitlines()[-20:]))
    return {words[1]: [int(word) for word in words[2:]] for words in lines if len(words) == 4}


def measure(kernel: str, words: List[str], initramfs: str) -> Figures:
    command = ["qemu-system-i386", "-kernel", kernel, "-initrd", initramfs, "-append", " ".join(words)]
    command += ["-cpu", "qemu32,+pse36", "-m", "64M", *COUNTING, "-display", "none", "-monitor", "none"]
    command += ["-serial", "stdio", "-nic", "none", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT)
    figures = read(done.stdout.decode(errors="replace"))
    return {row.key: figures[row.key][0 if row.least else 1] for row in ROWS}


def cell(row: Row, value: int) -> str:
    if row.goal is None:
        return str(value)
    met = value >= row.goal if row.more else value <= row.goal
    return f"{value} {'meets' if met else 'misses'} {row.goal}"


def table(linux: Optional[Figures], quire: Optional[Figures]) -> List[str]:
    heads = ["operation", *(["Linux"] if linux else []), "bound", *(["Quire"] if quire else [])]
    heads += ["Linux / Quire"] if linux and quire else []
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1)]
    for row in ROWS:
        cells = [row.what, *([str(linux[row.key])] if linux else []), row.bound]
        cells += [cell(row, quire[row.key])] if quire else []
        cells += [f"{linux[row.key] / max(quire[row.key], 1):.1f}"] if linux and quire else []
        lines.append(cells)
    text = ["| " + " | ".join(line) + " |" for line in lines]
    for name, figures in (("Linux", linux), ("Quire", quire)):
        if figures:
            ratio = figures["at_10000_areas"] / max(figures["at_10_areas"], 1)
            text.append(f"{name}: 10 000 areas cost {ratio:.2f} times what 10 cost (goal: 1.3)")
    return text


def reference(asked: argparse.Namespace) -> str:
    if not asked.fetch:
        return asked.linux
    fetch = [str(ROOT / "scripts/fetch-i386"), asked.fetch, "linux"]
    return subprocess.run(fetch, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--linux", help="a kernel of Linux for i386", default="")
    where.add_argument("--fetch", metavar="FOLDER", help="where Debian's is fetched to and kept")
    parser.add_argument("--base", required=True, help="the initramfs")
    parser.add_argument("--program", required=True, help="user/bench.c, built")
    parser.add_argument("--kernel", help="Quire's")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="quire-bench-") as folder:
            both = str(Path(folder) / "initramfs.cpio")
            make = [str(ROOT / "scripts/make-initramfs"), "--strip", "llvm-strip", "--base", asked.base, both]
            subprocess.run([*make, f"bin/bench={asked.program}"], check=True)
            kernel = reference(asked)
            linux = measure(kernel, LINUX_WORDS, both) if kernel else None
            quire = measure(asked.kernel, QUIRE_WORDS, both) if asked.kernel else None
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print("\n".join(table(linux, quire)))
    if asked.json:
        asked.json.write_text(json.dumps({"linux": linux, "quire": quire}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
