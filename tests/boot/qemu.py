"""qemu.py - one boot in QEMU: the command line, and a headless run under limits.

The machine always has the isa-debug-exit device, through which the kernel ends it with a status; without it,
and on a reset, QEMU ends with some other status, which is a crash.
"""
from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from typing import Callable, Iterator, List, Optional

import iso
from ktap import Ending

# UEFI firmware, as Debian's ovmf and ovmf-ia32 install it: the emulator that runs it, its code, its variables.
UEFI = {
    "uefi64": ("qemu-system-x86_64", "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
    "uefi32": ("qemu-system-i386", "OVMF32_CODE_4M.secboot.fd", "OVMF32_VARS_4M.fd"),
}
UEFI_FOLDER = "/usr/share/OVMF"

OUTPUT_LIMIT = 16 << 20  # bytes; a kernel that prints without end is hung too


@dataclass
class Boot:
    """What to start. Exactly one of kernel (an ELF file, by -kernel) and iso (by its GRUB)."""

    kernel: Optional[str] = None
    iso: Optional[str] = None
    words: List[str] = field(default_factory=list)  # for the kernel's command line
    memory: str = "64M"
    cpu: str = ""  # empty: QEMU's own choice
    machine: str = "pc"
    firmware: str = "bios"  # or one of UEFI, with an ISO and the machine q35
    stick: bool = False  # the ISO is a USB stick, not a CD
    grub: List[str] = field(default_factory=list)  # commands for GRUB, before it loads a kernel
    entry: int = 0  # of GRUB's menu
    high: bool = False  # GRUB puts the kernel as high as it can, and modules where the kernel belongs
    module: int = 0  # bytes of a boot module; 0: none
    module_file: str = ""  # the file that prepared() makes of it, for -kernel
    initramfs: str = ""  # a file: the module in the place of the ISO's own, or the only one
    limit: float = 600.0  # seconds for the whole run
    silence: float = 60.0  # seconds without output


@dataclass
class Run:
    ending: Ending
    lines: List[str]
    errors: List[str]  # QEMU's own words
    seconds: float


def command(boot: Boot, can_exit: bool = True) -> List[str]:
    """The words that start QEMU, but for where the serial port goes. boot.iso has its words in it already.
    Without can_exit the kernel finds no device by which to end QEMU, and stands still instead."""
    emulator = UEFI[boot.firmware][0] if boot.firmware in UEFI else os.environ.get("QEMU", "qemu-system-i386")
    args = [emulator, "-machine", boot.machine, "-m", boot.memory]
    args += ["-display", "none", "-no-reboot", "-nic", "none"]
    args += ["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"] if can_exit else []
    if boot.cpu:
        args += ["-cpu", boot.cpu]
    if boot.firmware in UEFI:
        args += firmware_drives(*UEFI[boot.firmware][1:])
    if boot.iso and boot.stick:
        args += ["-drive", f"if=none,id=stick,format=raw,snapshot=on,file={boot.iso}"]
        return args + ["-device", "usb-ehci", "-device", "usb-storage,drive=stick,bootindex=0"]
    if boot.iso:
        return args + ["-boot", "d", "-cdrom", boot.iso]
    assert boot.kernel is not None
    initrd = boot.module_file or boot.initramfs  # by PVH there is one
    args += ["-initrd", initrd] if initrd else []
    return args + ["-kernel", boot.kernel, "-append", " ".join(boot.words)]


def firmware_drives(code: str, variables: str) -> List[str]:
    """The firmware's two flash chips; what it writes to the second is thrown away."""
    flash = "if=pflash,format=raw"
    return [
        *("-drive", f"{flash},unit=0,readonly=on,file={UEFI_FOLDER}/{code}"),
        *("-drive", f"{flash},unit=1,snapshot=on,file={UEFI_FOLDER}/{variables}"),
    ]


def has_firmware(firmware: str) -> bool:
    """True when this machine has the firmware; the BIOS comes with QEMU."""
    files = UEFI[firmware][1:] if firmware in UEFI else ()
    return all(os.path.exists(os.path.join(UEFI_FOLDER, file)) for file in files)


@contextlib.contextmanager
def prepared(boot: Boot) -> Iterator[Boot]:
    """The boot, with throw-away files: a module, and a copy of the ISO where its GRUB must do more."""
    extras = iso.Extras(boot.words, boot.grub, boot.module, boot.entry, boot.high, boot.initramfs)
    with tempfile.TemporaryDirectory(prefix="quire-iso-") as folder:
        changes = {}
        if boot.iso and extras != iso.Extras():
            changes["iso"] = os.path.join(folder, "quire.iso")
            iso.copy_with(boot.iso, changes["iso"], extras)
        elif boot.kernel and boot.module:
            changes["module_file"] = os.path.join(folder, "module.bin")
            iso.write_module(changes["module_file"], boot.module)
        yield replace(boot, **changes)


def run(boot: Boot, on_text: Optional[Callable[[str], None]] = None) -> Run:
    """Boots without a terminal and waits for the end or a limit. Never raises for what the machine does."""
    start = time.monotonic()
    try:
        with prepared(boot) as ready:
            return _run(ready, start, on_text)
    except (OSError, iso.IsoError) as error:
        return Run(Ending(None, f"could not start: {error}"), [], [], time.monotonic() - start)


def run_unheard(boot: Boot, options: List[str]) -> Run:
    """Boots with these options in the place of a serial port that is read, and waits for the end or boot.limit."""
    start = time.monotonic()
    line = [*command(boot), "-monitor", "none", *options]
    try:
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=boot.limit)
        ending, errors = Ending(done.returncode), done.stderr.splitlines()
    except subprocess.TimeoutExpired:
        ending, errors = Ending(None, f"hung: still running after {boot.limit:g} s"), []
    except OSError as error:
        ending, errors = Ending(None, f"could not start: {error}"), []
    return Run(ending, [], errors, time.monotonic() - start)


