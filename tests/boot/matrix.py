#!/usr/bin/env python3
"""matrix.py - all suites on many machines: memory sizes, CPUs, the ISO and -kernel. A TAP line for each boot.

    matrix.py --mode two-level --kernel build/quire.elf --iso build/quire.iso   or --mode pae, quire-pae.elf
    matrix.py ... test=pgtable                                                  one suite on each machine

From the ISO GRUB takes the kernel that fits the CPU (cpuid -p), so there the CPU chooses the mode.
"""
from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import List

import qemu
from ktap import convert, tally
from tap import Result, Tap


@dataclass
class Machine:
    via: str  # "kernel", "iso" (under the BIOS), "uefi32" or "uefi64" (the ISO under these)
    memory: str
    cpu: str
    words: str = ""  # more for the command line
    machine: str = "pc"
    shows: str = ""  # a case that must not be skipped here: what the CPU was chosen for

    def name(self, mode: str) -> str:
        extra = [self.words] if self.words else []
        extra += [self.machine] if self.machine != "pc" else []
        return ".".join([mode, self.via, self.memory, self.cpu, *extra])


NX = "trap.data_is_not_executed"
NO_NX = "trap.data_is_executed_without_no_execute"
SMAP = "guard.smap_keeps_the_kernel_from_user_pages"

# Each memory size by each way in, each CPU once: a boot for every pair would prove no more and take longer.
MACHINES = {
    "two-level": [
        Machine("kernel", "8M", "486,-pse"),
        Machine("kernel", "64M", "486"),
        Machine("kernel", "64M", "qemu32", "cpu=486"),
        Machine("kernel", "1G", "pentium3"),
        Machine("kernel", "4G", "max", shows=SMAP),
        Machine("iso", "8M", "486"),
        Machine("iso", "64M", "486,-pse"),
        Machine("iso", "1G", "pentium"),
        Machine("iso", "4G", "qemu32,-pae"),
    ],
    "pae": [
        Machine("kernel", "8M", "pentium3", shows=NO_NX),
        Machine("kernel", "64M", "qemu32"),
        Machine("kernel", "1G", "pentium3", shows=NO_NX),
        Machine("kernel", "4G", "max", shows=NX),
        Machine("kernel", "6G", "max", machine="q35", shows=SMAP),
        Machine("iso", "8M", "max", shows=NX),
        Machine("iso", "64M", "pentium3", shows=NO_NX),
        Machine("iso", "1G", "qemu32"),
        Machine("iso", "4G", "max"),
        Machine("iso", "6G", "max"),
        Machine("uefi32", "256M", "max", machine="q35"),
        Machine("uefi64", "4G", "max", machine="q35"),
    ],
}
REFUSAL = "needs a CPU with PAE"


def boot_of(machine: Machine, args: argparse.Namespace, only: str) -> qemu.Boot:
    words = [f"test={only}" if only else "test", *machine.words.split()]
    boot = qemu.Boot(words=words, memory=machine.memory, cpu=machine.cpu, machine=machine.machine)
    if machine.via == "kernel":
        boot.kernel = args.kernel
    else:
        boot.iso = args.iso
        boot.firmware = machine.via if machine.via in qemu.UEFI else "bios"
    return boot


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


def refuse(args: argparse.Namespace) -> Result:
    """The PAE kernel on a CPU without PAE says so and halts; it neither resets nor goes on."""
    run = qemu.run(qemu.Boot(kernel=args.kernel, words=["test"], cpu="486", silence=5, limit=30))
    said = any(REFUSAL in line for line in run.lines)
    halted = run.ending.status is None and run.ending.why.startswith("hung: silent")
    notes = [f"said '{REFUSAL}': {said}", run.ending.text(), *run.lines[-20:]]
    return Result("pae.kernel.64M.486.refuses", said and halted, None, notes)


def try_machine(machine: Machine, args: argparse.Namespace, only: str) -> Result:
    name = machine.name(args.mode)
    boot = boot_of(machine, args, only)
    if not qemu.has_firmware(boot.firmware):
        return Result(name, True, f"no {boot.firmware} firmware in {qemu.UEFI_FOLDER}")
    return judge(name, qemu.run(boot), args.mode, "" if only else machine.shows)


def run_matrix(args: argparse.Namespace, tap: Tap, only: str) -> int:
    for machine in MACHINES[args.mode]:
        result = try_machine(machine, args, only)
        tap.add(result)
        if result.ok and result.notes:
            tap.note(result.notes[0])
    if args.mode == "pae":
        tap.add(refuse(args))
    return tap.finish()


def main(argv: List[str]) -> int:
    qemu.end_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=sorted(MACHINES), required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--iso", required=True)
    parser.add_argument("words", nargs="*")
    args = parser.parse_args(argv)
    only = next((w[len("test=") :] for w in args.words if w.startswith("test=")), "")
    return run_matrix(args, Tap(), only)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
