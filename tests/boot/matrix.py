#!/usr/bin/env python3
"""matrix.py - all suites, or the small init, on many machines: memory, CPUs, boards, ways in, holes, modules. A TAP
line for each boot.

    matrix.py --mode two-level --kernel build/quire.elf --iso build/quire.iso   or --mode pae, quire-pae.elf
    matrix.py ... test=pgtable                                                  one suite on each machine
    matrix.py ... only=holes                                                    the machines with this in their name

From the ISO GRUB takes the kernel that fits the CPU (cpuid -p), so there the CPU chooses the mode.
"""
from __future__ import annotations

import argparse
import gzip
import struct
import sys
import tempfile
from dataclasses import dataclass
from typing import List

import qemu
import tour
from ktap import STATUS_FAIL, convert, tally
from tap import Result, Tap

MIB = 1 << 20


@dataclass
class Machine:
    via: str  # "kernel"; or the ISO as a CD under the firmware "iso" (BIOS), "uefi32", "uefi64"; "-usb": as a stick
    memory: str
    cpu: str
    words: str = ""  # more for the command line
    machine: str = "pc"
    shows: str = ""  # a case that must not be skipped here: what the CPU was chosen for
    hole: str = ""  # one of HOLES, made by GRUB
    module: int = 0  # MiB
    high: bool = False  # loaded as high as can be, and the module at 1 MiB
    says: str = ""  # it must not boot, but say this
    suite: str = ""  # this one alone, which is what the machine is here for: with so much memory all take long
    init: str = ""  # the small init instead of the suites, from this one of ARCHIVES

    def name(self, mode: str) -> str:
        extra = [self.words] if self.words else []
        extra += [self.machine] if self.machine != "pc" else []
        extra += [f"hole-{self.hole}"] if self.hole else []
        extra += [f"module-{self.module}M"] if self.module else []
        extra += ["loaded-high"] if self.high else []
        extra += [f"init-{self.init}"] if self.init else []
        return ".".join([mode, self.via, self.memory, self.cpu, *extra])


NX = "trap.data_is_not_executed"
NO_NX = "trap.data_is_executed_without_no_execute"
WHOLE = "boot.modules_arrive_whole"
SMAP = "guard.smap_keeps_the_kernel_from_user_pages"

