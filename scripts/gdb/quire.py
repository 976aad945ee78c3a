"""quire.py - gdb commands that read the kernel's own structures. Loaded by `ninja -C build debug`, or by hand:

    (gdb) source scripts/gdb/quire.py

    quire pages [PDIR]            what a directory maps, in runs (default: kernel_pdir)
    quire walk ADDRESS [PDIR]     the entries on the way to an address
    quire frame NUMBER            one frame's descriptor
    quire frames                  frames by zone and by what they serve
    quire containers              the tree of containers
    quire memmap                  the map of physical memory

The formats are those of arch/x86/include/arch/pt_format.h and pte.h, the structures those of mm/*.h. Tables are
read through the direct map, so pages and walk need the kernel to have its own map (after the step "paging on").
"""
from __future__ import annotations

import re
from collections import Counter
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

import gdb
import gdb.types

PAGE = 4096
KERNEL_BASE = 0xC0000000
DESCRIPTORS = {4: 0xF7000000, 8: 0xE8000000}  # by the bytes of an entry; the direct map ends there
DESCRIPTOR = 16
PRESENT, WRITE, USER, NOCACHE, ACCESSED, DIRTY, LARGE, GLOBAL = 1, 2, 4, 0x18, 0x20, 0x40, 0x80, 0x100
NX = 1 << 63


class Format(NamedTuple):
    """The geometry of the running kernel's tables."""

    entry: int  # bytes
    bits: Tuple[int, ...]  # index bits, from level 0 to the root

    def shift(self, level: int) -> int:
        return 12 + sum(self.bits[:level])

    def root(self) -> int:
        return len(self.bits) - 1


def table_format() -> Format:
    wide = gdb.lookup_type("pte_t").sizeof == 8
    return Format(8, (9, 9, 2)) if wide else Format(4, (10, 10))


def number(expression: str) -> int:
    return int(gdb.parse_and_eval(expression)) & 0xFFFFFFFF


def direct_frames() -> int:
    return (DESCRIPTORS[table_format().entry] - KERNEL_BASE) // PAGE


def read_table(frame: int, form: Format, level: int) -> List[int]:
    if frame >= direct_frames():
        raise gdb.GdbError(f"frame {frame:#x} holds a table and is not in the direct map")
    length = form.entry << form.bits[level]
    memory = gdb.selected_inferior().read_memory(KERNEL_BASE + frame * PAGE, length)
    data = bytes(memory)
    return [int.from_bytes(data[i : i + form.entry], "little") for i in range(0, length, form.entry)]


def frame_of(entry: int) -> int:
    return (entry & 0x000FFFFFFFFFF000) >> 12


def is_leaf(entry: int, level: int) -> bool:
    return level == 0 or level == 1 and bool(entry & LARGE)


def rights(entry: int, form: Format) -> str:
    """As in "r-x kernel global": what a leaf allows."""
    executable = not (form.entry == 8 and entry & NX)
    text = f"r{'w' if entry & WRITE else '-'}{'x' if executable else '-'}"
    text += " user" if entry & USER else " kernel"
    text += " global" if entry & GLOBAL else ""
    return text + (" nocache" if entry & NOCACHE else "")


class Run(NamedTuple):
    start: int
    end: int
    frame: int
    what: str


def leaves(frame: int, level: int, base: int, form: Format) -> Iterator[Run]:
    for index, entry in enumerate(read_table(frame, form, level)):
        start = base + (index << form.shift(level))
        if not entry & PRESENT:
            continue
        if is_leaf(entry, level):
            what = rights(entry, form) + (" large" if level else "")
            yield Run(start, start + (1 << form.shift(level)), frame_of(entry), what)
        else:
            yield from leaves(frame_of(entry), level - 1, start, form)


def merged(runs: Iterator[Run]) -> Iterator[Run]:
    """Neighbours that go on in memory as in addresses, with the same rights, become one."""
    last: Optional[Run] = None
    for run in runs:
        if last and follows(last, run):
            last = last._replace(end=run.end)
            continue
        if last:
            yield last
        last = run
    if last:
        yield last


def follows(last: Run, run: Run) -> bool:
    return last.end == run.start and last.what == run.what and last.frame + (last.end - last.start) // PAGE == run.frame


def root_of(directory: str) -> int:
    """The root's frame, of a struct pdir or a pointer to one."""
    value = gdb.parse_and_eval(directory or "kernel_pdir")
    if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
        value = value.dereference()
    root = int(value["root"]["n"])
    if root == 0:
        raise gdb.GdbError(f"{directory or 'kernel_pdir'} has no root yet")
    return root


class Quire(gdb.Command):
    """Commands that read the kernel's structures; `help quire` lists them."""

    def __init__(self) -> None:
        super().__init__("quire", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)


class Pages(gdb.Command):
    """quire pages [PDIR]: what a directory maps, in runs."""

    def __init__(self) -> None:
        super().__init__("quire pages", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument: str, from_tty: bool) -> None:
        form = table_format()
        for run in merged(leaves(root_of(argument), form.root(), 0, form)):
            pages = (run.end - run.start) // PAGE
            print(f"{run.start:08x}-{run.end - 1:08x} {pages:7} pages -> frame {run.frame:#08x}  {run.what}")


class Walk(gdb.Command):
    """quire walk ADDRESS [PDIR]: the entries on the way to an address."""

    def __init__(self) -> None:
        super().__init__("quire walk", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument: str, from_tty: bool) -> None:
        words = gdb.string_to_argv(argument)
        if not words:
            raise gdb.GdbError("quire walk ADDRESS [PDIR]")
        form, address = table_format(), number(words[0])
        frame = root_of(words[1] if len(words) > 1 else "")
        for level in range(form.root(), -1, -1):
            index = address >> form.shift(level) & (1 << form.bits[level]) - 1
            entry = read_table(frame, form, level)[index]
            place = f"level {level} table {frame:#x} entry {index:4}"
            print(f"{place}: {entry:0{form.entry * 2}x} {said(entry, level, form)}")
            if not entry & PRESENT or is_leaf(entry, level):
                return
            frame = frame_of(entry)


