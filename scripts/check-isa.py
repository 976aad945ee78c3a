#!/usr/bin/env python3
"""Fails when a kernel holds an instruction that an i486 without FPU lacks, but for those that it asks CPUID about.

    check-isa.py LLVM-OBJDUMP KERNEL.elf
"""
import re
import subprocess
import sys

# Instructions newer than the i486, each used only after a look at CPUID or in a mode that implies it.
ASKED_FOR = {"cpuid", "rdtsc", "rdmsr", "wrmsr", "cmpxchg8b", "stac", "clac"}

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

LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*([^#<]*)")
REGISTER = re.compile(r"%(st|[xyz]?mm)\b|%st\(|%[xyz]?mm\d|%k\d")


def is_known(name):
    """True for a name as it is, or without b, w, l at its end."""
    return name in KNOWN or name in ASKED_FOR or (name[-1] in "bwlL" and name[:-1] in KNOWN)


def faults(disassembly):
    """Yields the lines with an instruction that must not be there, and counts all of them."""
    count = 0
    for line in disassembly.splitlines():
        found = LINE.match(line)
        if not found:
            continue
        count += 1
        name, operands = found.group(2), found.group(3)
        # A NOP with an operand is the long form of the Pentium Pro.
        long_nop = name.startswith("nop") and operands.strip()
        if not is_known(name) or long_nop or REGISTER.search(operands):
            yield line.strip()
    if not count:
        yield "no instructions found"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    objdump, kernel = sys.argv[1:]
    text = subprocess.run([objdump, "-d", "--no-show-raw-insn", "--mcpu=pentium4", kernel], check=True,
                          capture_output=True, text=True).stdout
    bad = list(faults(text))
    for line in bad[:20]:
        print(line)
    if bad:
        sys.exit(f"{kernel}: {len(bad)} instructions that an i486 does not have")
    print(f"{kernel}: nothing that an i486 does not have")


main()
