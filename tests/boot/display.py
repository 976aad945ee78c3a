"""display.py - what a machine shows: its text memory and its picture, by QEMU's monitor, and text read from both."""
from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Sequence

import qemu
from make_font import Font

TEXT_MEMORY, TEXT_COLUMNS, TEXT_ROWS = 0xB8000, 80, 25
POLL = 0.1  # seconds
AFTER = 0.5  # seconds from the last word on the serial port until it is on the screen too


@dataclass
class Shown:
    """What was there when the machine had said its word, or when the limit came."""

    said: bool  # the word came
    serial: List[str]  # lines
    text: bytes  # the text memory: a character and its colours in turn
    picture: Optional["Picture"]
    errors: str  # QEMU's own words
    seconds: float  # until the word


@dataclass
class Picture:
    width: int
    height: int
    pixels: bytes  # three bytes each: red, green, blue


def read_ppm(data: bytes) -> Picture:
    """A picture as QEMU dumps it: binary PPM with 8 bits a colour. Raises ValueError."""
    magic, width, height, depth, pixels = data.split(maxsplit=4) if data.count(b"\n") >= 3 else [b""] * 5
    head = len(data) - int(width or 0) * int(height or 0) * 3
    if magic != b"P6" or depth != b"255" or head < 0:
        raise ValueError("no PPM picture")
    return Picture(int(width), int(height), data[head:] if pixels else b"")


def show(boot: qemu.Boot, word: str) -> Shown:
    """Boots without the device by which the kernel leaves QEMU, waits for the word, and looks at the screen."""
    with tempfile.TemporaryDirectory(prefix="quire-screen-") as folder, qemu.prepared(boot) as ready:
        serial, text, picture = (os.path.join(folder, name) for name in ("serial", "text", "picture.ppm"))
        open(serial, "wb").close()
        process = subprocess.Popen(
            [*qemu.command(ready, can_exit=False), "-monitor", "stdio", "-serial", f"file:{serial}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        start = time.monotonic()
        try:
            said = wait_for(lambda: word.encode() in read(serial), process, boot.limit)
            seconds = time.monotonic() - start
            time.sleep(AFTER)
            orders = [f'pmemsave {TEXT_MEMORY:#x} {TEXT_COLUMNS * TEXT_ROWS * 2} "{text}"', f'screendump "{picture}"']
            errors = process.communicate("\n".join([*orders, "quit", ""]).encode(), timeout=30)[1]
        finally:
            process.kill()
            process.wait()
        lines = read(serial).decode(errors="replace").replace("\r", "").split("\n")
        shot = read_ppm(read(picture)) if os.path.exists(picture) else None
        return Shown(said, lines, read(text), shot, errors.decode(errors="replace"), seconds)


def read(path: str) -> bytes:
    if not os.path.exists(path):
        return b""
    with open(path, "rb") as file:
        return file.read()


def wait_for(done: Callable[[], bool], process: "subprocess.Popen[bytes]", limit: float) -> bool:
    end = time.monotonic() + limit
    while not done():
        if time.monotonic() > end or process.poll() is not None:
            return False
        time.sleep(POLL)
    return True


def rows_of_memory(text: bytes) -> List[str]:
    characters = text[::2].decode("latin-1")
    return [characters[at : at + TEXT_COLUMNS].rstrip() for at in range(0, len(characters), TEXT_COLUMNS)]


def rows_of_picture(picture: Picture, font: Font) -> List[str]:
    """Reads the characters cell by cell; what is no character of the font, pixel for pixel, gives a NUL."""
    known: Dict[bytes, str] = {bits: chr(code) for code, bits in sorted(font.glyphs.items(), reverse=True)}
    lit = bytes(1 if value else 0 for value in picture.pixels[1::3])  # green tells
    rows = []
    for top in range(0, picture.height - font.height + 1, font.height):
        cells = []
        for left in range(0, picture.width - font.width + 1, font.width):
            starts = (y * picture.width + left for y in range(top, top + font.height))
            bits = b"".join(packed(lit[at : at + font.width], font.stride) for at in starts)
            cells.append(known.get(bits, "\0"))
        rows.append("".join(cells).rstrip())
    return rows


def packed(pixels: Sequence[int], stride: int) -> bytes:
    """A row of pixels as a font has it."""
    value = int("".join(map(str, pixels)), 2) << (stride * 8 - len(pixels))
    return value.to_bytes(stride, "big")


def wrapped(lines: List[str], columns: int) -> List[str]:
    """Lines as a screen of this width shows them."""
    rows = []
    for line in lines:
        rows += [line[at : at + columns].rstrip() for at in range(0, max(len(line), 1), columns)]
    return rows
