#!/usr/bin/env python3
"""screen.py - what is on the serial port is on the screen, and a machine without a serial port does not wait for it.

    screen.py --kernel build/quire.elf --pae build/quire-pae.elf --iso build/quire.iso --font FONT.psf.gz

Text mode is read from the video memory, a framebuffer from a picture of the screen, pixel by pixel.
"""
from __future__ import annotations

import argparse
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List

import qemu
from ktap import STATUS_PASS
from tap import Result, Tap

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "scripts"))

import display  # noqa: E402
from make_font import Font, read_font  # noqa: E402

LIMIT = 60.0  # seconds; an emulated UEFI takes ten
WITHOUT_SERIAL = 20.0  # seconds for a boot that takes less than one with a serial port
LEAST_SHOWN = 12  # rows with text on a screen that has scrolled: more than half of the smallest
COLUMNS_MOST = 128  # drivers/console/screen.c
IDLE = "\nIdle."
PANIC = "\nbacktrace:"


def fits(rows: List[str], serial: List[str], columns: int, whole: bool) -> List[str]:
    """What is wrong with the screen: its rows must be the last of the serial port's lines, or all of them."""
    want = display.wrapped(serial, columns)
    while rows and not rows[-1]:
        rows = rows[:-1]
    while want and not want[-1]:
        want = want[:-1]
    tail = want if whole else want[len(want) - len(rows) :]
    if rows == tail and (whole or len(rows) >= LEAST_SHOWN):
        return []
    return ["the screen:", *(r.replace("\0", "?") for r in rows), "the serial port:", *tail]


def judge_text(name: str, shown: display.Shown, whole: bool = False) -> Result:
    rows = display.rows_of_memory(shown.text)
    wrong = fits(rows, shown.serial, display.TEXT_COLUMNS, whole)
    wrong += [] if shown.said else ["the last line never came", *shown.serial[-20:], shown.errors]
    return Result(name, not wrong, None, wrong)


def judge_picture(name: str, shown: display.Shown, font: Font) -> Result:
    if not shown.said or shown.picture is None:
        return Result(name, False, None, ["no picture, or no last line", *shown.serial[-20:], shown.errors])
    rows = display.rows_of_picture(shown.picture, font)
    wrong = fits(rows, shown.serial, min(COLUMNS_MOST, shown.picture.width // font.width), False)
    return Result(name, not wrong, None, wrong)


def place_in_file(elf: bytes, address: int) -> int:
    """Where a 32-bit ELF file has the byte that is loaded at an address."""
    table, size, count = *struct.unpack_from("<I", elf, 28), *struct.unpack_from("<HH", elf, 42)
    for at in range(table, table + size * count, size):
        _, offset, start, _, length = struct.unpack_from("<5I", elf, at)
        if start <= address < start + length:
            return offset + address - start
    raise ValueError(f"nothing is loaded at {address:#x}")


def address_of(path: str, function: str) -> int:
    names = subprocess.run(["llvm-nm", path], capture_output=True, text=True, check=True).stdout
    return next(int(line.split()[0], 16) for line in names.splitlines() if line.endswith(f" {function}"))


def show_changed(kernel: bytes, word: str) -> display.Shown:
    with tempfile.TemporaryDirectory(prefix="quire-kernel-") as folder:
        copy = os.path.join(folder, "kernel.elf")
        with open(copy, "wb") as file:
            file.write(kernel)
        return display.show(qemu.Boot(kernel=copy, limit=LIMIT), word)


def early_ends(mode: str, path: str, tap: Tap) -> None:
    """Boots that end on the entry page tables, before there is a screen: it comes for their last words."""
    with open(path, "rb") as file:
        kernel = file.read()
    load = b"\xb8" + (0x336EC578).to_bytes(4, "little")  # mov eax, PVH's magic: a loader that is not known
    shown = show_changed(kernel.replace(load, b"\xb8none"), "change:")
    tap.add(judge_text(f"screen.text_shows_why_it_cannot_start.{mode}", shown, whole=True))
    at = place_in_file(kernel, address_of(path, "arch_boot_info"))
    shown = show_changed(kernel[:at] + b"\x0f\x0b" + kernel[at + 2 :], PANIC)  # ud2
    tap.add(judge_text(f"screen.text_shows_an_early_panic.{mode}", shown, whole=True))


def text_boots(args: argparse.Namespace, tap: Tap) -> None:
    quick = ["selftest=off", "init=off"]
    for mode, kernel in (("two-level", args.kernel), ("pae", args.pae)):
        boot = qemu.Boot(kernel=kernel, words=quick, limit=LIMIT)
        tap.add(judge_text(f"screen.text_shows_the_end_of_the_report.{mode}", display.show(boot, IDLE)))
        boot.words = ["test=selftest.crashes"]
        tap.add(judge_text(f"screen.text_shows_a_panic.{mode}", display.show(boot, PANIC)))
        early_ends(mode, kernel, tap)
    shown = display.show(qemu.Boot(iso=args.iso, words=quick, limit=LIMIT), IDLE)
    tap.add(judge_text("screen.text_is_what_grub_leaves_under_bios", shown))


def framebuffer_boot(args: argparse.Namespace, tap: Tap) -> None:
    name = "screen.framebuffer_shows_the_end_of_the_report"
    if not qemu.has_firmware("uefi64"):
        tap.add(Result(name, True, f"no uefi64 firmware in {qemu.UEFI_FOLDER}"))
        return
    words = ["selftest=off", "init=off"]
    boot = qemu.Boot(iso=args.iso, words=words, memory="256M", machine="q35", firmware="uefi64", limit=LIMIT)
    tap.add(judge_picture(name, display.show(boot, IDLE), read_font(args.font)))


def without(args: argparse.Namespace, tap: Tap) -> None:
    """The self-tests on machines that lack a port or a screen end as passed, and in time."""
    for what, options in (
        ("serial_port", ["-serial", "none"]),
        ("screen", ["-serial", "null", "-vga", "none"]),
        ("both", ["-serial", "none", "-vga", "none"]),
    ):
        run = qemu.run_unheard(qemu.Boot(kernel=args.kernel, words=["exit"], limit=WITHOUT_SERIAL), options)
        good = run.ending.status == STATUS_PASS
        tap.add(Result(f"screen.without_{what}_nothing_waits", good, None, [run.ending.text(), *run.errors]))


def main(argv: List[str]) -> int:
    qemu.end_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("kernel", "pae", "iso", "font"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args(argv)
    tap = Tap()
    text_boots(args, tap)
    framebuffer_boot(args, tap)
    without(args, tap)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
