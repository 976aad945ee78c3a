#!/usr/bin/env python3
"""Makes the kernel's table of function names, and checks that it is true.

    make-symbols.py make  FIRST.elf OUT.S        from a link without the table
    make-symbols.py check FIRST.elf FINAL.elf    fails when a function moved between the two links

The table goes to the end of the read-only data, behind all code, so adding it moves no function.
"""
import struct
import sys

SHT_SYMTAB = 2
STT_FUNC = 2
SHF_EXECINSTR = 4


def sections(elf):
    """Yields (type, flags, offset, size, link) for each section of a 32-bit little-endian ELF file."""
    if elf[:6] != b"\x7fELF\x01\x01":
        sys.exit("not a 32-bit little-endian ELF file")
    table, = struct.unpack_from("<I", elf, 32)
    entry_size, count = struct.unpack_from("<HH", elf, 46)
    for i in range(count):
        _, kind, flags, _, offset, size, link = struct.unpack_from("<7I", elf, table + i * entry_size)
        yield kind, flags, offset, size, link


def functions(path):
    """Returns the sorted list of (start, size, name) of all functions in code sections."""
    with open(path, "rb") as f:
        elf = f.read()
    parts = list(sections(elf))
    found = set()
    for kind, _, offset, size, link in parts:
        if kind != SHT_SYMTAB:
            continue
        names = parts[link][2]
        for at in range(offset, offset + size, 16):
            name, start, length, info, _, where = struct.unpack_from("<3IBBH", elf, at)
            if info & 15 != STT_FUNC or where >= len(parts) or not parts[where][1] & SHF_EXECINSTR:
                continue
            end = elf.index(b"\0", names + name)
            found.add((start, length, elf[names + name:end].decode()))
    return sorted(found)


def without_overlap(symbols):
    """Keeps one name for each start, and ends each function where the next begins."""
    kept = []
    for start, size, name in symbols:
        if kept and kept[-1][0] == start:
            kept.pop()
        elif kept and kept[-1][0] + kept[-1][1] > start:
            kept[-1] = (kept[-1][0], start - kept[-1][0], kept[-1][2])
        kept.append((start, size, name))
    return [s for s in kept if s[1]]


def assembly(symbols):
    """Returns the table as assembler source."""
    lines = [
        '\t.section .symbol_table, "a", @progbits',
        "\t.balign 4",
        "\t.globl symbol_count, symbol_table, symbol_names",
        f"symbol_count:\t.long {len(symbols)}",
        "symbol_table:",
    ]
    offset = 0
    for start, size, name in symbols:
        lines.append(f"\t.long {start:#010x}, {size}, {offset}")
        offset += len(name) + 1
    lines.append("symbol_names:")
    lines += [f'\t.asciz "{name}"' for _, _, name in symbols]
    lines.append('\t.section .note.GNU-stack, "", @progbits')
    return "\n".join(lines) + "\n"


def make(first, out):
    symbols = without_overlap(functions(first))
    if not symbols:
        sys.exit(f"{first}: no functions found")
    with open(out, "w", encoding="ascii") as f:
        f.write(assembly(symbols))


def check(first, final):
    before, after = set(functions(first)), set(functions(final))
    for start, _, name in sorted(before ^ after):
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
