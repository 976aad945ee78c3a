"""iso.py - throw-away copies of the ISO whose GRUB does more: words on the kernel's command line, commands, a module.

GRUB reads its menu from the ISO and from nowhere else, so all of this gets in only through another grub.cfg. The
copy differs from the original in that file and the module: same GRUB, same kernels, same boot record.
"""
from __future__ import annotations

import os
import re
import struct
import subprocess
import tempfile
from dataclasses import dataclass, field
from typing import List

GRUB_CFG = "/boot/grub/grub.cfg"
MODULE = "/boot/module.bin"
INITRAMFS = "/boot/initramfs.cpio"
PAGE = 4096
KERNELS = ("quire.elf", "quire-pae.elf")
RELOCATABLE = struct.pack("<HH5I", 10, 1, 24, 1 << 20, 0xFFFFFFFF, 4096, 1)  # arch/x86/boot/entry.S
PREFER_HIGH = struct.pack("<I", 2)
KERNEL = re.compile(r"(?m)^([ \t]*)(if )?(multiboot2\s[^;\n]*?)[ \t]*(; then)?$")


class IsoError(Exception):
    """xorriso is missing or failed."""


@dataclass
class Extras:
    """What another grub.cfg adds."""

    words: List[str] = field(default_factory=list)  # behind each kernel
    commands: List[str] = field(default_factory=list)  # before a kernel is loaded
    module: int = 0  # bytes of a module behind each kernel; 0: none
    entry: int = 0  # of the menu
    high: bool = False  # the kernels ask for the highest place in memory, not for the lowest
    initramfs: str = ""  # a file to be there in the place of the ISO's own


def edit_config(text: str, extras: Extras) -> str:
    """grub.cfg with the extras, and an entry chosen at once."""

    def kernel(match: "re.Match[str]") -> str:
        indent, condition, load, rest = match.groups("")
        lines = [f"{indent}{command}" for command in extras.commands]
        lines.append(indent + condition + " ".join([load, *extras.words]) + rest)
        lines += [f"{indent}module2 {MODULE} numbered"] if extras.module else []
        return "\n".join(lines)

    text = KERNEL.sub(kernel, text)
    text = re.sub(r"(?m)^(\s*)set\s+timeout=.*$", r"\1set timeout=0", text)
    return re.sub(r"(?m)^(\s*)set\s+default=.*$", rf"\g<1>set default={extras.entry}", text)


def _xorriso(*args: str) -> None:
    try:
        done = subprocess.run(["xorriso", *args], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise IsoError("xorriso is not installed") from error
    if done.returncode != 0:
        raise IsoError(f"xorriso failed: {done.stderr.strip()[-600:]}")


def copy_with(source: str, target: str, extras: Extras) -> None:
    """Writes the copy to target, which must not exist. Raises IsoError."""
    if not os.path.exists(source):
        raise IsoError(f"{source} does not exist: build it with `ninja -C build iso`")
    with tempfile.TemporaryDirectory(prefix="quire-grub-") as folder:
        config, module = os.path.join(folder, "grub.cfg"), os.path.join(folder, "module.bin")
        _xorriso("-osirrox", "on", "-indev", source, "-extract", GRUB_CFG, config)
        os.chmod(config, 0o600)
        with open(config, encoding="utf-8") as file:
            text = file.read()
        edited = edit_config(text, extras)
        if edited == text:
            raise IsoError(f"{GRUB_CFG} starts no kernel with multiboot2")
        with open(config, "w", encoding="utf-8") as file:
            file.write(edited)
        write_module(module, extras.module)
        kernels = ask_for_high(source, folder) if extras.high else []
        maps = kernels + ["-map", config, GRUB_CFG] + (["-map", module, MODULE] if extras.module else [])
        maps += ["-map", extras.initramfs, INITRAMFS] if extras.initramfs else []
        _xorriso("-indev", source, "-outdev", target, "-boot_image", "any", "replay", *maps)


def ask_for_high(source: str, folder: str) -> List[str]:
    """Copies of the kernels whose Multiboot2 headers prefer the highest place; returns how they get onto the ISO."""
    _xorriso("-osirrox", "on", "-indev", source, "-extract", "/boot", os.path.join(folder, "boot"))
    maps: List[str] = []
    for name in KERNELS:
        path = os.path.join(folder, "boot", name)
        os.chmod(path, 0o600)
        with open(path, "rb") as file:
            elf = file.read()
        if elf.count(RELOCATABLE) != 1:
            raise IsoError(f"{name} has no header that tells where it may be put")
        with open(path, "wb") as file:
            file.write(elf.replace(RELOCATABLE, RELOCATABLE[:-4] + PREFER_HIGH))
        maps += ["-map", path, f"/boot/{name}"]
    return maps


def write_module(path: str, size: int) -> None:
    """A file of this size: each page begins with its number. tests/ktest/boot_test.c looks for that."""
    with open(path, "wb") as file:
        for at in range(0, size, PAGE):
            file.seek(at)
            file.write(struct.pack("<I", at // PAGE))
        file.truncate(size)
