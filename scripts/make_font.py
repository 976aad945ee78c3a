#!/usr/bin/env python3
"""make_font.py - a console font (PSF 1 or 2, plain or .gz) as C for drivers/console/font.h.

    make_font.py FONT.psf.gz OUT.c

Of the font's glyphs those of printable ASCII are taken, by its own table of characters where it has one. Formats:
Linux's kbd, doc/font-formats.
"""
from __future__ import annotations

import gzip
import struct
import sys
from dataclasses import dataclass
from typing import Dict, Iterator, List, Tuple

FIRST, LAST = 0x20, 0x7E
PSF1, PSF2 = b"\x36\x04", b"\x72\xb5\x4a\x86"
PSF1_512, PSF1_TABLES = 1, 2 | 4


class FontError(Exception):
    """The file is no font that we can use."""


@dataclass
class Font:
    width: int
    height: int
    glyphs: Dict[int, bytes]  # by character, FIRST to LAST; rows of whole bytes

    @property
    def stride(self) -> int:
        return (self.width + 7) // 8


def codes_psf1(table: bytes) -> Iterator[List[int]]:
    """Each glyph's characters: words up to 0xFFFF; what follows 0xFFFE are sequences of several."""
    codes: List[int] = []
    for (word,) in struct.iter_unpack("<H", table[: len(table) & ~1]):
        if word == 0xFFFF:
            yield codes[: codes.index(0xFFFE)] if 0xFFFE in codes else codes
            codes = []
        else:
            codes.append(word)


def codes_psf2(table: bytes) -> Iterator[List[int]]:
    """The same in UTF-8, with the bytes 0xFF and 0xFE, which UTF-8 does not have."""
    for entry in table.split(b"\xff")[:-1]:
        yield [ord(c) for c in entry.split(b"\xfe")[0].decode("utf-8")]


def parse(data: bytes) -> Tuple[int, int, List[bytes], List[List[int]]]:
    """Width, height, bitmaps, and the characters of each."""
    if data[:2] == PSF1:
        mode, height = data[2], data[3]
        width, header, size, count = 8, 4, height, 512 if mode & PSF1_512 else 256
        has_table, read_codes = bool(mode & PSF1_TABLES), codes_psf1
    elif data[:4] == PSF2:
        _, header, flags, count, size, height, width = struct.unpack_from("<7I", data, 4)
        has_table, read_codes = bool(flags & 1), codes_psf2
    else:
        raise FontError("neither PSF 1 nor PSF 2")
    end = header + count * size
    if not 1 <= width <= 64 or not 1 <= height <= 64 or size != (width + 7) // 8 * height or len(data) < end:
        raise FontError("a header that cannot be")
    bitmaps = [data[at : at + size] for at in range(header, end, size)]
    codes = list(read_codes(data[end:])) if has_table else [[n] for n in range(count)]
    return width, height, bitmaps, codes


def read_font(path: str) -> Font:
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    try:
        width, height, bitmaps, codes = parse(data)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise FontError(f"cut off or damaged: {error}") from error
    glyphs = {code: bitmap for bitmap, of in zip(bitmaps, codes) for code in of if FIRST <= code <= LAST}
    missing = [chr(code) for code in range(FIRST, LAST + 1) if code not in glyphs]
    if missing:
        raise FontError(f"no glyph for {' '.join(missing)}")
    return Font(width, height, glyphs)


def as_c(font: Font) -> str:
    lines = ["/* Made by scripts/make_font.py. */", "#include <drivers/console/font.h>", ""]
    lines += ["static const uint8_t glyphs[] = {"]
    for code in range(FIRST, LAST + 1):
        lines.append(f"\t{' '.join(f'0x{byte:02x},' for byte in font.glyphs[code])}")
    lines += ["};", ""]
    lines += [f"const struct font console_font = {{{font.width}, {font.height}, {font.stride}, glyphs}};", ""]
    return "\n".join(lines)


def main(argv: List[str]) -> int:
    if len(argv) != 2:
        sys.exit("usage: make_font.py FONT.psf.gz OUT.c")
    try:
        text = as_c(read_font(argv[0]))
    except (OSError, EOFError, FontError) as error:
        sys.exit(f"make_font.py: {argv[0]}: {error}")
    with open(argv[1], "w", encoding="utf-8") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