def _run(boot: Boot, start: float, on_text: Optional[Callable[[str], None]]) -> Run:
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [*command(boot), "-monitor", "none", "-serial", "stdio"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            text, why = _collect(process, boot, on_text)
        finally:
            process.kill()
            status = process.wait()
        errors.seek(0)
        complaints = errors.read().decode(errors="replace").splitlines()
    ending = Ending(None, why) if why else Ending(status)
    return Run(ending, text.split("\n"), complaints[-10:], time.monotonic() - start)


def _collect(process: "subprocess.Popen[bytes]", boot: Boot, on_text: Optional[Callable[[str], None]]):
    """Reads the serial port to its end; returns the text and, when a limit was hit, which."""
    assert process.stdout is not None
    chunks: List[bytes] = []
    size = 0
    end = time.monotonic() + boot.limit
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return _text(chunks), f"hung: still running after {boot.limit:g} s"
            if size > OUTPUT_LIMIT:
                return _text(chunks), f"hung: printed more than {OUTPUT_LIMIT >> 20} MiB"
            if not selector.select(min(left, boot.silence)):
                if left > boot.silence:
                    return _text(chunks), f"hung: silent for {boot.silence:g} s"
                continue
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                return _text(chunks), _await_end(process)
            size += len(chunk)
            chunks.append(chunk)
            if on_text:
                on_text(_text([chunk]))


def _await_end(process: "subprocess.Popen[bytes]") -> str:
    """The serial port is closed: QEMU must be on its way out, and its own status is the one that counts."""
    try:
        process.wait(timeout=10)
        return ""
    except subprocess.TimeoutExpired:
        return "QEMU closed the serial port and did not end"


def _text(chunks: List[bytes]) -> str:
    return b"".join(chunks).decode("utf-8", errors="replace")


def end_on_sigterm() -> None:
    """So that a runner that is told to stop takes its QEMU with it: `finally` runs on SystemExit only."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
