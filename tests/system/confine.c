/* SPDX-License-Identifier: MIT */
/* Linux: tests the confinement from inside, with the program's own code
 * (src/tools/bpfengine/confine_linux.c, seccomp_linux.c).
 *
 * Children make each attempt: confined by Landlock alone, by seccomp alone, or by both as the
 * program is.  An unconfined child makes the attempt too, since an attempt which fails without
 * confinement proves nothing.  Needs no rights.  A plain program; exits with 77 where neither
 * mechanism works. */
#include "confine_test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

char test_directory[] = "/tmp/confine-XXXXXX", own_file[64], other_file[64], made_file[64];
char output_file[64];
int udp_socket, event_fd, listener_fd, sender_fd, receiver_fd, output_fd, leaked_fd, input_fd;
int pipe_fds[2], output_directory_fd;
struct sockaddr_in listening_address;
struct sockaddr_un abstract_address = { .sun_family = AF_UNIX, .sun_path = "" };
pid_t parent_pid;
struct iovec one_byte_vector = { test_directory, 1 };

static int landlock_version; /* 0: none */
static bool has_seccomp;
static bool is_live_view; /* children confine themselves as --top does */
static bool is_writer;    /* the child writes savefiles */
static unsigned passed, failed, skipped;

/* ---- Children ---- */

/* Counts a test, and reports a test which failed with the errno `result` (0: the attempt was done).
 */
static void expect_result(bool good, const char *how, const char *what, int result)
{
	const char *text = "was done";

	if (good) {
		passed++;
		return;
	}
	failed++;
	if (result)
		text = strerror(result > 0 ? result : EINVAL);
	printf("FAILED %s: %s: %s\n", how, what, text);
}

/* Confines the process.  filter: as with a filter which has a file.  Returns 0 if all mechanisms
 * work. */
static int confine_child(int mechanisms, bool filter)
{
	const char *const files[] = { own_file };
	const char *folder = is_writer ? output_file : NULL;
	const struct cli_confinement how = {
		.files = files,
		.file_count = filter,
		.filter = filter,
		.live = true,
		.terminal = is_live_view,
		.output = filter ? output_file : NULL,
		.output_directory = output_directory_fd,
		.writes = is_writer,
		.write_folder = folder,
		.write_directory = output_directory_fd,
		.write_fd = output_fd,
	};
	struct cli_confined done;
	unsigned calls;
	int version;
	int error = 0;

	if (mechanisms == BOTH) {
		cli_confine(&how, &done);
		return done.failed[0] || !strstr(done.holds, "Landlock") ||
		       !strstr(done.holds, "seccomp");
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (mechanisms & LANDLOCK)
		error = cli_landlock(&how, &version);
	return mechanisms & SECCOMP ? cli_seccomp(&how, &calls) : error;
}

/* Makes an attempt in a confined child of its own, so no attempt sees another's effects.  Returns
 * the attempt's result, -2 if the child was killed, or -3 if the child could not be confined. */
static int make_in_child(int mechanisms, bool filter, int (*make)(void))
{
	int *result = mmap(
		NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;

	*result = -3;
	fflush(stdout);
	const pid_t child = fork();
	if (!child) {
		alarm(20);
		if (confine_child(mechanisms, filter))
			_exit(3);
		*result = 0; /* stays 0 if the attempt, an exec, does not return */
		*result = make();
		_exit(0);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	const int made = WIFSIGNALED(status) ? -2 : *result;
	munmap(result, sizeof *result);
	return made;
}

/* ---- Files and sockets which the attempts use ---- */

static void exit_with_error(const char *what)
{
	perror(what);
	exit(1);
}

static void write_test_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f))
		exit_with_error(path);
}

