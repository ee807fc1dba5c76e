/* SPDX-License-Identifier: MIT */
/* The helper of --process at work (owner_helper.h).
 *
 * Pipes: a question is a number and so many elements; the answer is so many elements.  One question
 * at a time is on its way.  The first message of the helper says whether the system can be asked.
 * The helper ends when the program's end of the pipe is closed, also by the program's death. */
#include "owner_helper.h"

#include "cli.h"
#include "helper.h"
#include "rights.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { QUESTIONS_MOST = 256, LOOK_MS = 100, PATIENCE_MS = 5000 };

struct cli_owners {
	int questions; /* to the helper */
	int answers;   /* from the helper */
	pid_t helper;
};

/* The helper's first message. */
struct owner_hello {
	int32_t status;
	int32_t is_limited; /* processes of other users cannot be looked at */
	char text[256];     /* of a failure */
};

/* ---- Pipes ---- */

/* Waits until a descriptor is ready.  Returns false if nothing came in time. */
static bool wait_for_helper(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int r;

	do
		r = poll(&p, 1, ms);
	while (r < 0 && errno == EINTR);
	return r > 0;
}

/* Reads n bytes, each within ms; ms < 0: for ever.  Returns false at the end of the pipe. */
static bool read_whole(int fd, void *to, size_t n, int ms)
{
	for (size_t at = 0; at < n;) {
		if (!wait_for_helper(fd, POLLIN, ms))
			return false;
		const ssize_t r = read(fd, (char *)to + at, n - at);

		if (r < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (r <= 0)
			return false;
		at += (size_t)r;
	}
	return true;
}

/* Writes n bytes, each within ms.  Returns false if nobody reads. */
static bool write_whole_text(int fd, const void *from, size_t n, int ms)
{
	for (size_t at = 0; at < n;) {
		const ssize_t r = write(fd, (const char *)from + at, n - at);

		if (r >= 0)
			at += (size_t)r;
		else if (errno == EAGAIN && wait_for_helper(fd, POLLOUT, ms))
			continue;
		else if (errno != EINTR)
			return false;
	}
	return true;
}

/* ---- The helper ---- */

/* Returns whether the descriptors of the first process can be looked at, as those of any other. */
static bool may_see_others(void)
{
#ifdef __linux__
	const int fd = open("/proc/1/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
#else
	return !geteuid();
#endif
}

/* Opens the system's lists, gives up rights, and says hello.  Returns NULL after a failure. */
static struct bpe_owners *open_owner_lists(int answers)
{
	struct bpe_owners *owners = NULL;
	struct owner_hello hello = { .status = BPE_OK };
	struct bpe_error error = { .status = BPE_OK };

	hello.status = bpe_owners_open(&owners, &error);
	snprintf(hello.text, sizeof hello.text, "%s", error.text);
	const int failed = cli_rights_shed_for_owners();

	if (failed) {
		hello.status = BPE_E_RIGHTS;
		snprintf(hello.text, sizeof hello.text, "rights could not be given up: %s",
			strerror(failed));
	}
	hello.is_limited = !may_see_others();
	cli_confine_owners(); /* as far as this system can */
	if (!write_whole_text(answers, &hello, sizeof hello, PATIENCE_MS) || hello.status < 0)
		return NULL;
	return owners;
}

/* Answers until the program closes the pipe. */
static void serve_questions(int questions, int answers)
{
	static struct bpe_owner_question asked[QUESTIONS_MOST];
	static struct bpe_owner_answer answered[QUESTIONS_MOST];
	const int kept[] = { questions, answers };
	uint32_t n;

	cli_helper_become(kept, 2);
	struct bpe_owners *owners = open_owner_lists(answers);

	while (owners) {
		if (!wait_for_helper(questions, POLLIN, LOOK_MS)) {
			bpe_owners_ask(owners, NULL, NULL, 0);
			continue;
		}
		if (!read_whole(questions, &n, sizeof n, -1) || n > QUESTIONS_MOST ||
			!read_whole(questions, asked, n * sizeof *asked, -1))
			break;
		bpe_owners_ask(owners, asked, answered, n);
		if (!write_whole_text(answers, answered, n * sizeof *answered, -1))
			break;
	}
	_exit(owners ? EXIT_GOOD : EXIT_ERROR);
}

/* ---- The start ---- */

/* Makes both pipes.  Returns 0 or an errno. */
static int make_owner_pipes(int questions[2], int answers[2])
{
	if (pipe(questions))
		return errno;
	if (pipe(answers)) {
		const int failed = errno;

		close(questions[0]);
		close(questions[1]);
		return failed;
	}
	for (int k = 0; k < 2; k++) {
		fcntl(questions[k], F_SETFD, FD_CLOEXEC);
		fcntl(answers[k], F_SETFD, FD_CLOEXEC);
	}
	fcntl(questions[1], F_SETFL, O_NONBLOCK);
	fcntl(answers[0], F_SETFL, O_NONBLOCK);
	return 0;
}

/* Forks the helper.  Returns 0 or an errno. */
static int fork_owner_helper(struct cli_owners *o)
{
	int questions[2];
	int answers[2];
	int failed = make_owner_pipes(questions, answers);

	if (failed)
		return failed;
	fflush(NULL);
	o->helper = fork();
	if (!o->helper) {
		close(questions[1]);
		close(answers[0]);
		serve_questions(questions[0], answers[1]);
	}
	failed = o->helper < 0 ? errno : 0;
	close(questions[0]);
	close(answers[1]);
	o->questions = questions[1];
	o->answers = answers[0];
	return failed;
}

/* Returns whether processes are to be asked for: an interface, with flows; pktap tells by itself.
 */
static bool wants_owner_helper(const struct cli *c)
{
	const struct bpe_options *o = &c->engine;

	return o->process && o->flows && o->interface_name && !cli_is_generated(o) &&
	       strncmp(o->interface_name, "pktap", 5) != 0;
}

int cli_owners_start(struct cli_owners **owners, const struct cli *c)
{
	struct owner_hello hello;
	struct cli_owners *o;

	if (!wants_owner_helper(c))
		return 0;
	o = calloc(1, sizeof *o);
	if (!o) {
		program_tell("no memory");
		return EXIT_ERROR;
	}
	const int failed = fork_owner_helper(o);

	if (failed) {
		program_tell("--process: no helper process: %s", strerror(failed));
		free(o);
		return EXIT_ERROR;
	}
	if (!read_whole(o->answers, &hello, sizeof hello, PATIENCE_MS)) {
		hello = (struct owner_hello){ .status = BPE_E_IO };
		snprintf(hello.text, sizeof hello.text, "the helper process does not answer");
	}
	if (hello.status < 0) {
		hello.text[sizeof hello.text - 1] = 0;
		cli_notice(c->quiet, "--process names no process: %s", hello.text);
		cli_owners_close(o);
		return 0;
	}
	if (hello.is_limited)
		cli_notice(c->quiet,
			"--process names the processes of this user alone: others need root, or on Linux CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH");
	*owners = o;
	return 0;
}

/* ---- Calls of the program ---- */

int cli_owners_ask(struct cli_owners *o, const struct bpe_owner_question *questions,
	struct bpe_owner_answer *answers, size_t n)
{
	for (size_t at = 0; at < n;) {
		const size_t rest = n - at;
		const uint32_t count = rest < QUESTIONS_MOST ? (uint32_t)rest : QUESTIONS_MOST;

		if (!write_whole_text(o->questions, &count, sizeof count, PATIENCE_MS) ||
			!write_whole_text(o->questions, questions + at, count * sizeof *questions,
				PATIENCE_MS) ||
			!read_whole(o->answers, answers + at, count * sizeof *answers, PATIENCE_MS))
			return BPE_E_IO;
		at += count;
	}
	return BPE_OK;
}

void cli_owners_close(struct cli_owners *o)
{
	if (!o)
		return;
	close(o->questions);
	close(o->answers);
	while (waitpid(o->helper, NULL, 0) < 0 && errno == EINTR)
		continue;
	free(o);
}
