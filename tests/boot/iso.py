"""iso.py - throw-away copies of the ISO whose GRUB puts more words onto the kernel's command line.

GRUB reads its menu from the ISO and from nowhere else, so words reach the kernel only through another
grub.cfg. The copy differs from the original in that one file: same GRUB, same kernels, same boot record.
"""
from __future__ import annotations

import os
import re
import subprocess
import tempfile
from typing import List

GRUB_CFG = "/boot/grub/grub.cfg"


class IsoError(Exception):
    """xorriso is missing or failed."""


def edit_config(text: str, words: List[str]) -> str:
    """grub.cfg with the words behind each kernel, the first entry chosen at once."""
    text = re.sub(r"(?m)^(\s*multiboot2\s.*?)\s*$", lambda m: " ".join([m.group(1), *words]), text)
    text = re.sub(r"(?m)^(\s*)set\s+timeout=.*$", r"\1set timeout=0", text)
    return re.sub(r"(?m)^(\s*)set\s+default=.*$", r"\1set default=0", text)


def _xorriso(*args: str) -> None:
    try:
        done = subprocess.run(["xorriso", *args], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise IsoError("xorriso is not installed") from error
    if done.returncode != 0:
        raise IsoError(f"xorriso failed: {done.stderr.strip()[-600:]}")


def copy_with_words(source: str, target: str, words: List[str]) -> None:
    """Writes the copy to target, which must not exist. Raises IsoError."""
    if not os.path.exists(source):
        raise IsoError(f"{source} does not exist: build it with `ninja -C build iso`")
    with tempfile.TemporaryDirectory(prefix="quire-grub-") as folder:
        config = os.path.join(folder, "grub.cfg")
        _xorriso("-osirrox", "on", "-indev", source, "-extract", GRUB_CFG, config)
        os.chmod(config, 0o600)
        with open(config, encoding="utf-8") as file:
            text = file.read()
        edited = edit_config(text, words)
        if edited == text:
            raise IsoError(f"{GRUB_CFG} starts no kernel with multiboot2")
        with open(config, "w", encoding="utf-8") as file:
            file.write(edited)
        _xorriso("-indev", source, "-outdev", target, "-boot_image", "any", "replay", "-map", config, GRUB_CFG)
