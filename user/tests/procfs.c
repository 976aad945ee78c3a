/* user/tests/procfs.c - facts of /proc: what the lists of areas and memory tell. */
#include "fact.h"
#include <fcntl.h>
#include <sys/syscall.h>

FACT(maps_lists_what_is_mapped)
{
	char line[300], want[32];
	char *p = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool found = false, stack = false;
	FILE *f = fopen("/proc/self/maps", "r");

	REQUIRE(f != NULL && p != MAP_FAILED);
	mprotect(p + PAGE, PAGE, PROT_NONE);
	rewind(f);
	snprintf(want, sizeof(want), "%08x-%08x ---p", (unsigned)(uintptr_t)p + PAGE,
		 (unsigned)(uintptr_t)p + 2 * PAGE);
	while (fgets(line, sizeof(line), f)) {
		found |= !strncmp(line, want, strlen(want));
		stack |= strstr(line, "[stack]") != NULL;
	}
	EXPECT(found);
	EXPECT(stack);
}

/* The line of /proc/self/maps that begins with an address; without its newline. */
static const char *line_of_maps(const void *at)
{
	static char line[300];
	char want[16];
	FILE *f = fopen("/proc/self/maps", "r");

	snprintf(want, sizeof(want), "%08x-", (unsigned)(uintptr_t)at);
	while (f && fgets(line, sizeof(line), f) && strncmp(line, want, strlen(want)))
		;
	if (!f || strncmp(line, want, strlen(want)))
		line[0] = '\0';
	if (f)
		fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* Under a kernel for 64 bits they do in column 73. */
FACT(maps_names_begin_in_column_49)
{
	char text[300], *p = pages(3);
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned names = 0;

	mprotect(p + PAGE, PAGE, PROT_NONE);
	EXPECT_EQ(strlen(line_of_maps(p + PAGE)), strlen("08048000-08049000 ---p 00000000 00:00 0 "));
	REQUIRE(f != NULL && syscall(SYS_brk, syscall(SYS_brk, 0) + PAGE) > 0);
	rewind(f);
	while (fgets(text, sizeof(text), f)) {
		const char *name = strpbrk(text, "/[");

		names += name && (!strcmp(name, "[heap]\n") || !strcmp(name, "[stack]\n") || *name == '/');
		EXPECT(!name || (name == text + 49 && name[-1] == ' '));
	}
	EXPECT(names >= 4);
}

static bool names_in_maps(const void *at, const char *path)
{
	const char *name = strchr(line_of_maps(at), '/');

	return name && !strcmp(name, path);
}

FACT(maps_tells_the_path_of_a_file_and_that_it_was_deleted)
{
	int fd = open("/tmp/mapped", O_RDWR | O_CREAT | O_EXCL, 0600);
	char *p, *q;

	EXPECT_EQ(ftruncate(fd, 2 * PAGE), 0);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	REQUIRE(p != MAP_FAILED);
	EXPECT(names_in_maps(p, "/tmp/mapped"));
	EXPECT_EQ(rename("/tmp/mapped", "/tmp/renamed"), 0);
	EXPECT(names_in_maps(p, "/tmp/renamed"));
	EXPECT_EQ(unlink("/tmp/renamed"), 0);
	EXPECT(names_in_maps(p, "/tmp/renamed (deleted)"));
	munmap(p, PAGE);
	q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	EXPECT(names_in_maps(q, "/tmp/renamed (deleted)"));
}

FACT(maps_tells_of_a_file_that_another_took_the_name_of)
{
	int fd = open("/tmp/taken", O_RDWR | O_CREAT | O_EXCL, 0600);
	char *p;

	EXPECT_EQ(ftruncate(fd, PAGE), 0);
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	REQUIRE(p != MAP_FAILED);
	EXPECT(open("/tmp/taker", O_RDWR | O_CREAT, 0600) >= 0);
	EXPECT_EQ(rename("/tmp/taker", "/tmp/taken"), 0);
	EXPECT(names_in_maps(p, "/tmp/taken (deleted)"));
	unlink("/tmp/taken");
}

FACT(meminfo_tells_total_and_free)
{
	char text[200] = "";
	unsigned total = 0, unused = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	REQUIRE(f != NULL);
	while (fgets(text, sizeof(text), f)) {
		sscanf(text, "MemTotal: %u kB", &total);
		sscanf(text, "MemFree: %u kB", &unused);
	}
	EXPECT(total > unused && unused > 0);
}