static void prepare_files(void)
{
	if (!mkdtemp(test_directory))
		exit_with_error(test_directory);
	snprintf(own_file, sizeof own_file, "%s/in", test_directory);
	mkdir(own_file, 0700);
	snprintf(own_file, sizeof own_file, "%s/in/own", test_directory);
	snprintf(other_file, sizeof other_file, "%s/other", test_directory);
	snprintf(made_file, sizeof made_file, "%s/in/made", test_directory);
	write_test_file(other_file, "other\n");
	snprintf(output_file, sizeof output_file, "%s/out", test_directory);
	mkdir(output_file, 0700);
	output_directory_fd = open(output_file, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(output_file, sizeof output_file, "%s/out/ours", test_directory);
	output_fd = open(output_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	leaked_fd = open(output_file, O_WRONLY);
	input_fd = open(other_file, O_RDONLY | O_CLOEXEC);
	if (output_fd < 0 || leaked_fd < 0 || input_fd < 0 || output_directory_fd < 0)
		exit_with_error(output_file);
}

static void prepare_sockets(void)
{
	struct sockaddr *address = (struct sockaddr *)&listening_address;
	socklen_t size = sizeof listening_address;
	int pair[2];

	udp_socket = socket(AF_INET, SOCK_DGRAM, 0);
	event_fd = eventfd(0, EFD_CLOEXEC);
	listener_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	listening_address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (bind(listener_fd, address, size) || listen(listener_fd, 8) ||
		getsockname(listener_fd, address, &size))
		exit_with_error("listen");
	const int abstract = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(abstract_address.sun_path + 1, sizeof abstract_address.sun_path - 1, "%s",
		test_directory);
	if (bind(abstract, (struct sockaddr *)&abstract_address, sizeof abstract_address) ||
		listen(abstract, 8))
		exit_with_error("abstract socket");
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) || pipe2(pipe_fds, O_CLOEXEC))
		exit_with_error("socketpair, pipe");
	sender_fd = pair[0];
	receiver_fd = pair[1];
}

/* Restores the files before an attempt. */
static void restore_files(void)
{
	remove(made_file);
	write_test_file(own_file, "own\n");
	chmod(own_file, 0600);
}

static void remove_files(void)
{
	remove(made_file);
	remove(own_file);
	remove(other_file);
	remove(output_file);
	unlinkat(output_directory_fd, "made", 0);
	*strrchr(output_file, '/') = 0;
	rmdir(output_file);
	*strrchr(own_file, '/') = 0;
	rmdir(own_file);
	rmdir(test_directory);
}

/* ---- The tests ---- */

/* Returns 0: an attempt which any confined child can make. */
static int do_nothing(void)
{
	return 0;
}

static void find_mechanisms(void)
{
	if (!make_in_child(LANDLOCK, false, do_nothing)) {
		const long v = syscall(444 /* landlock_create_ruleset */, NULL, 0, 1u);

		landlock_version = v > 0 ? (int)v : 0;
	}
	has_seccomp = !make_in_child(SECCOMP, false, do_nothing);
	if (!landlock_version) {
		printf("SKIP: Landlock: this kernel has none\n");
		skipped++;
	}
	if (!has_seccomp) {
		printf("SKIP: seccomp: not to be had here\n");
		skipped++;
	}
}

static int make_restored(int mechanisms, bool filter, int (*make)(void))
{
	restore_files();
	return make_in_child(mechanisms, filter, make);
}

static void test_attempt(const struct attempt *a)
{
	int result = make_restored(NONE, true, a->make);

	expect_result(!result || a->free, "unconfined", a->name, result);
	if (landlock_version >= a->since && a->by & LANDLOCK) {
		result = make_restored(LANDLOCK, true, a->make);
		expect_result(result > 0, "Landlock alone", a->name, result);
	}
	if (!has_seccomp)
		return;
	if (a->by & SECCOMP) {
		result = make_restored(SECCOMP, true, a->make);
		expect_result(result == EPERM, "seccomp alone", a->name, result);
	}
	if (landlock_version) {
		result = make_restored(BOTH, true, a->make);
		expect_result(result == EPERM || result == EACCES, "both", a->name, result);
	}
	result = make_restored(SECCOMP, false, a->make);
	expect_result(result == EPERM, "seccomp alone, no filter", a->name, result);
}

