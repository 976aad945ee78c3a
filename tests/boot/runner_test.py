#!/usr/bin/env python3
"""runner_test.py - unit tests of the converter and the runner, on canned reports and fake emulators."""
from __future__ import annotations

import contextlib
import io
import os
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from typing import Callable, Dict, List

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts")
sys.path.insert(0, SCRIPTS)

import display  # noqa: E402
import iso  # noqa: E402
import make_font  # noqa: E402
import qemu  # noqa: E402
import run  # noqa: E402
import test_all as counting  # noqa: E402
from ktap import STATUS_FAIL, STATUS_PASS, Ending, convert, tally  # noqa: E402
from tap import Result, Tap, read_tap  # noqa: E402

PASSING = """\
Quire boots
KTAP version 1
1..2
  KTAP version 1
  # Subtest: quota
  1..2
  # running charge
  ok 1 charge
  # running split.4
  ok 2 split.4
# quota: pass:2 fail:0 skip:0
ok 1 quota
  KTAP version 1
  # Subtest: trap
  1..1
  # running nx
  ok 1 nx # SKIP this CPU has no NX
# trap: pass:0 fail:0 skip:1
ok 2 trap
# totals: pass:2 fail:0 skip:1
"""

FAILING = """\
KTAP version 1
1..1
  KTAP version 1
  # Subtest: pgtable
  1..2
  # running unmap_flushes_before_free
  # sim: frame 0x11113 freed while page 0x400 still translates to it
  # EXPECT tests/ktest/pgtable_test.c:52: !machine_reads(0x400): got 0, want 1
  not ok 1 unmap_flushes_before_free
  # running other
  ok 2 other
# pgtable: pass:1 fail:1 skip:0
not ok 1 pgtable
# totals: pass:1 fail:1 skip:0
"""

PASS = Ending(STATUS_PASS)
FAIL = Ending(STATUS_FAIL)
HUNG = Ending(None, "hung: silent for 5 s")


def of(text: str, ending: Ending) -> Dict[str, Result]:
    return {r.name: r for r in convert(text.split("\n"), ending)}


def bad(text: str, ending: Ending) -> List[str]:
    return sorted(name for name, r in of(text, ending).items() if not r.ok)


def same(got: object, want: object) -> None:
    if got != want:
        raise AssertionError(f"got {got!r}, want {want!r}")


def up_to(text: str, mark: str) -> str:
    """The text as far as the line that holds the mark, that line too."""
    lines = text.split("\n")
    return "\n".join(lines[: next(i for i, t in enumerate(lines) if mark in t) + 1])


def test_whole_run_passes() -> None:
    results = of(PASSING, PASS)
    same(list(results), ["quota.charge", "quota.split.4", "trap.nx"])
    same(results["trap.nx"].skip, "this CPU has no NX")
    same(tally(results.values()), {"passed": 2, "failed": 0, "skipped": 1})


def test_line_ends_and_escapes_do_not_matter() -> None:
    same(bad("\x1bc\x1b[2J\x1b[0m" + PASSING.replace("\n", "\r\n"), PASS), [])


def test_failed_case_keeps_its_notes() -> None:
    results = of(FAILING, FAIL)
    same(bad(FAILING, FAIL), ["pgtable.unmap_flushes_before_free"])
    notes = results["pgtable.unmap_flushes_before_free"].notes
    same(len(notes), 2)
    same(notes[1].startswith("EXPECT tests/ktest"), True)


def test_other_status_than_report_is_a_failure() -> None:
    same(bad(PASSING, FAIL), ["boot.exit_status"])
    same(bad(FAILING, PASS), ["boot.exit_status", "pgtable.unmap_flushes_before_free"])


def test_crash_names_the_running_case() -> None:
    for status in (0, 1, 139, -9):
        same(bad(up_to(PASSING, "running split.4"), Ending(status)), ["boot.plan", "quota.split.4"])


def test_hang_names_the_running_case() -> None:
    results = of(up_to(PASSING, "running split.4") + "\nlast words", HUNG)
    notes = results["quota.split.4"].notes
    same("hung: silent for 5 s" in notes, True)
    same("| last words" in notes, True)


def test_early_end_with_passing_status_is_a_failure() -> None:
    same(bad(up_to(PASSING, "running split.4"), PASS), ["boot.plan", "quota.split.4"])


