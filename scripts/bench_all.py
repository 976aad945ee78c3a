#!/usr/bin/env python3
"""bench_all.py - runs the kernels' benchmark in QEMU and shows the figures; behind scripts/bench."""
from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Tuple

ROOT = Path(__file__).resolve().parent.parent
KERNELS = {"two-level": "build/quire.elf", "PAE": "build/quire-pae.elf"}
SIZES = {"64M": "64 MiB", "1024M": "1 GiB", "4096M": "4 GiB"}
COUNTING = ["-icount", "shift=0,sleep=off", "-seed", "1", "-rtc", "base=2020-01-01,clock=vm"]
LIMIT = 300
PASSED = 33

Figures = Dict[str, int]


@dataclass
class Row:
    key: str
    what: str
    others: str
    goal: Dict[str, int]  # by mode
    large: Optional[Dict[str, int]] = None  # another goal with 4 GiB


def both(n: int) -> Dict[str, int]:
    return {"two-level": n, "PAE": n}


# What one frame's `rep stosl` counts: 1024 iterations, and the instructions around them.
ZEROING = 1028

ROWS = [
    Row("frame", "allocate + free one frame, not zeroed", "xv6 2521, mCertiKOS 269", both(80)),
    Row("frames_random", "1000 frames, freed in random order, per pair", "", both(150)),
    Row("container_frame", "the same against a container", "mCertiKOS 463", both(120)),
    Row("alloc_page", "alloc_page: charge, zeroed frame, map", "mCertiKOS 414 without zeroing", both(ZEROING + 150)),
    Row("unmap_page", "unmap_page with flush and free", "mCertiKOS 144 without both", both(170)),
    Row("map_region", "map_region, 4 KiB pages, per page", "xv6 about 130", {"two-level": 15, "PAE": 25}),
    Row("directory", "pdir_init and vm_free, empty", "xv6 1755294 and 149930", {"two-level": 5000, "PAE": 9000}),
    Row("boot", "first C statement to the seal, printing excluded", "", both(1500000), both(25000000)),
    Row("boot_console", "  the printing in it", "", {}),
    Row("taken_kib", "memory taken by then, KiB", "Linux 6.1 27432, xv6 1652", both(1024), {}),
    Row("latency", "worst of 10^6 random operations", "", both(1000)),
    Row("largest_block_kib", "largest free block at 70 % use, KiB", "", {}),
]


def measure(kernel: str, memory: str) -> Figures:
    command = ["qemu-system-i386", "-kernel", kernel, "-append", "bench", "-cpu", "qemu32,+pse36", "-m", memory]
    command += [*COUNTING, "-display", "none", "-monitor", "none", "-serial", "stdio", "-nic", "none", "-no-reboot"]
    command += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT)
    lines = [line.split() for line in done.stdout.decode(errors="replace").splitlines() if line.startswith("bench: ")]
    if done.returncode != PASSED or ["bench:", "done"] not in lines:
        raise RuntimeError(f"{kernel} with {memory}: status {done.returncode}, no complete report")
    return {words[1]: int(words[2]) for words in lines if len(words) == 3}


def goal_of(row: Row, mode: str, size: str) -> Optional[int]:
    goals = row.large if size == "4096M" and row.large is not None else row.goal
    return goals.get(mode)


def cell(row: Row, mode: str, size: str, figures: Figures) -> str:
    goal = goal_of(row, mode, size)
    value = figures[row.key]
    if goal is None:
        return str(value)
    return f"{value} {'<=' if value <= goal else '>'} {goal}"


def table(results: Dict[Tuple[str, str], Figures]) -> List[str]:
    heads = ["instructions", "others"] + [f"{mode}, {SIZES[size]}" for mode, size in results]
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "---:|" * len(results)]
    for row in ROWS:
        cells = [cell(row, mode, size, figures) for (mode, size), figures in results.items()]
        lines.append(f"| {row.what} | {row.others} | " + " | ".join(cells) + " |")
    return lines


BAR_ROWS = ["frame", "frames_random", "container_frame", "alloc_page", "unmap_page", "latency"]
COLOURS = {"two-level": "#3465a4", "PAE": "#c17d11", "goal": "#888a85"}


def picture(results: Dict[Tuple[str, str], Figures]) -> str:
    """Bars of the rows with figures of one size, with 64 MiB, each beside its goal."""
    scale = 480 / max(figures[key] for (_, size), figures in results.items() if size == "64M" for key in BAR_ROWS)
    out, y = [], 30
    for row in (r for r in ROWS if r.key in BAR_ROWS):
        out.append(f'<text x="10" y="{y}" font-weight="bold">{row.what}</text>')
        bars = [(mode, results[(mode, "64M")][row.key]) for mode in KERNELS] + [("goal", row.goal["two-level"])]
        for name, value in bars:
            y += 16
            out.append(f'<text x="10" y="{y}">{name}</text><rect x="80" y="{y - 10}" height="11" '
                       f'width="{value * scale:.1f}" fill="{COLOURS[name]}"/>'
                       f'<text x="{84 + value * scale:.1f}" y="{y}">{value}</text>')
        y += 26
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{y}" font-family="sans-serif" font-size="12">'
    return "\n".join([head, f'<rect width="640" height="{y}" fill="#ffffff"/>', *out, "</svg>", ""])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--svg", type=Path)
    asked = parser.parse_args()
    sizes = ["64M"] if asked.quick else list(SIZES)
    try:
        results = {(mode, size): measure(path, size) for mode, path in KERNELS.items() for size in sizes}
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print("\n".join(table(results)))
    if asked.json:
        plain = [{"mode": mode, "memory": size, **figures} for (mode, size), figures in results.items()]
        asked.json.write_text(json.dumps(plain, indent=1) + "\n")
    if asked.svg:
        asked.svg.write_text(picture(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
