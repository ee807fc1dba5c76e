/* SPDX-License-Identifier: MIT */
/* The helper of -z at work (file_command.h).
 *
 * Pipes: names go to the helper, each with a 0 behind, in whole writes (PIPE_BUF).
 * Results come back in the same way: the status of waitpid(2), a blank, the name.  The helper
 * leaves the terminal's session, so Ctrl-C ends the capture and no command.  The helper ends when
 * the program's end of the pipe is closed and all commands have run. */
#include "file_command.h"

#include "cli.h"
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME_MOST 300 /* a file's name, and a 0 */
#define RESULT_MOST (NAME_MOST + 16)
#define LOOK_MS 100
#define PATIENCE_MS 2000 /* before the program tells of the waiting */
#define NO_COMMAND 127   /* exit code of a command without a start, as in sh */

struct cli_command {
	int names;   /* to the helper */
	int results; /* from the helper; -1: closed */
	pid_t helper;
	const char *words; /* -z */
	char folder[1024]; /* in front of names, as typed; "": none */
	bool quiet;
	size_t used; /* bytes of a result so far */
	char text[RESULT_MOST];
	/* w: the writer's thread  r: main */
	_Atomic uint64_t offered, not_run;
	uint64_t good, failed, told_not_run;
};

/* ---- The helper ---- */

/* Runs the command in place of this process. */
static void run_command(const char *command, const char *path)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1,
		SIGUSR2 };
	char *const words[] = { (char *)(uintptr_t)command, (char *)(uintptr_t)path, NULL };

	for (size_t k = 0; k < sizeof signals / sizeof *signals; k++)
		signal(signals[k], SIG_DFL);
	execvp(command, words);
	program_tell("-z %s: %s", command, strerror(errno));
	_exit(NO_COMMAND);
}

