/* user/vmpicture.c - reads what is behind the process's pages and draws it. Owns the buffers for both. */
#include "vmpicture.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST_AREAS 40
#define SPAN       0x400000u /* of a page table with two levels */
#define STRIP      64u       /* characters for a span */
#define GREEN      "\33[32m"
#define YELLOW     "\33[33m"
#define DIM        "\33[2m"
#define BOLD       "\33[1m"
#define PLAIN      "\33[0m"

struct area {
	uint32_t first, end, resident;
	char access[5], name[40];
};

bool picture_claims_hold = true;
static bool colours;
static char text[1 << 16]; /* of a file in /proc */
static unsigned char there[4096];

static const char *colour(const char *sequence)
{
	return colours ? sequence : "";
}

void picture_init(void)
{
	colours = isatty(1);
	setvbuf(stdout, NULL, _IOLBF, 0);
}

/* The file's text, cut where it is larger than the buffer; empty where there is none. */
static const char *slurp(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t got = 0;
	ssize_t n;

	while (fd >= 0 && got < sizeof(text) - 1 && (n = read(fd, text + got, sizeof(text) - 1 - got)) > 0)
		got += (size_t)n;
	text[got] = 0;
	if (fd >= 0)
		close(fd);
	return text;
}

/* Lines `ADDRESS frame NUMBER rwx...`, in hexadecimal, one for each page that is present. */
static bool cell_from_tables(struct cell *c, const char *page, const char *tables)
{
	char want[16], access_letters[8];
	const char *line;

	snprintf(want, sizeof(want), "\n%08x ", (unsigned)(uintptr_t)page);
	line = strstr(tables, want);
	if (!line || sscanf(line, " %*x frame %x %7s", &c->frame, access_letters) != 2)
		return false;
	c->kind = CELL_PRESENT;
	c->access = access_letters[1] == 'w' ? 'w' : 'r';
	return true;
}

static void cell_from_pagemap(struct cell *c, const char *page, int pagemap)
{
	uint64_t entry = 0;

	if (pread(pagemap, &entry, 8, (off_t)((uintptr_t)page / PAGE * 8)) != 8 || !(entry >> 63))
		return;
	c->kind = CELL_PRESENT;
	c->frame = (uint32_t)(entry & 0xffffffff); /* 0 for who is not root */
}

void row_read(struct row *r, const void *first)
{
	const char *tables = slurp("/proc/self/tables");
	int pagemap =
		open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC); /* of the process that opens it: not kept */

	for (unsigned i = 0; i < CELLS; i++) {
		char *page = (char *)(uintptr_t)first + i * PAGE;
		struct cell *c = &r->cell[i];
		unsigned char resident = 0;

		*c = (struct cell){.kind = CELL_EMPTY, .access = ' '};
		if (mincore(page, PAGE, &resident))
			c->kind = CELL_UNMAPPED;
		else if (pagemap >= 0)
			cell_from_pagemap(c, page, pagemap);
		else if (!cell_from_tables(c, page, tables) && !*tables && resident & 1)
			c->kind = CELL_PRESENT;
	}
	if (pagemap >= 0)
		close(pagemap);
}

void row_print_head(const void *first)
{
	printf("            %s%08x%57x%s\n", colour(DIM), (unsigned)(uintptr_t)first,
	       (unsigned)(uintptr_t)first + CELLS * PAGE, colour(PLAIN));
}

static void cell_print(const struct cell *c)
{
	char number[12] = "there  ";

	if (c->kind == CELL_UNMAPPED) {
		printf("%s  --   %s|", colour(DIM), colour(PLAIN));
	} else if (c->kind == CELL_EMPTY) {
		printf("       |");
	} else {
		if (c->frame)
			snprintf(number, sizeof(number), "%x%s%c", c->frame, c->frame > 0xfffff ? "" : " ",
				 c->access);
		printf("%s%7s%s|", colour(c->access == 'r' ? YELLOW : GREEN), number, colour(PLAIN));
	}
}

void row_print(const char *name, const struct row *r)
{
	printf("  %-9s |", name);
	for (unsigned i = 0; i < CELLS; i++)
		cell_print(&r->cell[i]);
	printf("\n");
}

bool same_frame(const struct cell *a, const struct cell *b)
{
	return a->kind == CELL_PRESENT && b->kind == CELL_PRESENT && a->frame == b->frame;
}

