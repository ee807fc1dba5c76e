/* SPDX-License-Identifier: MIT */
/* Cuts a helper process off from the program's descriptors and terminal (helper.h); stateless. */
#include "helper.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#define DESCRIPTORS_MOST 4096

/* Returns whether the descriptor is among the kept. */
static bool is_kept(int fd, const int *kept, size_t count)
{
	for (size_t k = 0; k < count; k++)
		if (kept[k] == fd)
			return true;
	return false;
}

void cli_helper_become(const int *kept, size_t count)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1,
		SIGUSR2 };
	const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (size_t k = 0; k < sizeof ignored / sizeof *ignored; k++)
		signal(ignored[k], SIG_IGN);
	setsid();
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO); /* stdout is the report's, or the packets' */
	for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS_MOST; fd++)
		if (!is_kept(fd, kept, count))
			close(fd);
}
