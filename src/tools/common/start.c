/* SPDX-License-Identifier: MIT */
/* The start and the end of a program (program.h); stateless. */
#include "program.h"

#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Opens a file in the place of a closed standard descriptor.  The file fails in use: stdin cannot
 * be read, stdout and stderr cannot be written, so a lost report is an error.  /dev/full fails also
 * where /dev/stdout opens the file once more.  The root directory exists on every system.  Returns
 * whether the descriptor is open now. */
static bool fill_descriptor(int fd)
{
	static const char *const paths[] = { "/dev/full", "/dev/null", "/" };
	enum { PATHS = sizeof paths / sizeof *paths };

	for (int i = 0; i < PATHS; i++) {
		const bool is_directory = i == PATHS - 1;
		const int flags = fd == STDIN_FILENO && !is_directory ? O_WRONLY : O_RDONLY;
		const int opened = open(paths[i], flags);

		if (opened >= 0)
			return opened == fd;
	}
	return false;
}

static void unblock_signals(void)
{
	static const int handled[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
		sigaddset(&set, handled[i]);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void program_begin(const char *name)
{
	/* one write for most texts, which then reports why it failed */
	static char buffer[1 << 16];
	struct sigaction ignore;

	program_name = name;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && !fill_descriptor(fd))
			_exit(1);
	if (!isatty(STDOUT_FILENO))
		setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	unblock_signals();
	memset(&ignore, 0, sizeof ignore);
	ignore.sa_handler = SIG_IGN;
	sigaction(SIGXFSZ, &ignore, NULL);
}

/* Closes a copy of the descriptor, since some file systems report a failed write at the close
 * alone. Returns 0 or an errno. */
static int close_copy(int fd)
{
	const int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	return copy >= 0 && close(copy) ? errno : 0;
}

/* Writes out stdout.  Returns 0 or an errno. */
static int flush_stdout(void)
{
	const bool has_failed_before = ferror(stdout);

	errno = 0;
	if (fflush(stdout))
		return errno;
	if (has_failed_before)
		return errno ? errno : EIO;
	return close_copy(STDOUT_FILENO);
}

bool program_end_output(const char *what)
{
	const int failed = flush_stdout();
	const char *why = failed == EBADF ? "the standard output is closed" : strerror(failed);

	if (failed && failed != EPIPE)
		program_tell("%s was not written: %s", what, why);
	return !failed;
}
