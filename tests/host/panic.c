/* tests/host/panic.c - the simulated machine's console, its last word, and the rules that were broken. */
#include "sim.h"

#include <arch/irq.h>
#include <kernel/ktest.h>
#include <lib/panic.h>
#include <sanitizer/common_interface_defs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITISED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITISED 1
#endif
#endif

uint32_t sim_interrupts = 1;
static uint32_t violations;
bool printk_quiet;

void printk(const char *format, ...)
{
	va_list args;

	if (printk_quiet)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

static void print_stack(void)
{
#ifdef SANITISED
	__sanitizer_print_stack_trace();
#endif
}

_Noreturn void panic(const char *format, ...)
{
	char message[512];
	va_list args;

	printk_quiet = false;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (ktest_panicking(message))
		exit(0);
	printf("# panic: %s\n", message);
	fflush(stdout);
	print_stack();
	abort();
}

void arch_relax(void)
{
	panic("sim: the only processor spins");
}

void sim_violation(const char *format, ...)
{
	va_list args;

	violations++;
	printf("# sim: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

uint32_t sim_violations(void)
{
	uint32_t count = violations;

	violations = 0;
	return count;
}
