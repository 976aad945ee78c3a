/*
 * tests/host/configs.c - the machines that the suites run on. Frame numbers; 1 MiB is 0x100 frames, the direct
 * map ends at 0x37000, in PAE at 0x28000; 4 GiB is 0x100000. No machine has RAM from 0xFE000 up to there: devices
 * and firmware stand in that place on every PC, and tests may map it.
 */
#include "sim.h"

static const struct sim_config configs[] = {
	{
		.name = "plain",
		.what = "64 MiB, as a PC has them",
		.modes = SIM_BOTH,
		.ram = {{0x0, 0x9f}, {0x100, 0x3f00}},
	},
	{
		.name = "small",
		.what = "8 MiB",
		.no_suites = true,
		.modes = SIM_BOTH,
		.ram = {{0x0, 0x9f}, {0x100, 0x700}},
	},
	{
		.name = "i486",
		.what = "no large pages, no global ones",
		.modes = SIM_TWO_LEVEL,
		.no_large = true,
		.no_global = true,
		.ram = {{0x0, 0xa0}, {0x100, 0x1f00}},
	},
	{
		.name = "nonx",
		.what = "PAE without no-execute",
		.no_suites = true,
		.modes = SIM_PAE,
		.no_nx = true,
		.ram = {{0x0, 0x9f}, {0x100, 0x3f00}},
	},
	{
		.name = "holes",
		.what = "RAM from 1 MiB only, in odd pieces",
		.modes = SIM_BOTH,
		.ram = {{0x100, 0x701},
			{0x802, 0x1},
			{0x805, 0x3fb},
			{0xc01, 0x3ff},
			{0x1400, 0x400},
			{0x1fff, 0x2},
			{0x5555, 0x333},
			{0x27fff, 0x1},
			{0x28001, 0x2},
			{0x36fff, 0x1},
			{0x37001, 0x2},
			{0x3ffff, 0x2},
			{0x7ffff, 0x801}},
	},
	{
		.name = "high",
		.what = "a full direct map, and 96 MiB above it in three places",
		.no_suites = true,
		.modes = SIM_BOTH,
		.ram = {{0x0, 0x9f},
			{0x100, 0x37f00},
			{0x38000, 0x1000},
			{0x40003, 0x4005},
			{0x80000, 0x1000}},
	},
	{
		.name = "lowfew",
		.what = "little low memory, much high memory",
		.modes = SIM_BOTH,
		.ram = {{0x0, 0x9f}, {0x100, 0xb00}, {0x38000, 0x4000}},
	},
	{
		.name = "full4g",
		.what = "4 GiB, but for the devices' 32 MiB at its end",
		.modes = SIM_TWO_LEVEL,
		.host64 = true,
		.slow_to_boot = true,
		.ram = {{0x0, 0x9f}, {0x100, 0xbff00}, {0xc0100, 0x3df00}},
	},
	{
		.name = "above4g",
		.what = "RAM below and above 4 GiB",
		.modes = SIM_PAE,
		.ram = {{0x0, 0x9f}, {0x100, 0x3f00}, {0xfdff8, 0x8}, {0x100000, 0x1801}},
	},
	{
		.name = "full64g",
		.what = "64 GiB, up to the mode's last frame",
		.modes = SIM_PAE,
		.host64 = true,
		.slow_to_boot = true,
		.ram = {{0x0, 0x9f}, {0x100, 0xbff00}, {0x100000, 0xf00000}},
	},
};

const struct sim_config *sim_config(unsigned i)
{
	return i < ARRAY_SIZE(configs) ? &configs[i] : NULL;
}