static void test_allowed_action(const struct allowed *a)
{
	static const char *const names[] = { [NONE] = "unconfined",
		[LANDLOCK] = "Landlock alone",
		[SECCOMP] = "seccomp alone",
		[BOTH] = "both" };

	restore_files();
	for (int mechanisms = NONE; mechanisms <= BOTH; mechanisms++) {
		if ((mechanisms & LANDLOCK && !landlock_version) ||
			(mechanisms & SECCOMP && !has_seccomp))
			continue;
		if (a->no_seccomp_alone && mechanisms == SECCOMP)
			continue;
		const int result = make_in_child(mechanisms, true, a->make);
		expect_result(!result, names[mechanisms], a->name, result);
	}
}

/* Makes an attempt of the writer, which one of the mechanisms must refuse. */
static void test_writer_attempt(const struct attempt *a, int mechanisms)
{
	static const char *const names[] = { [LANDLOCK] = "writer, Landlock alone",
		[SECCOMP] = "writer, seccomp alone",
		[BOTH] = "writer, both" };
	int result;

	if ((mechanisms & LANDLOCK && !landlock_version) || (mechanisms & SECCOMP && !has_seccomp))
		return;
	result = make_restored(mechanisms, false, a->make);
	if (mechanisms & a->by)
		expect_result(result > 0, names[mechanisms], a->name, result);
}

/* Tests the rights of a program that writes savefiles. */
static void test_writer(void)
{
	is_writer = true;
	for (size_t i = 0; i < writer_action_count; i++)
		test_allowed_action(&writer_actions[i]);
	for (size_t i = 0; i < writer_attempt_count; i++)
		for (int mechanisms = LANDLOCK; mechanisms <= BOTH; mechanisms++)
			test_writer_attempt(&writer_attempts[i], mechanisms);
	is_writer = false;
}

static void test_live_view(void)
{
	is_live_view = true;
	for (int mechanisms = SECCOMP; mechanisms <= BOTH && has_seccomp; mechanisms++) {
		if (mechanisms == BOTH && !landlock_version)
			continue;
		int result = make_in_child(mechanisms, false, try_set_terminal);
		expect_result(!result,
			mechanisms == BOTH ? "both, live view" : "seccomp alone, live view",
			"set a terminal", result);
		result = make_in_child(mechanisms, false, try_inject_input);
		expect_result(result == EPERM, "live view", "TIOCSTI", result);
	}
	is_live_view = false;
}

#if defined(__x86_64__)
/* Calls i386's getpid. */
static int call_i386(void)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L));
	return (int)(r < 0);
}

static int call_x32(void)
{
	return syscall(0x40000000 + SYS_getpid) < 0 && errno == ENOSYS ? ENOSYS : 0;
}

static void test_other_abis(void)
{
	if (!has_seccomp)
		return;
	int result = make_in_child(SECCOMP, true, call_i386);
	expect_result(result == -2, "seccomp alone", "a call of i386 ends the process", result);
	result = make_in_child(SECCOMP, true, call_x32);
	expect_result(result == ENOSYS, "seccomp alone", "a call of x32", result);
}
#else
static void test_other_abis(void)
{
}
#endif

int main(void)
{
	const struct attempt_list *const lists[] = { &file_attempts, &write_attempts,
		&name_attempts };

	prepare_files();
	prepare_sockets();
	parent_pid = getpid();
	find_mechanisms();
	if (landlock_version || has_seccomp) {
		for (size_t k = 0; k < COUNT_OF(lists); k++)
			for (size_t i = 0; i < lists[k]->count; i++)
				test_attempt(&lists[k]->attempts[i]);
		for (size_t i = 0; i < allowed_count; i++)
			test_allowed_action(&allowed_actions[i]);
	}
	test_live_view();
	test_writer();
	test_other_abis();
	remove_files();
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	if (failed)
		return 1;
	return passed ? 0 : 77;
}
