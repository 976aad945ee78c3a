#!/usr/bin/env python3
"""bochs.py - all suites on machines of Bochs: another's reading of the manual, its paging unit above all.

    bochs.py --iso build/quire.iso [--only NAME]

GRUB takes the kernel that fits the CPU. Bochs knows no way out for the kernel, and does not end by itself: the serial
port's file is watched for the report's last line, and Bochs is ended then.
"""
from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import List

import iso
import qemu
from ktap import STATUS_FAIL, STATUS_PASS, TOTALS, Ending
from matrix import NO_NX, NX, SMAP, TWO_LEVEL_ENTRY, judge
from tap import Result, Tap

BIOS, VGA_BIOS = "/usr/share/bochs/BIOS-bochs-latest", "/usr/share/vgabios/vgabios.bin"
LIMIT = 240.0  # seconds
POLL = 0.2

# Meson sets this for tests: allocated memory is not zero then, and Bochs ends with "buffer overflow detected".
HIDDEN = "MALLOC_PERTURB_"

# The screen goes to a VNC server that waits for nobody; the debugger that Debian's has in it is told to go on.
CONFIG = """\
config_interface: textconfig
display_library: rfb, options="timeout=0"
romimage: file={bios}
vgaromimage: file={vga_bios}
memory: guest={memory}, host={memory}
cpu: model={cpu}, count=1, ips=50000000, reset_on_triple_fault=0
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={folder}/quire.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={folder}/serial
log: {folder}/log
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
"""


@dataclass
class Machine:
    mode: str
    cpu: str
    memory: int  # MiB
    shows: str = ""  # a case that must not be skipped here

    def name(self) -> str:
        return f"bochs.{self.mode}.{self.memory}M.{self.cpu}"


MACHINES = [
    Machine("two-level", "pentium", 16),
    Machine("two-level", "broadwell_ult", 64, SMAP),
    Machine("pae", "p3_katmai", 64, NO_NX),
    Machine("pae", "broadwell_ult", 64, NX),
]


def read(path: str) -> List[str]:
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().replace("\r", "").split("\n")


def ending(lines: List[str]) -> Ending:
    """What the kernel would have told an emulator that listens."""
    totals = next((m for m in map(TOTALS.match, lines) if m), None)
    if totals is None:
        return Ending(None, "no last line of the report")
    return Ending(STATUS_PASS if totals.group(2) == "0" else STATUS_FAIL)


def watch(process: "subprocess.Popen[bytes]", serial: str) -> List[str]:
    """Waits for the report's last line, whole, or for Bochs' end, or for the limit."""
    end = time.monotonic() + LIMIT
    while True:
        over = process.poll() is not None or time.monotonic() > end
        lines = read(serial)
        if over or any(TOTALS.match(line) for line in lines[:-1]):
            return lines
        time.sleep(POLL)


def boot(machine: Machine, path: str) -> qemu.Run:
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="quire-bochs-") as folder:
        entry = TWO_LEVEL_ENTRY if machine.mode == "two-level" else 0
        iso.copy_with(path, os.path.join(folder, "quire.iso"), iso.Extras(["test"], entry=entry))
        config, orders, serial = (os.path.join(folder, name) for name in ("config", "orders", "serial"))
        with open(config, "w", encoding="utf-8") as file:
            how = {"bios": BIOS, "vga_bios": VGA_BIOS, "folder": folder}
            file.write(CONFIG.format(memory=machine.memory, cpu=machine.cpu, **how))
        with open(orders, "w", encoding="utf-8") as file:
            file.write("c\n")
        with open(os.path.join(folder, "output"), "wb") as output:
            process = subprocess.Popen(
                ["bochs", "-q", "-f", config, "-rc", orders],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={name: value for name, value in os.environ.items() if name != HIDDEN},
            )
            try:
                lines = watch(process, serial)
            finally:
                process.kill()
                process.wait()
        told = [*read(os.path.join(folder, "output"))[-10:], *read(os.path.join(folder, "log"))[-10:]]
        end = ending(lines)
        return qemu.Run(end, lines, told if end.status is None else [], time.monotonic() - start)


def obstacle() -> str:
    if not shutil.which("bochs"):
        return "Bochs is not installed"
    return next((f"no {path}" for path in (BIOS, VGA_BIOS) if not os.path.exists(path)), "")


def main(argv: List[str]) -> int:
    qemu.end_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iso", required=True)
    parser.add_argument("--only", default="", help="those machines with this in their names")
    args = parser.parse_args(argv)
    tap = Tap()
    if obstacle():
        return tap.skip_all(obstacle())
    for machine in (m for m in MACHINES if args.only in m.name()):
        try:
            result = judge(machine.name(), boot(machine, args.iso), machine.mode, machine.shows)
        except (OSError, iso.IsoError) as error:
            result = Result(machine.name(), False, None, [str(error)])
        tap.add(result)
        if result.ok:
            tap.note(result.notes[0])
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