def test_every_truncation_is_a_failure() -> None:
    lines = PASSING.rstrip("\n").split("\n")
    whole = next(i for i, line in enumerate(lines) if line == "ok 2 trap") + 1
    for ending in (PASS, FAIL, HUNG, Ending(0)):
        for length in range(whole):
            same(bool(bad("\n".join(lines[:length]), ending)), True)


def test_every_lost_line_is_a_failure() -> None:
    needed = ("KTAP", "1..", "ok ", "Subtest")
    lines = PASSING.rstrip("\n").split("\n")
    for i, line in enumerate(lines):
        if line.strip().startswith(needed) and line != "  KTAP version 1":
            left = lines[:i] + lines[i + 1 :]
            if line == "KTAP version 1":
                left = [t for t in left if t != "  KTAP version 1"]
            same((line, bool(bad("\n".join(left), PASS))), (line, True))


def test_panic_report_goes_to_its_case() -> None:
    text = up_to(FAILING, "not ok 1 unmap") + "\npanic: oh\neax 00000000"
    results = of(text, FAIL)
    same(bad(text, FAIL), ["boot.plan", "pgtable.unmap_flushes_before_free"])
    same(results["pgtable.unmap_flushes_before_free"].notes[-2:], ["panic: oh", "eax 00000000"])


def test_crash_after_the_report_is_a_failure() -> None:
    same(bad(PASSING, Ending(0)), ["boot.crash"])
    same(bad(PASSING, HUNG), ["boot.crash"])


def test_crash_between_cases_names_the_suite() -> None:
    same(bad(up_to(PASSING, "ok 1 charge"), Ending(0)), ["boot.plan", "quota.crash"])


def test_crash_before_the_report_is_a_failure() -> None:
    same(bad("Quire boots\nPANIC", Ending(0)), ["boot.crash"])
    same(bad("", PASS), ["boot.report"])


def test_empty_report_is_a_failure() -> None:
    same(bad("KTAP version 1\n1..0\n", PASS), ["boot.plan"])


def test_result_under_another_name_is_a_failure() -> None:
    same("quota.charge" in bad(PASSING.replace("ok 1 charge", "ok 1 change"), PASS), True)


def test_suite_verdict_must_agree_with_its_cases() -> None:
    same(bad(PASSING.replace("\nok 1 quota", "\nnot ok 1 quota"), PASS), ["boot.exit_status", "boot.verdict"])


def test_totals_must_agree_with_the_report() -> None:
    same(bad(PASSING.replace("totals: pass:2", "totals: pass:3"), PASS), ["boot.totals"])


def test_case_reported_twice_is_a_failure() -> None:
    text = PASSING.replace("ok 2 split.4", "ok 2 charge").replace("running split.4", "running charge")
    same("boot.order" in bad(text, PASS), True)


def test_not_ok_with_skip_stays_a_failure() -> None:
    same("trap.nx" in bad(PASSING.replace("ok 1 nx", "not ok 1 nx"), FAIL), True)


def test_tap_has_plan_numbers_and_clean_names() -> None:
    out = io.StringIO()
    tap = Tap(out)
    tap.add(Result("a.b", True))
    tap.add(Result("a #b", False, None, ["why\x07"]))
    tap.add(Result("a.c", True, "no NX"))
    same(tap.finish(), 1)
    want = ["TAP version 13", "ok 1 a.b", "not ok 2 a__b", "# why?", "ok 3 a.c # SKIP no NX", "1..3", ""]
    same(out.getvalue().split("\n"), want)


def test_tap_without_results_is_a_failure() -> None:
    out = io.StringIO()
    same(Tap(out).finish(), 1)
    same("not ok 1" in out.getvalue(), True)


