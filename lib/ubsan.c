/*
 * lib/ubsan.c - where clang's undefined-behaviour checks end, in builds that have them: a panic that names the
 * place. The compiler fixes the names and what the first argument points at.
 */
#include <lib/panic.h>

/* Every handler's data begins with this. */
struct source_place {
	const char *file;
	uint32_t line, column;
};

static _Noreturn void report(const struct source_place *at, const char *what)
{
	panic("%s:%u:%u: undefined behaviour: %s", at->file, at->line, at->column, what);
}

static _Noreturn void report_values(const struct source_place *at, const char *what, uintptr_t a, uintptr_t b)
{
	panic("%s:%u:%u: undefined behaviour: %s (0x%lx, 0x%lx)", at->file, at->line, at->column, what,
	      (unsigned long)a, (unsigned long)b);
}

/* Handlers that get the place alone, with one value, with two. Values wider than a word come as pointers. */
#define HANDLER(name, what)                                                                                  \
	void __ubsan_handle_##name(const struct source_place *at);                                           \
	void __ubsan_handle_##name(const struct source_place *at)                                            \
	{                                                                                                    \
		report(at, what);                                                                            \
	}
#define HANDLER_1(name, what)                                                                                \
	void __ubsan_handle_##name(const struct source_place *at, uintptr_t a);                              \
	void __ubsan_handle_##name(const struct source_place *at, uintptr_t a)                               \
	{                                                                                                    \
		report_values(at, what, a, 0);                                                               \
	}
#define HANDLER_2(name, what)                                                                                \
	void __ubsan_handle_##name(const struct source_place *at, uintptr_t a, uintptr_t b);                 \
	void __ubsan_handle_##name(const struct source_place *at, uintptr_t a, uintptr_t b)                  \
	{                                                                                                    \
		report_values(at, what, a, b);                                                               \
	}

HANDLER(builtin_unreachable, "unreachable code is reached")
HANDLER(missing_return, "a function ends without a value")
HANDLER(nonnull_arg_abort, "null for an argument that must not be")
HANDLER(invalid_builtin_abort, "a builtin is called with 0")
HANDLER_1(negate_overflow_abort, "negation overflows")
HANDLER_1(out_of_bounds_abort, "index out of bounds")
HANDLER_1(load_invalid_value_abort, "a value that its type does not have")
HANDLER_1(type_mismatch_v1_abort, "null, misaligned or too small an object")
HANDLER_1(vla_bound_not_positive_abort, "array of no size")
HANDLER_2(add_overflow_abort, "addition overflows")
HANDLER_2(sub_overflow_abort, "subtraction overflows")
HANDLER_2(mul_overflow_abort, "multiplication overflows")
HANDLER_2(divrem_overflow_abort, "division by zero or overflow")
HANDLER_2(shift_out_of_bounds_abort, "shift by too much or of a negative value")
HANDLER_2(pointer_overflow_abort, "pointer arithmetic overflows")
HANDLER_2(alignment_assumption_abort, "a pointer is less aligned than assumed")

/* The data begins with the attribute's place here; the return's is the argument. */
void __ubsan_handle_nonnull_return_v1_abort(const void *data, const struct source_place *at);
void __ubsan_handle_nonnull_return_v1_abort(const void *data, const struct source_place *at)
{
	(void)data;
	report(at, "null from a function that must not return it");
}
