"""seeds.py - the strings that a corpus grows from: such as each reader takes, with a little of everything."""
from __future__ import annotations

import random
import struct
from typing import Callable, Dict, List

PVH_PLACE = 0x1000
HISTORIES, HISTORY_BYTES = 12, 400  # of operations: any string is one


def tag(kind: int, body: bytes) -> bytes:
    return struct.pack("<II", kind, 8 + len(body)) + body + bytes(-len(body) % 8)


def ranges(*triples: "tuple[int, int, int]") -> bytes:
    return b"".join(struct.pack("<QQQ", *t) for t in triples)


PC = ranges((0, 0x9FC00, 1), (0x9FC00, 0x400, 2), (0xF0000, 0x10000, 2), (1 << 20, 0x3EE0000, 1), (0x3FE0000, 99, 3))
ODD = ranges((2**64 - 0x1000, 0x2000, 1), (0x123, 0x4567, 4), (0x1000, 0, 1), (1 << 32, 1 << 33, 1), (0x5000, 7, 5))


def multiboot2() -> List[bytes]:
    memory_map = tag(6, struct.pack("<II", 24, 0) + PC)
    others = [
        tag(1, b"test=frame seed=7\0"),
        tag(1, b"x" * 600),
        tag(2, b"GRUB 2.06\0"),
        tag(3, struct.pack("<II", 0x200000, 0x212345) + b"module one\0"),
        tag(4, struct.pack("<II", 640, 65536)),
        tag(6, struct.pack("<II", 24, 0) + ODD),
        tag(6, struct.pack("<II", 32, 0) + b"".join(PC[i : i + 24] + bytes(8) for i in range(0, len(PC), 24))),
        tag(8, struct.pack("<QIIIBBH", 0xFD000000, 4096, 1024, 768, 32, 1, 0) + bytes([16, 8, 8, 8, 0, 8])),
        tag(8, struct.pack("<QIIIBBH", 0xB8000, 160, 80, 25, 16, 2, 0)),
        tag(14, b"RSD PTR " + bytes(12)),
        tag(15, b"RSD PTR " + bytes(28)),
    ]
    end, head = tag(0, b""), bytes(8)
    all_of_them = b"".join(others) + memory_map
    modules = b"".join(tag(3, struct.pack("<II", i << 20, (i << 20) + 999) + b"m\0") for i in range(1, 12))
    whole = [memory_map, all_of_them, others[4], modules + memory_map, *(o + memory_map for o in others)]
    return [b"\x01" + head + body + end for body in whole]


def pvh_info(memory: int, count: int, modules: int, module_count: int, cmdline: int, rsdp: int) -> bytes:
    return struct.pack("<IIIIQQQQII", 0x336EC578, 1, 0, module_count, modules, cmdline, rsdp, memory, count, 0)


def pvh() -> List[bytes]:
    modules = struct.pack("<QQQQ", 0x200000, 0x12345, PVH_PLACE + 600, 0) * 10
    rsdp_bytes = b"RSD PTR " + bytes([0] * 7 + [2]) + bytes(20)
    parts = [PC, ODD, modules, rsdp_bytes, b"test seed=3\0" + bytes(1100), b"y" * 1100]
    places, at = [], PVH_PLACE + 56
    for part in parts:
        places.append(at)
        at += len(part)
    pc, odd, module, rsdp, text, long_text = places
    infos = [
        pvh_info(pc, 5, 0, 0, 0, 0),
        pvh_info(pc, 5, module, 2, text, rsdp),
        pvh_info(odd, 5, module, 10, long_text, rsdp),
        pvh_info(pc, 10, module, 1, at, at),
    ]
    return [info + b"".join(parts) for info in infos]


def histories() -> List[bytes]:
    numbers = random.Random(1)
    return [bytes(numbers.randrange(256) for _ in range(HISTORY_BYTES)) for _ in range(HISTORIES)]


def mark(kind: int, start: int, length: int) -> bytes:
    """An operation of the target memmap: memmap_mark, with addresses of 32 bits."""
    return struct.pack("<BBIBI", 8 * kind + 3, 1, start, 1, length)