/* Runs the command for a file.  Returns the status of waitpid(2). */
static int run_and_wait(const char *command, const char *folder, const char *name)
{
	char path[sizeof((struct cli_command *)0)->folder + NAME_MOST];
	int status = NO_COMMAND << 8;

	snprintf(path, sizeof path, "%s%s", folder, name);
	const pid_t child = fork();
	if (!child)
		run_command(command, path);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

/* Writes a result.  No reader is no error. */
static void send_result(int results, int status, const char *name)
{
	char text[RESULT_MOST];
	const int n = snprintf(text, sizeof text, "%d %s", status, name);

	while (write(results, text, (size_t)n + 1) < 0 && errno == EINTR)
		continue;
}

/* Runs the command for each whole name in the text.  Returns the bytes left over. */
static size_t run_names(const struct cli_command *c, char *text, size_t n, int results)
{
	size_t at = 0;

	for (;;) {
		const char *end = memchr(text + at, 0, n - at);
		if (!end)
			break;
		send_result(results, run_and_wait(c->words, c->folder, text + at), text + at);
		at = (size_t)(end - text) + 1;
	}
	memmove(text, text + at, n - at);
	return n - at;
}

/* Makes the process a helper: no descriptors but the pipes, no terminal, no rights, no hurry. */
static void become_helper(int names, int results)
{
	const int kept[] = { names, results };

	cli_helper_become(kept, 2);
	setpriority(PRIO_PROCESS, 0, PRIO_MAX);
	const int failed = cli_rights_shed();
	if (!failed)
		return;
	program_tell("-z: rights could not be given up: %s", strerror(failed));
	_exit(EXIT_RIGHTS);
}

/* Reads names until the program closes the pipe. */
static void serve_names(const struct cli_command *c, int names, int results)
{
	char text[4 * NAME_MOST];
	size_t used = 0;

	become_helper(names, results);
	for (;;) {
		const ssize_t n = read(names, text + used, sizeof text - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(0);
		used = run_names(c, text, used + (size_t)n, results);
		if (used == sizeof text)
			_exit(1);
	}
}

/* ---- The start ---- */

/* Returns whether the file can be run. */
static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

/* Returns whether execvp(3) would find the command. */
static bool is_command(const char *command)
{
	const char *path = getenv("PATH");
	char whole[1024];

	if (strchr(command, '/'))
		return is_program(command);
	if (!path)
		path = "/usr/bin:/bin";
	for (;;) {
		const size_t n = strcspn(path, ":");

		snprintf(whole, sizeof whole, "%.*s%s%s", (int)n, path, n ? "/" : "", command);
		if (is_program(whole))
			return true;
		if (!path[n])
			return false;
		path += n + 1;
	}
}

/* Writes the folder of -w as typed, with its last slash. */
static void write_command_folder(struct cli_command *c, const char *path)
{
	const char *slash = strrchr(path, '/');

	c->folder[0] = 0;
	if (slash)
		snprintf(c->folder, sizeof c->folder, "%.*s", (int)(slash - path) + 1, path);
}

/* Makes both pipes.  Returns 0 or an errno. */
static int make_helper_pipes(int names[2], int results[2])
{
	if (pipe(names))
		return errno;
	if (pipe(results)) {
		const int failed = errno;

		close(names[0]);
		close(names[1]);
		return failed;
	}
	for (int k = 0; k < 2; k++) {
		fcntl(names[k], F_SETFD, FD_CLOEXEC);
		fcntl(results[k], F_SETFD, FD_CLOEXEC);
	}
	fcntl(names[1], F_SETFL, O_NONBLOCK);
	fcntl(results[0], F_SETFL, O_NONBLOCK);
	return 0;
}

/* Forks the helper.  Returns 0 or an errno. */
static int start_helper(struct cli_command *c)
{
	int names[2];
	int results[2];
	int failed = make_helper_pipes(names, results);

	if (failed)
		return failed;
	fflush(NULL);
	c->helper = fork();
	if (!c->helper) {
		close(names[1]);
		close(results[0]);
		serve_names(c, names[0], results[1]);
	}
	failed = c->helper < 0 ? errno : 0;
	close(names[0]);
	close(results[1]);
	c->names = names[1];
	c->results = results[0];
	return failed;
}

int cli_command_start(struct cli_command **command, const struct cli *cli)
{
	struct cli_command *c;
	int failed;

	if (!cli->write.command)
		return 0;
	if (cli->place.directory < 0 && !cli->place.file.regular) {
		program_tell("-z runs a command for each file, and %s is none", cli->place.shown);
		return EXIT_USAGE;
	}
	if (!is_command(cli->write.command)) {
		program_tell("-z %s: there is no such command (it gets the file's name alone:"
			     " a command with options belongs in a script)",
			cli->write.command);
		return EXIT_USAGE;
	}
	c = calloc(1, sizeof *c);
	if (!c) {
		program_tell("no memory");
		return EXIT_ERROR;
	}
	c->words = cli->write.command;
	c->quiet = cli->quiet;
	write_command_folder(c, cli->write.path);
	failed = start_helper(c);
	if (failed) {
		program_tell("-z: no helper process: %s", strerror(failed));
		free(c);
		return EXIT_ERROR;
	}
	*command = c;
	return 0;
}

/* ---- Calls of the program ---- */

void cli_command_file(struct cli_command *c, const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash ? slash + 1 : name;
	const size_t n = strlen(last) + 1;
	bool is_taken = n <= NAME_MOST;

	atomic_fetch_add_explicit(&c->offered, 1, memory_order_relaxed);
	if (is_taken)
		is_taken = write(c->names, last, n) == (ssize_t)n;
	if (!is_taken)
		atomic_fetch_add_explicit(&c->not_run, 1, memory_order_relaxed);
}

/* Counts a result, and tells of a failure. */
static void count_result(struct cli_command *c, const char *text)
{
	char *name;
	int status = (int)strtol(text, &name, 10); /* not const, for the macros of macOS */

	if (!status) {
		c->good++;
		return;
	}
	c->failed++;
	name += *name == ' ';
	if (WIFSIGNALED(status))
		program_tell("-z %s %s%s: ended by signal %d", c->words, c->folder, name,
			WTERMSIG(status));
	else
		program_tell(
			"-z %s %s%s: exit code %d", c->words, c->folder, name, WEXITSTATUS(status));
}

/* Counts the whole results that were read. */
static void take_results(struct cli_command *c)
{
	size_t at = 0;

	for (;;) {
		const char *end = memchr(c->text + at, 0, c->used - at);
		if (!end)
			break;
		count_result(c, c->text + at);
		at = (size_t)(end - c->text) + 1;
	}
	c->used -= at;
	memmove(c->text, c->text + at, c->used);
}

void cli_command_look(struct cli_command *c)
{
	const uint64_t not_run = atomic_load_explicit(&c->not_run, memory_order_relaxed);

	if (not_run > c->told_not_run)
		program_tell("-z %s: too many files wait for the command; %llu got none", c->words,
			(unsigned long long)not_run);
	c->told_not_run = not_run;
	while (c->results >= 0) {
		const ssize_t n = read(c->results, c->text + c->used, sizeof c->text - c->used);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n > 0) {
			c->used += (size_t)n;
			take_results(c);
			continue;
		}
		close(c->results);
		c->results = -1;
	}
}

void cli_command_finish(struct cli_command *c, const volatile sig_atomic_t *stops)
{
	const sig_atomic_t before = *stops;
	int waited = 0;

	if (c->names >= 0)
		close(c->names);
	c->names = -1;
	for (cli_command_look(c); c->results >= 0; cli_command_look(c)) {
		struct pollfd p = { .fd = c->results, .events = POLLIN };

		waited += poll(&p, 1, LOOK_MS) ? 0 : LOOK_MS;
		if (*stops != before)
			return;
		if (waited != PATIENCE_MS)
			continue;
		waited += LOOK_MS;
		if (!c->quiet)
			program_tell(
				"waiting for -z %s; Ctrl-C leaves it to finish alone", c->words);
	}
	while (waitpid(c->helper, NULL, 0) < 0 && errno == EINTR)
		continue;
	const uint64_t offered = atomic_load_explicit(&c->offered, memory_order_relaxed);
	const uint64_t known = c->good + c->failed + c->told_not_run;
	if (offered > known)
		program_tell("-z %s: the helper process is gone; of %llu files nothing is known",
			c->words, (unsigned long long)(offered - known));
}

void cli_command_count(const struct cli_command *c, struct cli_command_counts *counts)
{
	*counts = (struct cli_command_counts){ .good = c->good,
		.failed = c->failed,
		.not_run = atomic_load_explicit(&c->not_run, memory_order_relaxed) };
}

void cli_command_close(struct cli_command *c)
{
	if (!c)
		return;
	if (c->names >= 0)
		close(c->names);
	if (c->results >= 0)
		close(c->results);
	free(c);
}
