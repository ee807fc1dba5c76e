/* SPDX-License-Identifier: MIT */
/* Makes pairs with ifconfig(8), for macOS (feth) and FreeBSD (epair).  The words of ifconfig are
 * the only interface that both systems have. */
#include "pair_ifconfig.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

bool ifconfig(char *answer, size_t room, const char *a, const char *b, const char *c)
{
	const char *words[] = { "/sbin/ifconfig", a, b, c, NULL };
	int ends[2], status = -1;
	pid_t pid;
	ssize_t n = 0, k;
	posix_spawn_file_actions_t how;
	if (pipe(ends))
		return false;
	posix_spawn_file_actions_init(&how);
	posix_spawn_file_actions_adddup2(&how, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&how, ends[0]);
	int failed =
		posix_spawn(&pid, words[0], &how, NULL, (char *const *)(uintptr_t)words, environ);
	posix_spawn_file_actions_destroy(&how);
	close(ends[1]);
	while (!failed && n < (ssize_t)room - 1 &&
		(k = read(ends[0], answer + n, room - 1 - (size_t)n)) > 0)
		n += k;
	close(ends[0]);
	answer[n] = 0;
	answer[strcspn(answer, " \n")] = 0;
	while (!failed && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return !failed && WIFEXITED(status) && !WEXITSTATUS(status);
}

int pair_refused(const char *what)
{
	program_tell(
		"no %s pair: %s failed%s", pair_kind, what, geteuid() ? ": run it with sudo" : "");
	return geteuid() ? EXIT_RIGHTS : EXIT_SOURCE;
}

uint64_t pair_arrived(const struct pair *p)
{
	(void)p; /* the interface counters have 32 bits, and count other frames */
	return ABSENT;
}
