#!/usr/bin/env python3
"""Makes the kernel's tables of function names, and checks that they are true.

    make-symbols.py make  FIRST.elf OUT.S        from a link without the table
    make-symbols.py check FIRST.elf FINAL.elf    fails when a function moved between the two links

One table is the kernel's own, the other that of the suites, which goes where they go. Each stands at the end of its
read-only data, behind all code, so adding it moves no function.
"""
import struct
import sys

SHT_SYMTAB = 2
STT_FUNC = 2
SHF_EXECINSTR = 4
SUITES = ".suite_text"


def text_at(elf, offset):
    return elf[offset:elf.index(b"\0", offset)].decode()


def sections(elf):
    """Returns (name, type, flags, offset, size, link) for each section of a 32-bit little-endian ELF file."""
    if elf[:6] != b"\x7fELF\x01\x01":
        sys.exit("not a 32-bit little-endian ELF file")
    table, = struct.unpack_from("<I", elf, 32)
    entry_size, count, names = struct.unpack_from("<HHH", elf, 46)
    raw = [struct.unpack_from("<7I", elf, table + i * entry_size) for i in range(count)]
    return [(text_at(elf, raw[names][4] + name), kind, flags, offset, size, link)
            for name, kind, flags, _, offset, size, link in raw]


def functions(path):
    """Returns the sorted list of (start, size, name, section) of all functions in code sections."""
    with open(path, "rb") as f:
        elf = f.read()
    parts = sections(elf)
    found = set()
    for _, kind, _, offset, size, link in parts:
        if kind != SHT_SYMTAB:
            continue
        names = parts[link][3]
        for at in range(offset, offset + size, 16):
            name, start, length, info, _, where = struct.unpack_from("<3IBBH", elf, at)
            if info & 15 != STT_FUNC or where >= len(parts) or not parts[where][2] & SHF_EXECINSTR:
                continue
            found.add((start, length, text_at(elf, names + name), parts[where][0]))
    return sorted(found)


def without_overlap(symbols):
    """Keeps one name for each start, and ends each function where the next begins."""
    kept = []
    for start, size, name, _ in symbols:
        if kept and kept[-1][0] == start:
            kept.pop()
        elif kept and kept[-1][0] + kept[-1][1] > start:
            kept[-1] = (kept[-1][0], start - kept[-1][0], kept[-1][2])
        kept.append((start, size, name))
    return [s for s in kept if s[1]]


def table(prefix, symbols):
    """Returns one table as lines of assembler."""
    lines = [
        f'\t.section .{prefix}symbol_table, "a", @progbits',
        "\t.balign 4",
        f"\t.globl {prefix}symbols",
        f"{prefix}symbols:\t.long {len(symbols)}",
    ]
    offset = 0
    for start, size, name in symbols:
        lines.append(f"\t.long {start:#010x}, {size}, {offset}")
        offset += len(name) + 1
    return lines + [f'\t.asciz "{name}"' for _, _, name in symbols]


def make(first, out):
    found = functions(first)
    lines = []
    for prefix, suites in ("", False), ("suite_", True):
        symbols = without_overlap([s for s in found if (s[3] == SUITES) == suites])
        if not symbols:
            sys.exit(f"{first}: no functions found for .{prefix}symbol_table")
        lines += table(prefix, symbols)
    lines.append('\t.section .note.GNU-stack, "", @progbits')
    with open(out, "w", encoding="ascii") as f:
        f.write("\n".join(lines) + "\n")


def check(first, final):
    before, after = set(functions(first)), set(functions(final))
    for start, _, name, _ in sorted(before ^ after):
        print(f"{name} at {start:#010x} is in one of the links only")
    if before != after or not before:
        sys.exit(f"the symbol table of {final} is not true")
    print(f"{len(after)} functions agree")


def main(arguments):
    actions = {"make": make, "check": check}
    if len(arguments) != 3 or arguments[0] not in actions:
        sys.exit(__doc__)
    actions[arguments[0]](arguments[1], arguments[2])


if __name__ == "__main__":
    main(sys.argv[1:])
