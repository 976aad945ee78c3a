#!/usr/bin/env python3
"""make-call-names.py HEADER OUT.c - the names of Linux's system calls for the i386, from asm/unistd_32.h.

A line of C for each number from 0 up, all one array of bytes: the kernel says with it which call it does not have.
"""
import re
import sys

CALL = re.compile(r"#define\s+__NR_(\w+)\s+(\d+)\s*$")


def main() -> int:
    header, out = sys.argv[1:]
    with open(header, encoding="utf-8") as file:
        names = {int(match.group(2)): match.group(1) for match in map(CALL.match, file) if match}
    lines = [f'\t"{names.get(number, "")}\\0"' for number in range(max(names) + 1)]
    with open(out, "w", encoding="utf-8") as file:
        print("/* Made by scripts/make-call-names.py. */\n#include <kernel/sys.h>\n", file=file)
        print("const char call_names[] =", *lines, sep="\n", end=";\n", file=file)
        print("const uint32_t call_names_size = sizeof(call_names);", file=file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