def fake_qemu(script: str, **limits: float) -> qemu.Run:
    """Boots with a shell script in the place of QEMU."""
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "qemu")
        with open(program, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(program, 0o700)
        before = os.environ.get("QEMU")
        os.environ["QEMU"] = program
        try:
            return qemu.run(qemu.Boot(kernel="none", **limits))
        finally:
            os.environ.pop("QEMU")
            if before is not None:
                os.environ["QEMU"] = before


def test_runner_passes_status_and_text_on() -> None:
    done = fake_qemu("echo one; echo two; echo oops >&2; exit 33")
    same((done.ending.status, done.lines, done.errors), (33, ["one", "two", ""], ["oops"]))


def test_runner_ends_silence() -> None:
    start = time.monotonic()
    done = fake_qemu("echo one; exec sleep 60", silence=0.5)
    same((done.ending, done.lines[0]), (Ending(None, "hung: silent for 0.5 s"), "one"))
    same(time.monotonic() - start < 10, True)


def test_runner_ends_endless_talk() -> None:
    done = fake_qemu("while :; do echo on; sleep 0.1; done", limit=0.7)
    same(done.ending, Ending(None, "hung: still running after 0.7 s"))
    done = fake_qemu("exec yes 12345678901234567890123456789012345678901234567890")
    same(done.ending.why.startswith("hung: printed more"), True)


def test_runner_without_emulator_is_a_failure() -> None:
    os.environ["QEMU"] = "/nowhere/qemu"
    try:
        done = qemu.run(qemu.Boot(kernel="none"))
    finally:
        del os.environ["QEMU"]
    same(done.ending.why.startswith("could not start"), True)
    same([r.ok for r in convert(done.lines, done.ending)], [False])


def test_compare_names_what_there_is() -> None:
    """At once, before anything is built."""
    for name in ("nosuch", "fact", "fork wait"):
        done = subprocess.run([os.path.join(SCRIPTS, "compare"), name], capture_output=True, text=True)
        same(done.returncode, 1)
        same(done.stderr.startswith(f"compare: no program of facts: {name}. There are: "), True)
        same(" mmap " in done.stderr, True)


def test_names_choose_suites_and_cases() -> None:
    cases = {"quota.charge": "normal", "quota.split": "normal", "quotas.x": "panic"}
    same(list(run.chosen(cases, "quota")), ["quota.charge", "quota.split"])
    same(list(run.chosen(cases, "quota.split")), ["quota.split"])
    same(list(run.chosen(cases, "quota.split.4")), ["quota.split"])
    same(list(run.chosen(cases, "quo")), [])
    same(list(run.chosen(cases, "quota.spl")), [])
    same(run.chosen(cases, ""), cases)


def test_grub_config_gets_commands_and_a_module() -> None:
    text = "function start {\n\tif multiboot2 $@; then\n\t\tset x=y\n\tfi\n}\n"
    want = (
        "function start {\n\tcutmem 1M 2M\n\tif multiboot2 $@ test; then\n"
        "\tmodule2 /boot/module.bin numbered\n\t\tset x=y\n\tfi\n}\n"
    )
    same(iso.edit_config(text, iso.Extras(["test"], ["cutmem 1M 2M"], 4096)), want)


def test_grub_config_gets_words_on_every_kernel() -> None:
    text = 'set timeout=5\nset default=1\nmenuentry "a" {\n\tmultiboot2 /boot/a.elf  \n\tboot\n}\n'
    want = 'set timeout=0\nset default=0\nmenuentry "a" {\n\tmultiboot2 /boot/a.elf test seed=1\n\tboot\n}\n'
    same(iso.edit_config(text, iso.Extras(["test", "seed=1"])), want)


GOOD_TAP = "TAP version 13\nok 1 a.b\nnot ok 2 a.c\n# why\nok 3 a.d # SKIP no NX\n1..3\n"


def test_flat_report_is_read_back() -> None:
    report = read_tap(GOOD_TAP)
    same((report.problems, report.skipped), ([], None))
    same([(r.name, r.ok, r.skip) for r in report.results], [("a.b", 1, None), ("a.c", 0, None), ("a.d", 1, "no NX")])
    same(report.results[1].notes, ["why"])
    same(read_tap("TAP version 13\n1..0 # SKIP nothing here\n").skipped, "nothing here")


def test_unsound_flat_report_has_problems() -> None:
    for text in ("", "1..0\n", GOOD_TAP.replace("1..3\n", ""), GOOD_TAP.replace("1..3", "1..4")):
        same((text, bool(read_tap(text).problems)), (text, True))
    for text in (GOOD_TAP + "1..3\n", GOOD_TAP.replace("ok 3", "ok 2"), GOOD_TAP + "Bail out! gone\n"):
        same((text, bool(read_tap(text).problems)), (text, True))


def counted(stdout: str, result: str, is_tap: bool = True) -> List[int]:
    """What scripts/test makes of one test: passed, failed, skipped."""
    total = counting.Total()
    entry = {"stdout": stdout, "stderr": "", "result": result, "returncode": 0}
    with contextlib.redirect_stdout(io.StringIO()):
        counting.count_test("here", counting.Known("t", is_tap, []), entry, total, False)
    return [total.passed, total.failed, total.skipped]


def test_count_is_of_cases() -> None:
    same(counted(GOOD_TAP, "FAIL"), [1, 1, 1])
    same(counted("", "OK", is_tap=False), [1, 0, 0])
    same(counted("TAP version 13\n1..0 # SKIP none\n", "SKIP"), [0, 0, 1])


def test_count_takes_no_crash_for_success() -> None:
    same(counted("", "SKIP"), [0, 1, 0])
    same(counted("", "OK"), [0, 1, 0])
    same(counted("TAP version 13\nok 1 a.b\n", "TIMEOUT"), [1, 1, 0])
    same(counted("TAP version 13\nok 1 a.b\n1..1\n", "ERROR"), [1, 1, 0])
    for result in ("FAIL", "ERROR", "TIMEOUT", "INTERRUPT"):
        same(counted("", result, is_tap=False), [0, 1, 0])


def psf(kind: int, bitmaps: List[bytes], codes: List[str]) -> bytes:
    """A font of 8 pixels by 2 with a table of characters, in either format."""
    if kind == 1:
        bitmaps, codes = bitmaps + [b"\0\0"] * (256 - len(bitmaps)), codes + [""] * (256 - len(codes))
        table = b"".join(c.encode("utf-16-le") + b"\xfe\xff" + b"A\0\xff\xff" for c in codes)
        return bytes([0x36, 4, 2, 2]) + b"".join(bitmaps) + table
    head = struct.pack("<8I", 0x864AB572, 0, 32, 1, len(bitmaps), 2, 2, 8)
    return head + b"".join(bitmaps) + b"".join(c.encode() + b"\xfeA\xff" for c in codes)


def parsed(data: bytes) -> make_font.Font:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return make_font.read_font(file.name)


PRINTABLE = [chr(code) for code in range(0x20, 0x7F)]
DOTS = [bytes([0, code]) for code in range(0x20, 0x7F)]


def test_font_is_read_by_its_own_table() -> None:
    """Glyphs stand in any order, one for several characters; sequences, like the one of an A, are no character."""
    for kind in (1, 2):
        font = parsed(psf(kind, DOTS[::-1], PRINTABLE[::-1]))
        same((font.width, font.height, font.stride), (8, 2, 1))
        same([font.glyphs[ord(c)] for c in PRINTABLE], DOTS)
        shared = parsed(psf(kind, DOTS[1:], ["! \xe9", *PRINTABLE[2:]]))
        same((shared.glyphs[ord(" ")], shared.glyphs[ord("!")]), (DOTS[1], DOTS[1]))


def test_broken_font_is_refused() -> None:
    good = psf(2, DOTS, PRINTABLE)
    for data in (b"", b"\x36\x04", good[:20], good[:100], b"PNG" + good, psf(1, DOTS[:-1], PRINTABLE[:-1])):
        try:
            parsed(data)
        except make_font.FontError:
            continue
        raise AssertionError(f"taken: {data[:16]!r}")


def test_screen_is_read_back() -> None:
    """Text from a picture; a cell that is no character, and one with a pixel too many, are none."""
    font = make_font.Font(8, 2, dict(zip(range(0x20, 0x7F), DOTS)))
    rows = [[0] * 24, [int(b) for c in (0x48, 0x69, 0xFF) for b in f"{c:08b}"]]
    pixels = b"".join(bytes([v * 0xAA] * 3) for row in rows for v in row)
    picture = display.read_ppm(b"P6\n24 2\n255\n" + pixels)
    same((picture.width, picture.height, picture.pixels), (24, 2, pixels))
    same(display.rows_of_picture(picture, font), ["Hi\0"])
    same(display.rows_of_memory(b"H\7i\7" + b" \7" * 78 + b"!\7" + b" \7" * 79), ["Hi", "!"])
    same(display.wrapped(["abcdef", "", "ab"], 4), ["abcd", "ef", "", "ab"])


def main() -> int:
    tests: Dict[str, Callable[[], None]] = {
        name[len("test_") :]: value for name, value in globals().items() if name.startswith("test_")
    }
    tap = Tap()
    for name, test in tests.items():
        try:
            test()
            tap.add(Result(f"runner.{name}", True))
        except Exception:  # pylint: disable=broad-except
            tap.add(Result(f"runner.{name}", False, None, traceback.format_exc().splitlines()))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
