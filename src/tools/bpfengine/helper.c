/* SPDX-License-Identifier: MIT */
/* Cuts a helper process off from the program's descriptors and terminal (helper.h); stateless. */
#include "helper.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#define DESCRIPTORS_MOST 4096

void cli_helper_become(int from, int to)
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
		if (fd != from && fd != to)
			close(fd);
}