# What GRUB takes out of the map of memory before it loads a kernel.
HOLES = {
    "large": ["cutmem 16M 48M"],  # whole large pages
    "page": ["cutmem 0x1234000 0x1235000"],  # one page of what would be a large page
    "home": ["cutmem 1M 2M"],  # where the image belongs
    "home-page": ["badram 0x110000,0xfffff000"],
    "below-image": ["cutmem 4M 8M"],
    "low": ["cutmem 0x30000 0x50000"],
    "behind-image": ["cutmem 2M 7M"],  # phase one's window shows little
    "pages": ["badram 0x1000000,0xfff0f000"],  # one page in 16 of a MiB
    "many": ["badram 0x2000000,0xff80f000"],  # 128 single pages: more ranges than the map of memory has room for
    "end": ["cutmem 0x3ff0000 0x4000000", "cutmem 0x3abc000 0x3def000"],
    # 32 KiB below 1 MiB and so many behind the image: too few to boot, or for the self-tests.
    "all-but-64K": ["cutmem 0x9000 0xa0000", "cutmem {behind[64]:#x} 0x10000000"],
    "all-but-512K": ["cutmem 0x9000 0xa0000", "cutmem {behind[512]:#x} 0x10000000"],
}
# What becomes of the initramfs, so that the first program, its last file, cannot run.
ARCHIVES = {
    "whole": lambda whole: whole,
    "cut": lambda whole: whole[: len(whole) // 2],
    "damaged": lambda whole: whole.replace(b"0707", b"0606").replace(b"0606", b"0707", 3),
    "compressed": gzip.compress,
}
WELL, NOT_WELL = 1, 255  # QEMU's status when the first program's is 0, and when it was not run or ended by a signal
TWO_LEVEL_ENTRY = 3  # of GRUB's menu, where the CPU has PAE and the kernel is not to use it

# Every value of each axis, and the pairs that interact: a boot for every pair would prove no more and take longer.
MACHINES = {
    "two-level": [
        Machine("kernel", "3M", "486,-pse"),
        Machine("kernel", "8M", "486,-pse"),
        Machine("kernel", "16M", "486"),
        Machine("kernel", "64M", "qemu32", "cpu=486"),
        Machine("kernel", "1G", "pentium3"),
        Machine("kernel", "3500M", "pentium", machine="q35"),
        Machine("kernel", "4G", "486,-pse", suite="kmap"),
        Machine("kernel", "4G", "max", shows=SMAP),
        Machine("kernel", "6G", "qemu32"),
        Machine("kernel", "8M", "486", machine="isapc"),
        Machine("kernel", "64M", "pentium", machine="microvm"),
        Machine("kernel", "64M", "pentium", machine="microvm,pit=off"),  # the local APIC gives the ticks
        Machine("kernel", "16M", "486,-pse", module=8),
        Machine("iso", "4M", "486"),
        Machine("iso", "8M", "486"),
        Machine("iso", "64M", "486,-pse"),
        Machine("iso", "1G", "pentium"),
        Machine("iso", "3500M", "486"),
        Machine("iso", "4G", "qemu32,-pae"),
        Machine("iso", "16M", "486", machine="isapc"),
        Machine("iso-usb", "64M", "pentium"),
        Machine("iso", "8M", "486", module=1),
        Machine("iso", "8M", "486,-pse", module=4),
        Machine("iso", "64M", "pentium", module=32),
        Machine("iso", "64M", "pentium", hole="large"),
        Machine("iso", "64M", "486,-pse", hole="large"),
        Machine("iso", "64M", "486", hole="page"),
        Machine("iso", "64M", "486", hole="low"),
        Machine("iso", "64M", "486", hole="home"),
        Machine("iso", "64M", "486", hole="home-page"),
        Machine("iso", "64M", "486", high=True),
        Machine("iso", "64M", "486,-pse", module=32, high=True),
        Machine("iso", "64M", "486,-pse", hole="behind-image"),
        Machine("iso", "64M", "486,-pse", hole="pages"),
        Machine("iso", "64M", "pentium", hole="many"),
        Machine("iso", "64M", "486", hole="end"),
        Machine("uefi64", "256M", "max", machine="q35"),
        Machine("iso", "2M", "486", says="Together they need 4 MiB"),
        Machine("iso", "64M", "486", hole="below-image", high=True, says="it runs at 1 MiB, and not all memory"),
        Machine("iso", "64M", "486", hole="all-but-64K", says="change: give the machine "),
        Machine("iso", "64M", "486", hole="all-but-512K", says="The self-tests need "),
        Machine("kernel", "1536K", "486", says="image does not fit"),
        Machine("kernel", "8M", "486,-pse", init="whole"),
        Machine("kernel", "64M", "486", init="whole"),
        Machine("kernel", "64M", "pentium", machine="microvm,pit=off", init="whole"),
        Machine("kernel", "64M", "qemu32", init="whole"),
        Machine("kernel", "4G", "max", init="whole"),
        Machine("iso", "8M", "486", init="whole"),
        Machine("iso", "16M", "486", machine="isapc", init="whole"),
        Machine("iso-usb", "64M", "486,-pse", init="whole"),
        Machine("uefi64", "256M", "max", machine="q35", init="whole"),
        Machine("kernel", "64M", "486", init="cut", says="it ends in the data of a file"),
        Machine("kernel", "64M", "486", init="damaged", says="Archive: damaged at byte "),
        Machine("kernel", "64M", "486", init="compressed", says="no cpio archive of the format newc"),
        Machine("iso", "8M", "486", init="damaged", says="The first program, /init, is not there"),
        Machine("kernel", "64M", "486", "quota=20", init="whole", says="Give the machine more memory"),
        Machine("kernel", "64M", "486", "quota=40", init="whole", says="vmtour[2]: out of memory"),
    ],
    "pae": [
        Machine("kernel", "3M", "qemu32"),
        Machine("kernel", "8M", "pentium3", shows=NO_NX),
        Machine("kernel", "64M", "qemu32"),
        Machine("kernel", "64M", "qemu32", "cpu=486"),
        Machine("kernel", "1G", "pentium3", shows=NO_NX),
        Machine("kernel", "3500M", "max", machine="q35"),
        Machine("kernel", "4G", "qemu32", machine="microvm"),  # 32 address bits, and RAM above
        Machine("kernel", "4G", "max", shows=NX),
        Machine("kernel", "6G", "pentium3", shows=NO_NX),
        Machine("kernel", "6G", "max", machine="q35", shows=SMAP),
        Machine("kernel", "64M", "max", machine="microvm"),
        Machine("kernel", "16M", "max", module=8),
        Machine("iso", "4M", "qemu32"),
        Machine("iso", "8M", "max", shows=NX),
        Machine("iso", "16M", "qemu32"),
        Machine("iso", "64M", "pentium3", shows=NO_NX),
        Machine("iso", "1G", "qemu32"),
        Machine("iso", "4G", "max"),
        Machine("iso", "6G", "max"),
        Machine("iso-usb", "64M", "max", machine="q35"),
        Machine("iso", "8M", "qemu32", module=1),
        Machine("iso", "8M", "max", module=4),
        Machine("iso", "6G", "max", module=64, suite="boot"),
        Machine("iso", "8M", "max", module=1, high=True),
        Machine("iso", "64M", "max", module=32, high=True),
        Machine("iso", "64M", "max", hole="home"),
        Machine("iso", "64M", "max", hole="large"),
        Machine("iso", "64M", "pentium3", hole="page"),
        Machine("iso", "64M", "max", hole="behind-image"),
        Machine("iso", "64M", "max", hole="many"),
        Machine("iso", "6G", "max", hole="pages", suite="frame"),
        Machine("uefi32", "256M", "max", machine="q35"),
        Machine("uefi32-usb", "256M", "max", machine="q35"),
        Machine("uefi64", "4G", "max", machine="q35", suite="frame"),
        Machine("uefi64-usb", "256M", "max", machine="q35"),
        Machine("uefi64", "256M", "max", machine="q35", module=64),
        Machine("kernel", "64M", "486", says="needs a CPU with PAE"),
        Machine("kernel", "1536K", "max", says="image does not fit"),
        Machine("iso", "64M", "max", hole="all-but-64K", says="change: give the machine "),
        Machine("iso", "64M", "max", hole="all-but-512K", says="The self-tests need "),
        Machine("kernel", "8M", "qemu32", init="whole"),
        Machine("kernel", "6G", "max", machine="q35", init="whole"),
        Machine("iso", "64M", "pentium3", init="whole"),
        Machine("uefi32", "256M", "max", machine="q35", init="whole"),
        Machine("uefi64-usb", "256M", "max", machine="q35", init="whole"),
        Machine("iso", "64M", "max", init="cut", says="it ends in the data of a file"),
    ],
}


def boot_of(machine: Machine, args: argparse.Namespace, only: str) -> qemu.Boot:
    only = only or machine.suite
    what = "selftest=off" if machine.init else f"test={only}" if only else "test"
    words = [what, *machine.words.split()]
    boot = qemu.Boot(words=words, memory=machine.memory, cpu=machine.cpu, machine=machine.machine)
    boot.module = machine.module * MIB
    if machine.via == "kernel":
        boot.kernel = args.kernel
        return boot
    firmware, _, stick = machine.via.partition("-")
    boot.iso = args.iso
    boot.firmware = firmware if firmware in qemu.UEFI else "bios"
    boot.stick = bool(stick)
    boot.high = machine.high
    boot.entry = TWO_LEVEL_ENTRY if args.mode == "two-level" and machine.via.startswith("uefi") else 0
    behind = {kib: image_end(args.kernel) + kib * 1024 for kib in (64, 512)}
    boot.grub = [command.format(behind=behind) for command in HOLES.get(machine.hole, [])]
    return boot


def image_end(path: str) -> int:
    """Where the image that an ELF file loads ends in physical memory."""
    with open(path, "rb") as file:
        elf = file.read(4096)
    table, size, count = *struct.unpack_from("<I", elf, 28), *struct.unpack_from("<HH", elf, 42)
    segments = [struct.unpack_from("<6I", elf, table + i * size) for i in range(count)]
    return max(start + length for kind, _, _, start, _, length in segments if kind == 1)


def judge(name: str, run: qemu.Run, mode: str, shows: str) -> Result:
    """One result for a boot, with the failed cases as its notes."""
    results = convert(run.lines, run.ending, "boot", run.errors)
    if shows and not any(r.name == shows and r.ok and r.skip is None for r in results):
        results.append(Result("boot.cpu", False, None, [f"{shows} did not run and pass: is it the CPU meant?"]))
    if not any(mode_line(mode) in line for line in run.lines):
        results.append(Result("boot.mode", False, None, [f"no banner '{mode_line(mode)}': another kernel ran"]))
    bad = [r for r in results if not r.ok]
    notes = [f"{r.name}: {note}" for r in bad for note in r.notes[:80]]
    count = tally(results)
    summary = f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped"
    return Result(name, not bad, None, [f"{summary}, {run.seconds:.1f} s", *notes])


def mode_line(mode: str) -> str:
    """What the kernel's banner says of its paging mode, also under test."""
    return f"Quire, {'PAE' if mode == 'pae' else mode} paging"


def judge_init(name: str, run: qemu.Run, mode: str, says: str) -> Result:
    """The small init showed everything; or it said why not, and the machine ended."""
    if says:
        notes = [] if any(says in line for line in run.lines) else [f"did not say '{says}'"]
    else:
        notes = tour.faults(run.lines)
    notes += [] if run.ending.status == (NOT_WELL if says else WELL) else [run.ending.text()]
    notes += [] if any(mode_line(mode) in line for line in run.lines) else [f"no banner '{mode_line(mode)}'"]
    return Result(name, not notes, None, [*notes, *run.errors, *run.lines[-20:]] if notes else [])


def try_init(machine: Machine, args: argparse.Namespace) -> Result:
    """With the archive as it is the ISO's own is taken, where the way is an ISO."""
    name = machine.name(args.mode)
    boot = boot_of(machine, args, "")
    if not args.initramfs:
        return Result(name, True, "no programs were built")
    with tempfile.NamedTemporaryFile(prefix="quire-initramfs-") as archive:
        with open(args.initramfs, "rb") as whole:
            archive.write(ARCHIVES[machine.init](whole.read()))
        archive.flush()
        boot.initramfs = "" if boot.iso and machine.init == "whole" else archive.name
        return judge_init(name, qemu.run(boot), args.mode, machine.says)


def judge_refusal(name: str, run: qemu.Run, says: str) -> Result:
    """It must have said so, and stand still or end as failed; neither reset nor go on."""
    said = any(says in line for line in run.lines)
    ended = run.ending.status == STATUS_FAIL or run.ending.why.startswith("hung: silent")
    notes = [f"said '{says}': {said}", run.ending.text(), *run.lines[-20:]]
    return Result(name, said and ended, None, notes)


def try_machine(machine: Machine, args: argparse.Namespace, only: str) -> Result:
    name = machine.name(args.mode)
    boot = boot_of(machine, args, only)
    if not qemu.has_firmware(boot.firmware):
        return Result(name, True, f"no {boot.firmware} firmware in {qemu.UEFI_FOLDER}")
    if machine.init:
        return try_init(machine, args)
    if machine.says:
        boot.silence, boot.limit = 5, 30
        return judge_refusal(name, qemu.run(boot), machine.says)
    shows = machine.shows or (WHOLE if machine.module and boot.iso else "")
    return judge(name, qemu.run(boot), args.mode, "" if only else shows)


def run_matrix(args: argparse.Namespace, tap: Tap, only: str, part: str) -> int:
    for machine in MACHINES[args.mode]:
        if part not in machine.name(args.mode):
            continue
        result = try_machine(machine, args, only)
        tap.add(result)
        if result.ok and result.notes:
            tap.note(result.notes[0])
    return tap.finish()


def word(words: List[str], key: str) -> str:
    return next((w[len(key) :] for w in words if w.startswith(key)), "")


def main(argv: List[str]) -> int:
    qemu.end_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=sorted(MACHINES), required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--iso", required=True)
    parser.add_argument("--initramfs", default="", help="what the ISO has; without it the small init is not tried")
    parser.add_argument("words", nargs="*")
    args = parser.parse_args(argv)
    return run_matrix(args, Tap(), word(args.words, "test="), word(args.words, "only="))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
