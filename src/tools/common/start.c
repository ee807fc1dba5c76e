/* SPDX-License-Identifier: MIT */
/* The start and the end of a program (program.h).  State: the program's name, set once. */
#include "program.h"

#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

const char *program_name = "";

/* Fills a closed standard descriptor.  What takes its place fails: stdin cannot be read, stdout and
 * stderr cannot be written, so that a lost report is an error.  /dev/full fails too where it is
 * opened once more by /dev/stdout.  The root directory is what every system has. */
static bool fill(int fd)
{
	static const char *const paths[] = { "/dev/full", "/dev/null", "/" };
	for (int i = 0; i < 3; i++) {
		int got = open(paths[i], fd == STDIN_FILENO && i < 2 ? O_WRONLY : O_RDONLY);
		if (got >= 0)
			return got == fd;
	}
	return false;
}

void program_begin(const char *name)
{
	static const int ours[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	sigset_t set;
	struct sigaction ignore;
	static char buffer[1 << 16]; /* one write for most texts, which then tells why it failed */
	program_name = name;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && !fill(fd))
			_exit(1);
	if (!isatty(STDOUT_FILENO))
		setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		sigaddset(&set, ours[i]);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	memset(&ignore, 0, sizeof ignore);
	ignore.sa_handler = SIG_IGN;
	sigaction(SIGXFSZ, &ignore, NULL);
}

/* Some file systems tell only at the end that nothing was written. */
static int close_copy(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return copy >= 0 && close(copy) ? errno : 0;
}

bool program_end_output(const char *what)
{
	bool before = ferror(stdout);
	errno = 0;
	int failed = fflush(stdout) ? errno : 0;
	if (!failed && before)
		failed = errno ? errno : EIO;
	if (!failed)
		failed = close_copy(STDOUT_FILENO);
	if (!failed)
		return true;
	if (failed != EPIPE)
		program_tell("%s was not written: %s", what,
			failed == EBADF ? "the standard output is closed" : strerror(failed));
	return false;
}
