#!/usr/bin/env python3
"""boot.py - one boot for a person (--console, --debug) or for its exit status (--status). Words go to the kernel.

    boot.py --console --iso build/quire.iso --memory 1G
    boot.py --status --kernel build/quire.elf exit
    boot.py --debug --kernel build/quire.elf test=pgtable
"""
from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
from typing import List

import iso
import qemu
from ktap import STATUS_PASS
from run import add_machine_arguments, boot_of

HELPERS = os.path.normpath(os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "gdb", "quire.py"))
GDB_PORT = 1234


def console(boot: qemu.Boot) -> int:
    """The serial port and, behind Ctrl-A C, QEMU's monitor in this terminal."""
    with qemu.prepared(boot) as ready:
        ended = subprocess.call([*qemu.command(ready), "-serial", "mon:stdio"])
    is_tested = any(word.split("=")[0] in ("exit", "test", "bench") for word in boot.words)
    # QEMU ends with 2n + 1: n is the first program's status, or tells whether tests passed.
    return ended if is_tested or ended % 2 == 0 else ended // 2


def status(boot: qemu.Boot) -> int:
    """Shows the serial port as it comes; 0 only when the machine itself said that it passed."""

    def show(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    run = qemu.run(boot, show)
    passed = run.ending.status == STATUS_PASS
    reason = "" if passed else f": {run.ending.text()}"
    print(f"\n==> self-tests {'passed' if passed else 'failed'} after {run.seconds:.1f} s{reason}")
    for complaint in run.errors:
        print(f"==> QEMU: {complaint}")
    return 0 if passed else 1


def gdb_command(kernel: str) -> List[str]:
    """gdb with symbols and helpers, stopped where C begins. The breakpoint is in hardware: the page is not yet
    mapped where the program says that it is."""
    steps = [f"source {HELPERS}", f"target remote localhost:{GDB_PORT}", "hbreak kernel_main", "continue"]
    return ["gdb", "-q", kernel, *(word for step in steps for word in ("-ex", step))]


def debug(boot: qemu.Boot) -> int:
    """QEMU stopped before its first instruction, and gdb where there is one and a terminal for it."""
    assert boot.kernel is not None, "gdb needs --kernel: symbols belong to one ELF file"
    log = f"{boot.kernel}.serial"
    gdb = gdb_command(boot.kernel)
    # A session of its own: Ctrl-C in gdb stops the kernel and must not end QEMU.
    machine = subprocess.Popen(
        [*qemu.command(boot), "-gdb", f"tcp:127.0.0.1:{GDB_PORT}", "-S", "-serial", f"file:{log}"],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    print(f"==> QEMU waits for gdb on port {GDB_PORT}; the serial port goes to {log}", flush=True)
    try:
        if shutil.which("gdb") and sys.stdin.isatty():
            signal.signal(signal.SIGINT, lambda *_: None)
            return subprocess.call(gdb)
        print(f"==> in another terminal: {shlex.join(gdb)}", flush=True)
        return machine.wait()
    finally:
        machine.kill()
        machine.wait()


def main(argv: List[str]) -> int:
    qemu.end_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--console", action="store_const", dest="act", const=console)
    how.add_argument("--status", action="store_const", dest="act", const=status)
    how.add_argument("--debug", action="store_const", dest="act", const=debug)
    add_machine_arguments(parser)
    parser.add_argument("words", nargs="*", help="words for the kernel's command line")
    args = parser.parse_args(argv)
    try:
        return args.act(boot_of(args, args.words))
    except (OSError, iso.IsoError) as error:
        print(f"boot.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
