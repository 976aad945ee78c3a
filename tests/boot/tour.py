"""tour.py - reads what the small init and vmtour print, and says what is missing in it.

What vmtour claims in words is what it found in its own memory; here the pictures are read, and they must show it.
"""
from __future__ import annotations

import re
from typing import Dict, List

from ktap import ESCAPES

CELLS = 8
HOLE, EMPTY = "--", ""
HEADINGS = ["1. Demand-zero", "2. Copy-on-write", "3. Sharing", "4. Growing", "5. Guards"]
ENDED = "The first program ended with status 0."
CLAIMS = 16
CELL = re.compile(r"[0-9a-f]+ [rw]$")
ROW = re.compile(r"  (\S+) +\|(.*)\|$")
AREA = re.compile(r"  ([0-9a-f]{8})  ([r-][w-][x-][sp])  #*\.*\s+(\d+) of +(\d+) pages")
LIMITS = ["the kernel's from here up", "never mapped"]

Rows = Dict[str, List[List[str]]]  # by name, in the order in which they were printed


def sections(lines: List[str]) -> List[List[str]]:
    """What stands before the first heading, behind each of them, and under the picture at the end."""
    parts: List[List[str]] = [[]]
    for line in (ESCAPES.sub("", line).rstrip() for line in lines):
        if any(line.startswith(heading) for heading in [*HEADINGS, "The address space afterwards"]):
            parts.append([])
        parts[-1].append(line)
    return parts


def rows(part: List[str]) -> Rows:
    found: Rows = {}
    for name, cells in (match.groups() for match in map(ROW.match, part) if match):
        found.setdefault(name, []).append([cell.strip() for cell in cells.split("|")])
    return found


def row(found: Rows, name: str, n: int = 0) -> List[str]:
    """A row that is not there is one that fits nothing."""
    cells = found.get(name, [])
    return cells[n] if len(cells) > n and len(cells[n]) == CELLS else ["?"] * CELLS


def frame(cell: str) -> str:
    return cell.split()[0] if CELL.match(cell) else f"no frame in '{cell}'"


def may(cells: List[str], letter: str) -> bool:
    """Each of the cells has a frame, and allows this."""
    return all(CELL.match(cell) and cell.endswith(letter) for cell in cells)


def same(a: List[str], b: List[str]) -> bool:
    return all(CELL.match(cell) for cell in [*a, *b]) and list(map(frame, a)) == list(map(frame, b))


def demand_zero(found: Rows) -> bool:
    before, after = row(found, "mapped"), row(found, "touched")
    untouched = [cell for i, cell in enumerate(after) if i not in (1, 4, 5)]
    return (
        before == [EMPTY] * CELLS
        and untouched == [EMPTY] * 5
        and may(after[1:2], "w")
        and may(after[4:6], "r")
        and same(after[4:5], after[5:6])
    )


def copy_on_write(found: Rows) -> bool:
    parent, child = [row(found, "parent", n) for n in (0, 1)], [row(found, "child", n) for n in (0, 1)]
    return (
        may(parent[0][:4] + child[0][:4], "r")
        and same(parent[0][:4], child[0][:4])
        and len({frame(cell) for cell in parent[0][:4]}) == 4
        and parent[1] == parent[0]
        and may(child[1][1:2], "w")
        and frame(child[1][1]) != frame(parent[1][1])
        and child[1][:1] + child[1][2:] == child[0][:1] + child[0][2:]
    )


def sharing(found: Rows) -> bool:
    shared, private, written = row(found, "shared"), row(found, "private"), row(found, "private", 1)
    return (
        may(shared[:4], "w")
        and shared[4:] == [EMPTY] * 4
        and may(private[:4], "r")
        and same(shared[:4], private[:4])
        and may(written[1:2], "w")
        and frame(written[1]) != frame(shared[1])
        and written[:1] + written[2:] == private[:1] + private[2:]
    )


def growing(found: Rows) -> bool:
    before, after = row(found, "mapped"), row(found, "grown")
    return before == [HOLE] * 7 + [EMPTY] and after[:3] == [HOLE] * 3 and may(after[3:], "w")


def guards(found: Rows) -> bool:
    before, after = row(found, "written"), row(found, "unmapped")
    return (
        may(before[:5], "w")
        and before[5:] == [EMPTY] * 3
        and after[1:3] == [HOLE] * 2
        and after[:1] + after[3:] == before[:1] + before[3:]
    )


SHOWN = [demand_zero, copy_on_write, sharing, growing, guards]


def picture(part: List[str]) -> List[str]:
    """The areas of the address space, those of which all lies between the kernel and page 0."""
    areas = [match.group(1) + match.group(2) for match in map(AREA.match, part) if match]
    resident = [int(match.group(3)) <= int(match.group(4)) for match in map(AREA.match, part) if match]
    limits = [any(limit in line for line in part) for limit in LIMITS]
    strips = any(re.match(r"  [0-9a-f]{8}  [.#]{64}$", line) for line in part)
    return areas if all(limits) and all(resident) and strips else []


def faults(lines: List[str]) -> List[str]:
    """What the console of a boot with the small init lacks; empty when vmtour showed everything and ended well."""
    parts = sections(lines)
    missing = [] if any(ENDED in line for line in lines) else [f"no line '{ENDED}'"]
    missing += [line for line in parts[0] + sum(parts[1:], []) if "NOT SO" in line]
    if len(parts) != len(HEADINGS) + 2:
        return [*missing, f"{len(parts) - 1} parts, not {len(HEADINGS) + 1}"]
    claims = sum(line.startswith("  => ") for part in parts for line in part)
    missing += [] if claims == CLAIMS else [f"{claims} claims, not {CLAIMS}"]
    for heading, part, is_shown in zip(HEADINGS, parts[1:], SHOWN):
        missing += [] if is_shown(rows(part)) else [f"the picture does not show it: {heading}", *part]
    if not picture(parts[0]) or picture(parts[0]) != picture(parts[-1]):
        missing += ["the address space before and afterwards:", *parts[0][-40:], *parts[-1]]
    return missing
