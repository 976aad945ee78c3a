/* user/meminfo.h - how much memory is free, for programs that look for leaks. */
#ifndef USER_MEMINFO_H
#define USER_MEMINFO_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* KiB that are free; -1 where nobody tells. */
static inline long free_kib(void)
{
	static char text[4096];
	int fd = open("/proc/meminfo", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char *at;

	close(fd);
	text[n > 0 ? n : 0] = 0;
	at = strstr(text, "MemFree:");
	return at ? strtol(at + 8, NULL, 10) : -1;
}

#endif
