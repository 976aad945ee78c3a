#!/usr/bin/env python3
"""Fails when a kernel holds an instruction that an i486 without FPU lacks, but for those that it asks CPUID about, and
these only in the functions that ask.

    check-isa.py LLVM-OBJDUMP KERNEL.elf [--pae]    with --pae cmpxchg8b too: every CPU with PAE has it
    check-isa.py LLVM-OBJDUMP PROGRAM... --user     programs may use the FPU as the i486 has it
"""
import re
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent / "tests" / "bench"
DEFINED = re.compile(r"^[a-z][\w *]*?\b(\w+)\([^;{}]*\)\n\{", re.M)

# Instructions newer than the i486, each with the functions that look at CPUID before it, and with that one into which
# such a function is compiled. The one-line functions arch_read_..., arch_write_... and cpuid are there in builds that
# inline nothing.
ASKED_FOR = {
    "cpuid": {"arch_cpu_identify", "cpuid"},
    "rdtsc": {"arch_clock_now", "arch_clock_calibrate", "arch_clock_noise", "arch_read_tsc"},
    "rdmsr": {"arch_mmu_enable", "turn_paging_on", "find_apic", "apic_timer_start",
              "ktest_run_trap_what_the_paging_unit_has_is_on", "arch_read_msr"},
    "wrmsr": {"arch_mmu_enable", "turn_paging_on", "arch_write_msr"},
    # Not of every i486 either: what the floating-point unit is stands in arch/x86/fpu.c.
    "fninit": {"arch_user_init", "answers", "arch_fpu_load"},
    "fildl": {"arch_fpu_load"},
    "fnstsw": {"arch_user_init", "answers"},
    "fnstcw": {"arch_user_init", "answers"},
    "fnsave": {"arch_fpu_save", "arch_fpu_error", "fnsave"},
    "frstor": {"arch_fpu_save", "arch_fpu_error", "arch_fpu_load", "fnsave"},
    "fxsave": {"arch_user_init", "arch_fpu_save", "arch_fpu_error", "fxsave"},
    "fxrstor": {"arch_fpu_load"},
    "fnclex": {"arch_fpu_load"},
    "rdrandl": {"arch_random_word"},
    "rdseedl": {"arch_random_word"},
}
# The benchmarks end before the first of them where there is no counter.
ASKED_FOR["rdtsc"] |= {name for file in BENCH.glob("*.c") for name in DEFINED.findall(file.read_text("utf-8"))}
ASKED_FOR_IN_PAE = {"cpuid": {"at_home"}}  # where it asks for PAE

# arch/user_access.h asks for each of them.
ANYWHERE = {"stac", "clac"}
ANYWHERE_IN_PAE = {"cmpxchg8b"}

# Of the i386 and i486, as LLVM spells them, without the suffix of the operand's size.
KNOWN = set("""
aaa aad aam aas adc add and arpl bound bsf bsr bswap bt btc btr bts call cbtw cltd clc cld cli clts cmc cmp cmps
cmpxchg cwtd cwtl daa das dec div enter hlt idiv imul in inc ins int int3 into invd invlpg iret ja jae jb jbe jcxz
je jecxz jg jge jl jle jmp jne jno jnp jns jo jp js lahf lar lcall lds lea leave les lfs lgdt lgs lidt ljmp lldt
lmsw lock lods loop loope loopne lret lsl lss ltr mov movs movsb movsw movzb movzw movabs mul neg nop not or out
outs pop popa popad popal popaw popf popfd pusha pushad pushal pushaw push pushf pushfd rcl rcr rep repe repne ret
rol ror sahf sal sar sbb scas seta setae setb setbe sete setg setge setl setle setne setno setnp setns seto setp
sets sgdt shl shld shr shrd sidt sldt smsw stc std sti stos str sub test ud2 verr verw wbinvd xadd xchg xlat xlatb
xor cs ds es fs gs ss data16 addr16 pause
""".split())

FUNCTION = re.compile(r"^[0-9a-f]+ <([^>]+)>:")
LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*([^#<]*)")
FPU = re.compile(r"f(?!cmov|comi|comip|compi|ucomi|ucompi|xsave|xrstor|isttp)\w+$|wait$")
VECTOR = re.compile(r"%[xyz]?mm\d|%k\d")
REGISTER = re.compile(r"%(st|[xyz]?mm)\b|%st\(|%[xyz]?mm\d|%k\d")


def is_known(name, function, pae):
    """True for an i486's instruction (b, w, l may stand at its end), and for one that its function asked for."""
    if function in ASKED_FOR.get(name, ()) or name in ANYWHERE:
        return True
    if pae and (function in ASKED_FOR_IN_PAE.get(name, ()) or name in ANYWHERE_IN_PAE):
        return True
    return name in KNOWN or (name[-1] in "bwlL" and name[:-1] in KNOWN)


def faults(disassembly, pae):
    """Yields the lines with an instruction that must not be there, and counts all of them."""
    count = 0
    function = ""
    for line in disassembly.splitlines():
        begins = FUNCTION.match(line)
        function = begins.group(1) if begins else function
        found = LINE.match(line)
        if not found:
            continue
        count += 1
        name, operands = found.group(2), found.group(3)
        # A NOP with an operand is the long form of the Pentium Pro.
        long_nop = name.startswith("nop") and operands.strip()
        # A lock is taken with the flags on the stack (arch/irq.h): addressed from ESP, it would be another word.
        lock_on_stack = name.startswith("bts") and "%esp" in operands
        if not is_known(name, function, pae) or long_nop or lock_on_stack or REGISTER.search(operands):
            yield f"{function}: {line.strip()}"
    if not count:
        yield "no instructions found"


def program_faults(disassembly):
    """The same for a program: its FPU is no fault."""
    kept = []
    for line in disassembly.splitlines():
        found = LINE.match(line)
        if not (found and FPU.match(found.group(2)) and not VECTOR.search(found.group(3))):
            kept.append(line)
    return faults("\n".join(kept), False)


def check(objdump, file, user, pae):
    """True when there is no fault in the file."""
    text = subprocess.run([objdump, "-d", "--no-show-raw-insn", "--mcpu=pentium4", file], check=True,
                          capture_output=True, text=True).stdout
    bad = list(program_faults(text) if user else faults(text, pae))
    for line in bad[:20]:
        print(line)
    print(f"{file}: " + (f"{len(bad)} instructions that an i486 does not have, and nobody asked for" if bad else
                         "nothing that an i486 does not have, but what was asked for"))
    return not bad


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    if len(words) < 2:
        sys.exit(__doc__)
    if not all([check(words[0], file, "--user" in sys.argv, "--pae" in sys.argv) for file in words[1:]]):
        sys.exit(1)


main()
