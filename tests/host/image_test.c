/* tests/host/image_test.c - the plan by which an image that was loaded elsewhere gets to 1 MiB. */
#include <arch/x86/boot/image.h>
#include <kernel/ktest.h>
#include <string.h>

#define MIB       (1u << 20)
#define SIZE      (MIB / 2)
#define MODULE_AT 2 /* words: the first tag */
#define MAP_AT    8
#define MAP_WORDS (4 + 3 * 6)
#define WORDS     (MAP_AT + MAP_WORDS + 2)

/* One module and a map of three ranges, the last of them with nothing in it. */
static struct {
	uint32_t info[WORDS];
	struct image_move move;
} my;

static void set_range(unsigned i, uint64_t base, uint64_t length, uint32_t type)
{
	uint32_t *w = &my.info[MAP_AT + 4 + i * 6];

	memcpy(w, &base, 8);
	memcpy(w + 2, &length, 8);
	w[4] = type;
}

static const char *plan(void)
{
	return image_move_plan(&my.move, (uint8_t *)my.info);
}

/* True when the plan is refused and has changed nothing. */
static bool refused(void)
{
	uint32_t info[WORDS];
	struct image_move move = my.move;

	memcpy(info, my.info, sizeof(info));
	return plan() && !memcmp(info, my.info, sizeof(info)) && !memcmp(&move, &my.move, sizeof(move));
}

KTEST_SETUP(image)
{
	static const uint32_t module[] = {3, 20, MIB, 3 * MIB, 0, 0}, map[] = {6, MAP_WORDS * 4, 24, 0};

	memset(&my, 0, sizeof(my));
	my.info[0] = sizeof(my.info);
	memcpy(&my.info[MODULE_AT], module, sizeof(module));
	memcpy(&my.info[MAP_AT], map, sizeof(map));
	my.info[WORDS - 1] = 8;
	set_range(0, MIB, 31 * MIB, 1);
	set_range(1, 0, 0x9f000, 1);
	my.move = (struct image_move){.from = 4 * MIB, .to = MIB, .size = SIZE, .info = 3 * MIB + 0x1000};
}

KTEST(image, what_lies_below_it_follows)
{
	ASSERT(!plan());
	EXPECT_EQ(my.move.info, 3 * MIB + 0x1000 + SIZE);
	EXPECT_EQ(my.info[MODULE_AT + 2], MIB + SIZE);
	EXPECT_EQ(my.info[MODULE_AT + 3], 3 * MIB + SIZE);
}

KTEST(image, what_lies_elsewhere_stays)
{
	my.move.info = 0x4000;
	my.info[MODULE_AT + 2] = 4 * MIB + SIZE;
	my.info[MODULE_AT + 3] = 5 * MIB;
	ASSERT(!plan());
	EXPECT_EQ(my.move.info, 0x4000);
	EXPECT_EQ(my.info[MODULE_AT + 2], 4 * MIB + SIZE);
	EXPECT_EQ(my.info[MODULE_AT + 3], 5 * MIB);
}

KTEST(image, what_lies_there_in_part_is_refused)
{
	my.info[MODULE_AT + 2] = MIB - 0x1000;
	EXPECT(refused());
	my.info[MODULE_AT + 2] = MIB;
	my.info[MODULE_AT + 3] = 4 * MIB + 1;
	EXPECT(refused());
	my.info[MODULE_AT + 3] = MIB - 1; /* ends before it begins */
	EXPECT(refused());
	my.info[MODULE_AT + 3] = 2 * MIB;
	my.move.info = MIB - 8;
	EXPECT(refused());
	my.move.info = 4 * MIB - 8;
	EXPECT(refused());
	my.move.info = 4 * MIB - (uint32_t)sizeof(my.info);
	EXPECT(!plan());
}

/* Two ranges that touch are as good as one. */
KTEST(image, all_of_it_must_be_ram)
{
	set_range(0, 2 * MIB, 3 * MIB, 1);
	EXPECT(refused());
	set_range(1, MIB, MIB, 1);
	EXPECT(!plan());
	set_range(0, 2 * MIB, 2 * MIB + SIZE - 1, 1);
	EXPECT(refused());
}

KTEST(image, ram_that_is_something_else_as_well_is_refused)
{
	set_range(2, 4 * MIB + SIZE - 1, 1, 2);
	EXPECT(refused());
	set_range(2, 4 * MIB + SIZE, 1, 2);
	EXPECT(!plan());
	set_range(2, UINT64_MAX - 1, UINT64_MAX, 5);
	EXPECT(!plan());
}

KTEST(image, a_place_below_home_is_refused)
{
	my.move.from = MIB / 2;
	EXPECT(refused());
	my.move.from = UINT32_MAX - SIZE + 1;
	EXPECT(refused());
}

KTEST(image, information_that_cannot_be_is_refused)
{
	my.info[0] = 8;
	EXPECT(refused());
	my.info[0] = UINT32_MAX;
	EXPECT(refused());
	my.info[0] = sizeof(my.info);
	my.info[MODULE_AT + 1] = 0;
	EXPECT(refused());
	my.info[MODULE_AT + 1] = UINT32_MAX;
	EXPECT(refused());
	my.info[MODULE_AT + 1] = 15;
	my.info[MODULE_AT + 4] = 0xFFFF; /* where the next tag would be then */
	my.info[MODULE_AT + 5] = 8;
	EXPECT(refused());
	my.info[MODULE_AT + 1] = 20;
	my.info[MAP_AT + 2] = 0;
	EXPECT(refused());
	my.info[MAP_AT] = 7;
	EXPECT(refused());
}
