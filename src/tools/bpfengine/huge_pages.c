/* SPDX-License-Identifier: MIT */
/* How much of the program's memory lies in huge pages (-v).
 *
 * State: a descriptor, opened before the program is confined, and kept for the program's life.
 * Flow tables ask for huge pages (base/mem.c), and the kernel may refuse.  Source: Linux,
 * Documentation/filesystems/proc.rst, smaps_rollup. */
#include "cli.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROLLUP_ROOM 2048

static int rollup = -1; /* /proc/self/smaps_rollup; -1: not open */

void cli_huge_pages_watch(void)
{
#ifdef __linux__
	rollup = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
#endif
}

/* Returns the number behind a name in the text; 0: the name is not there. */
static uint64_t find_kilobytes(const char *text, const char *name)
{
	const char *const at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

void cli_huge_pages_report(FILE *to)
{
	char text[ROLLUP_ROOM];
	const ssize_t n = rollup < 0 ? -1 : pread(rollup, text, sizeof text - 1, 0);

	if (n <= 0)
		return;
	text[n] = 0;
	const uint64_t resident = find_kilobytes(text, "\nRss:");
	const uint64_t huge = find_kilobytes(text, "\nAnonHugePages:");

	fprintf(to, "Memory: %" PRIu64 " KiB, of which %" PRIu64 " KiB in huge pages%s\n", resident,
		huge,
		huge ? ""
		     : " (/sys/kernel/mm/transparent_hugepage/enabled decides; large flow tables want them)");
}