def memmap() -> List[bytes]:
    """As many ranges as a map surely holds, and more than it can."""
    many = [b"".join(mark(1, i << 16, 0x8000) for i in range(n)) for n in (119, 130, 300)]
    holes = mark(1, 0, 0xFFFFF000) + b"".join(mark(5, i << 16, 0x1234) for i in range(140))
    return [*histories(), *many, holes, many[0][: -len(mark(1, 0, 0))] + mark(5, 0x777, 0x7000000)]


def member(name: str, mode: int, data: bytes = b"", **fields: int) -> bytes:
    """A member of an archive in memory."""
    order = "ino mode uid gid nlink mtime size devmajor devminor rdevmajor rdevminor namesize check".split()
    values = {"nlink": 1, **fields, "mode": mode, "size": len(data), "namesize": len(name) + 1}
    head = b"070701" + b"".join(b"%08x" % values.get(key, 0) for key in order) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def cpio() -> List[bytes]:
    end = member("TRAILER!!!", 0)
    files = member("d", 0o40755, nlink=2) + member("d/f", 0o100644, b"content") + member("/s", 0o120777, b"d/../d/f")
    nodes = member("dev/x", 0o20600, rdevmajor=4, rdevminor=300) + member("p", 0o10600) + member("d/k", 0o140600)
    links = member("one", 0o100644, ino=5, nlink=2) + member("d/two", 0o100644, b"of both", ino=5, nlink=2)
    again = member("d", 0o100600, b"x") + member(".", 0o40700) + member("s", 0o100600, b"y") + member("tmp", 0o100600)
    two = files + links + end + bytes(8) + links + end
    whole = [end, files + end, nodes + end, links + end, files + again + end, two]
    return [*whole, files, whole[4][:-30], (files + end).replace(b"070701", b"070702")]


def program(*segments: "tuple[int, ...]", kind: int = 2, pages: int = 3, failing: int = 0, area: int = 0) -> bytes:
    """A program file with segments of type, place in the file, address, bytes in the file and in memory, flags."""
    head = b"\x7fELF\x01\x01\x01" + bytes(9)
    head += struct.pack("<HHIIIIIHHHHHH", kind, 3, 1, 0x8048200, 52, 0, 0, 52, 32, len(segments), 0, 0, 0)
    table = (struct.pack("<IIIIIIII", k, at, to, to, has, size, how, 4096) for k, at, to, has, size, how in segments)
    return struct.pack("<BBH", pages, failing, area) + head + b"".join(table)


def elf() -> List[bytes]:
    text, data = (1, 0, 0x8048000, 0x1100, 0x1100, 5), (1, 0x2200, 0x804C200, 0x300, 0x2100, 6)
    stack, loader, none = (0x6474E551, 0, 0, 0, 0, 7), (3, 0x100, 0x8048100, 9, 9, 4), (1, 0, 0, 0, 0, 6)
    again = (1, 0x2200, 0x8060200, 0x300, 0x400, 6)
    whole = [program(text, data), program(text, data, again, stack, none), program(text, data, loader)]
    anywhere = [program((1, 0, 0, 0x1100, 0x1100, 5), (1, 0x2200, 0x4200, 0x300, n, 6), kind=3) for n in (0x900, 2**30)]
    ends = [(1, 0, 0xBFFFD000, 4096, 4096 + n, 6) for n in (0, 0xFFF, 0x1000)]
    wraps = [(1, 0, 0x10000000, 0, n, 6) for n in (0xAFFFE000, 0xBFFFF001, 0xFFFFF000)]
    apart = [program(text, s) for s in [*ends, *wraps, (1, 0, 0, 99, 99, 6), (1, 0x7FFFF800, 0x9000800, 1, 9, 6), text]]
    failing = [program(text, data, failing=n) for n in (1, 2, 4)]
    areas = [program(text, data, area=0x48), program(text, data, area=0xF04A), program(text, data, kind=3, area=0x800)]
    many = program(*((1, 0, 0x8000000 + 0x3000 * n, 0x400, 0x1800, 7) for n in range(64)))
    return [*whole, *anywhere, *apart, *failing, *areas, many, many[:-1] + b"\x01"]


SEEDS: Dict[str, Callable[[], List[bytes]]] = {
    "cpio": cpio,
    "elf": elf,
    "memmap": memmap,
    "multiboot2": multiboot2,
    "pvh": pvh,
}


def seeds_of(target: str) -> List[bytes]:
    return SEEDS.get(target, histories)()
