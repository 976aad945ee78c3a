/* arch/idt.h - the interrupt table. */
#ifndef ARCH_IDT_H
#define ARCH_IDT_H

/* Fills and loads the table. The segments of arch/gdt.h are loaded already. */
void idt_init(void);

#endif