bool other_frame(const struct cell *a, const struct cell *b)
{
	return a->kind == CELL_PRESENT && b->kind == CELL_PRESENT && (!a->frame || a->frame != b->frame);
}

static uint32_t count_resident(uint32_t first, uint32_t end)
{
	uint32_t count = 0;

	while (first < end) {
		uint32_t n = (end - first) / PAGE < sizeof(there) ? (end - first) / PAGE : sizeof(there);

		if (mincore((void *)(uintptr_t)first, n * PAGE, there))
			return count;
		for (uint32_t i = 0; i < n; i++)
			count += there[i] & 1;
		first += n * PAGE;
	}
	return count;
}

static unsigned read_areas(struct area *areas)
{
	char line_name[40];
	const char *line = slurp("/proc/self/maps");
	unsigned count = 0, inode;

	while (line && *line && count < MOST_AREAS) {
		struct area *a = &areas[count];

		line_name[0] = 0;
		if (sscanf(line, "%x-%x %4s %*x %*s %u%*[ ]%39[^\n]", &a->first, &a->end, a->access, &inode,
			   line_name) < 4)
			break;
		strcpy(a->name, *line_name ? line_name : inode ? "a file" : "no file");
		count++;
		line = strchr(line, '\n');
		line += line ? 1 : 0;
	}
	for (unsigned i = 0; i < count; i++)
		areas[i].resident = count_resident(areas[i].first, areas[i].end);
	return count;
}

static void print_area(const struct area *a)
{
	char bar[17];
	uint32_t pages = (a->end - a->first) / PAGE,
		 full = pages ? (a->resident * 16 + pages - 1) / pages : 0;

	for (unsigned i = 0; i < 16; i++)
		bar[i] = i < full ? '#' : '.';
	bar[16] = 0;
	printf("  %08x  %s  %s%s%s %5u of %5u pages  %.24s\n", a->first, a->access,
	       colour(a->resident ? GREEN : DIM), bar, colour(PLAIN), a->resident, pages, a->name);
}

void picture_areas(void)
{
	static struct area areas[MOST_AREAS];
	unsigned count = read_areas(areas);

	printf("  %sc0000000  ------------------- the kernel's from here up%s\n", colour(DIM), colour(PLAIN));
	while (count--) {
		print_area(&areas[count]);
		if (count && areas[count - 1].end < areas[count].first)
			printf("            %s:%s\n", colour(DIM), colour(PLAIN));
	}
	printf("  %s00000000  ------------------- never mapped: null pointers end here%s\n", colour(DIM),
	       colour(PLAIN));
}

/* Adds what is resident of an area to the strip of a span. */
static void fill_strip(char *strip, uint32_t span, const struct area *a)
{
	uint32_t first = a->first / SPAN < span ? span * SPAN : a->first;
	uint32_t last = (a->end - 1) / SPAN > span ? span * SPAN + (SPAN - 1) : a->end - 1;

	if (first > last || mincore((void *)(uintptr_t)first, last - first + 1, there))
		return;
	for (uint32_t i = 0; i <= (last - first) / PAGE; i++) {
		if (there[i] & 1)
			strip[(first % SPAN + i * PAGE) / (SPAN / STRIP)] = '#';
	}
}

static void print_span(uint32_t span, const struct area *areas, unsigned count)
{
	char strip[STRIP + 1];

	memset(strip, '.', STRIP);
	strip[STRIP] = 0;
	for (unsigned i = 0; i < count; i++)
		fill_strip(strip, span, &areas[i]);
	if (strchr(strip, '#'))
		printf("  %08x  %s%s%s\n", span * SPAN, colour(GREEN), strip, colour(PLAIN));
}

void picture_tables(void)
{
	static struct area areas[MOST_AREAS];
	unsigned count = read_areas(areas);
	uint32_t next = 0;

	for (unsigned i = 0; i < count; i++) {
		uint32_t first = areas[i].first / SPAN, last = (areas[i].end - 1) / SPAN;

		for (next = next > first ? next : first; next <= last; next++)
			print_span(next, areas, count);
	}
}

void print_heading(const char *heading)
{
	printf("\n%s%s%s\n", colour(BOLD), heading, colour(PLAIN));
}

void print_text(const char *words)
{
	printf("%s%s\n", *words ? "  " : "", words);
}

void claim(bool holds, const char *words)
{
	picture_claims_hold &= holds;
	printf("  %s %s\n", holds ? "=>" : "=> NOT SO:", words);
}