def said(entry: int, level: int, form: Format) -> str:
    if not entry & PRESENT:
        return "absent"
    if not is_leaf(entry, level):
        return f"table in frame {frame_of(entry):#x}"
    marks = (" accessed" if entry & ACCESSED else "") + (" dirty" if entry & DIRTY else "")
    return f"maps frame {frame_of(entry):#x} {rights(entry, form)}{marks}"


def descriptor(frame: int) -> Optional[gdb.Value]:
    """frame_desc() of mm/buddy.h; none where the frame has no descriptor."""
    if frame >= number("frame_end"):
        return None
    first = gdb.Value(DESCRIPTORS[table_format().entry]).cast(gdb.lookup_type("struct frame").pointer())
    return (first + frame).dereference()


def state_names() -> Dict[int, str]:
    """What the low bits of a descriptor's tag say: enum frame_state."""
    states = gdb.types.make_enum_dict(gdb.lookup_type("enum frame_state"))
    return {value: name.replace("FRAME_", "").lower() for name, value in states.items()}


class Frame(gdb.Command):
    """quire frame NUMBER: one frame's descriptor."""

    def __init__(self) -> None:
        super().__init__("quire frame", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument: str, from_tty: bool) -> None:
        frame = number(argument)
        found = descriptor(frame)
        if found is None:
            print(f"frame {frame:#x} has no descriptor: no RAM, or not ours yet")
            return
        tag = int(found["tag"])
        print(
            f"frame {frame:#x}: {state_names()[tag & 7]}, order {tag >> 3 & 31}, {tag >> 8} references, "
            f"owner {int(found['owner'])}, next {int(found['next']):#x}, prev {int(found['prev']):#x}"
        )


class Frames(gdb.Command):
    """quire frames: frames by zone and use. Reads every descriptor: slow on a large machine."""

    def __init__(self) -> None:
        super().__init__("quire frames", gdb.COMMAND_DATA, gdb.COMPLETE_NONE)

    def invoke(self, argument: str, from_tty: bool) -> None:
        count, names, direct = [Counter(), Counter()], state_names(), direct_frames()
        for frame, tag in tags():
            state = names[tag & 7]
            count[frame >= direct][state] += block_frames(state, tag)
        for zone, counter in zip(("low", "high"), count):
            print(f"{zone:5}", ", ".join(f"{n} {state}" for state, n in counter.items() if n) or "none")


def block_frames(state: str, tag: int) -> int:
    """The first frame of a block speaks for all of it; tails are counted with it."""
    if state == "tail":
        return 0
    return 1 << (tag >> 3 & 31) if state != "reserved" else 1


def tags() -> Iterator[Tuple[int, int]]:
    """Each descriptor's frame and tag; those of 1024 frames are read at once."""
    inferior, base = gdb.selected_inferior(), DESCRIPTORS[table_format().entry]
    for first in range(0, number("frame_end"), 1024):
        data = bytes(inferior.read_memory(base + first * DESCRIPTOR, 1024 * DESCRIPTOR))
        for i in range(1024):
            yield first + i, int.from_bytes(data[i * DESCRIPTOR + 12 : (i + 1) * DESCRIPTOR], "little")


class Containers(gdb.Command):
    """quire containers: the tree of containers, in pages."""

    def __init__(self) -> None:
        super().__init__("quire containers", gdb.COMMAND_DATA, gdb.COMPLETE_NONE)

    def invoke(self, argument: str, from_tty: bool) -> None:
        table = gdb.parse_and_eval("'container.c'::table")
        fields = gdb.types.make_enum_dict(gdb.lookup_type("enum field"))
        children = {}
        for index in range(int(table["capacity"])):
            if index == 0 or int(table["field"][fields["GENERATION"]][index]) % 2 == 0:
                parent = int(table["field"][fields["PARENT"]][index])
                children.setdefault(parent if index else None, []).append(index)
        print("container                quota      usage        own  children")
        self.show(table, fields, children, (0, 0))

    def show(self, table: gdb.Value, fields: dict, children: dict, at: Tuple[int, int]) -> None:
        index, depth = at
        get = lambda name: int(table["field"][fields[name]][index])  # noqa: E731
        name = f"{'  ' * depth}{index}.{get('GENERATION')}"
        print(f"{name:20}{get('QUOTA'):10}{get('USAGE'):11}{get('USAGE') - get('PROMISED'):11}{get('NCHILDREN'):10}")
        for child in children.get(index, []):
            self.show(table, fields, children, (child, depth + 1))


class MemMap(gdb.Command):
    """quire memmap: what each range of physical memory is."""

    def __init__(self) -> None:
        super().__init__("quire memmap", gdb.COMMAND_DATA, gdb.COMPLETE_NONE)

    def invoke(self, argument: str, from_tty: bool) -> None:
        memmap = gdb.parse_and_eval("boot_info.map")
        count = int(memmap["count"])
        starts = [int(memmap["edge"][i]["start"]) for i in range(count)] + [1 << 64]
        for i in range(count):
            kind = re.sub("^MEM_", "", str(memmap["edge"][i]["kind"])).lower()
            print(f"{starts[i]:016x}-{starts[i + 1] - 1:016x} {(starts[i + 1] - starts[i]) // 1024:12} KiB  {kind}")


for command in (Quire, Pages, Walk, Frame, Frames, Containers, MemMap):
    command()
