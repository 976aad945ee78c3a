/*
 * tests/fuzz/boot_model.h - what the loader's information says, read a second time by a reader that may be slow, and
 * what both readers must agree on.
 */
#ifndef TESTS_BOOT_MODEL_H
#define TESTS_BOOT_MODEL_H

#include "claims.h"

#include <mm/boot_info.h>

struct boot_model {
	bool refused;
	struct claims claims;
	uint32_t ranges, modules;
	const uint8_t *cmdline; /* null: none */
	uint32_t cmdline_length;
};

void boot_model_range(struct boot_model *m, uint64_t base, uint64_t length, uint32_t type);
void boot_model_module(struct boot_model *m, uint64_t start, uint64_t length);

/* Reads the information by arch_boot_info and demands that it agrees with the model. */
void boot_model_compare(struct boot_model *m, uint32_t magic, uint32_t physical);

#endif
