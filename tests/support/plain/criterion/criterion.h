/* SPDX-License-Identifier: MIT */
/* The macros of Criterion in the unit tests, for a plain program.  Every test runs in a child of
 * fork(2), and the program ends with "N passed, N failed".  Criterion's own runner starts the
 * program a second time, and under a user-mode emulator the tests would run on the real CPU. meson
 * setup -Dunit_runner=plain chooses this file. */
#ifndef PLAIN_CRITERION_H
#define PLAIN_CRITERION_H

#pragma GCC system_header /* an empty __VA_ARGS__ is no error here */

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct plain_suite {
	void (*init)(void), (*fini)(void);
	double timeout;
};

struct plain_test {
	const char *suite, *name;
	void (*run)(void);
	struct plain_suite own;
	const struct plain_suite *common; /* the options of the suite, or NULL */
	struct plain_test *next;
};

enum { PLAIN_SLOWER = 20 };  /* time-outs are multiplied for an emulator */
enum { PLAIN_SKIPPED = 77 }; /* exit code of a test that cannot run here */

static struct plain_test *plain_first, **plain_last = &plain_first;
static volatile bool plain_failed;

static inline void plain_add(struct plain_test *test)
{
	*plain_last = test;
	plain_last = &test->next;
}

/* Reports a false condition; `must` also ends the test. */
__attribute__((format(printf, 5, 6))) static inline void plain_check(
	bool good, bool must, const char *where, const char *what, const char *format, ...)
{
	va_list list;
	if (good)
		return;
	plain_failed = true;
	printf("%s: %s", where, what);
	if (*format) {
		printf(": ");
		va_start(list, format);
		vprintf(format, list);
		va_end(list);
	}
	printf("\n");
	fflush(stdout);
	if (must)
		_exit(1);
}

static inline void plain_child(const struct plain_test *test)
{
	const struct plain_suite *common = test->common;
	const char *const longest = getenv("PLAIN_LONGEST"); /* seconds, for an emulator */
	double most = test->own.timeout;
	if (most <= 0)
		most = common && common->timeout > 0 ? common->timeout : 60;
	most *= PLAIN_SLOWER;
	if (longest && most > atoi(longest))
		most = atoi(longest);
	alarm((unsigned)most);
	if (common && common->init)
		common->init();
	if (test->own.init)
		test->own.init();
	test->run();
	if (test->own.fini)
		test->own.fini();
	if (common && common->fini)
		common->fini();
	fflush(stdout);
	exit(plain_failed);
}

/* Runs a test.  Returns the exit code: 0 if the test passed, PLAIN_SKIPPED, or another. */
static inline int plain_run(const struct plain_test *test)
{
	int status;
	fflush(stdout);
	fflush(stderr);
	pid_t child = fork();
	if (child == 0)
		plain_child(test);
	if (child < 0 || waitpid(child, &status, 0) != child) {
		perror("fork");
		exit(1);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == PLAIN_SKIPPED)
		return PLAIN_SKIPPED;
	printf("FAILED %s::%s: ", test->suite, test->name);
	if (WIFSIGNALED(status))
		printf("signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		printf("exit code %d\n", WEXITSTATUS(status));
	return 1;
}

/* Runs all tests, or the tests with the names or suites of the arguments. */
int main(int argc, char **argv)
{
	unsigned counts[3] = { 0, 0, 0 }; /* passed, failed, skipped */
	for (const struct plain_test *test = plain_first; test; test = test->next) {
		bool wanted = argc < 2;
		for (int i = 1; i < argc; i++)
			wanted |= !strcmp(argv[i], test->suite) || !strcmp(argv[i], test->name);
		if (!wanted)
			continue;
		const int code = plain_run(test);
		counts[code == PLAIN_SKIPPED ? 2 : code]++;
	}
	printf("%u passed, %u failed", counts[0], counts[1]);
	if (counts[2])
		printf(", %u skipped", counts[2]);
	printf("\n");
	return counts[1] || !counts[0];
}

#define TestSuite(suite_name, ...)                                                                 \
	const struct plain_suite plain_suite_##suite_name = { __VA_ARGS__ }

/* A suite may follow the tests, or be absent: the weak reference is then NULL. */
#define Test(suite_name, test_name, ...)                                                           \
	extern const struct plain_suite plain_suite_##suite_name __attribute__((weak));            \
	static void plain_body_##suite_name##_##test_name(void);                                   \
	__attribute__((constructor)) static void plain_register_##suite_name##_##test_name(void)   \
	{                                                                                          \
		static struct plain_test test = { .suite = #suite_name,                            \
			.name = #test_name,                                                        \
			.run = plain_body_##suite_name##_##test_name,                              \
			.own = { __VA_ARGS__ } };                                                  \
		test.common = &plain_suite_##suite_name;                                           \
		plain_add(&test);                                                                  \
	}                                                                                          \
	static void plain_body_##suite_name##_##test_name(void)

#define PLAIN_TEXT2(x) #x
#define PLAIN_TEXT(x) PLAIN_TEXT2(x)
#define PLAIN_HERE __FILE__ ":" PLAIN_TEXT(__LINE__)
#define PLAIN(must, condition, what, ...)                                                          \
	plain_check((condition), must, PLAIN_HERE, what, "" __VA_ARGS__)

/* Ends the test as skipped, with the reason.  A failure before keeps the test failed. */
#define cr_skip(why)                                                                               \
	do {                                                                                       \
		printf("skipped: %s\n", why);                                                      \
		fflush(stdout);                                                                    \
		_exit(plain_failed ? 1 : PLAIN_SKIPPED);                                           \
	} while (0)

#define cr_assert(condition, ...) PLAIN(1, (condition), #condition, __VA_ARGS__)
#define cr_assert_not(condition, ...) PLAIN(1, !(condition), "not " #condition, __VA_ARGS__)
#define cr_assert_fail(...) PLAIN(1, false, "failed", __VA_ARGS__)
#define cr_assert_eq(a, b, ...) PLAIN(1, (a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...) PLAIN(1, (a) != (b), #a " != " #b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...) PLAIN(1, (a) < (b), #a " < " #b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...) PLAIN(1, (a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...) PLAIN(1, (a) > (b), #a " > " #b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...) PLAIN(1, (a) >= (b), #a " >= " #b, __VA_ARGS__)
#define cr_assert_null(a, ...) PLAIN(1, (a) == NULL, #a " is NULL", __VA_ARGS__)
#define cr_assert_not_null(a, ...) PLAIN(1, (a) != NULL, #a " is not NULL", __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) PLAIN(1, strcmp((a), (b)) == 0, #a " is " #b, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) PLAIN(1, strcmp((a), (b)) != 0, #a " is not " #b, __VA_ARGS__)
#define cr_assert_str_empty(a, ...) PLAIN(1, *(a) == 0, #a " is empty", __VA_ARGS__)
#define cr_assert_str_not_empty(a, ...) PLAIN(1, *(a) != 0, #a " is not empty", __VA_ARGS__)
#define cr_assert_arr_eq(a, b, n, ...)                                                             \
	PLAIN(1, memcmp((a), (b), (n)) == 0, #a " is the bytes " #b, __VA_ARGS__)
#define cr_assert_arr_neq(a, b, n, ...)                                                            \
	PLAIN(1, memcmp((a), (b), (n)) != 0, #a " is not the bytes " #b, __VA_ARGS__)
#define cr_assert_float_eq(a, b, e, ...)                                                           \
	PLAIN(1, (a) - (b) <= (e) && (b) - (a) <= (e), #a " is about " #b, __VA_ARGS__)

#define cr_expect(condition, ...) PLAIN(0, (condition), #condition, __VA_ARGS__)
#define cr_expect_not(condition, ...) PLAIN(0, !(condition), "not " #condition, __VA_ARGS__)
#define cr_expect_fail(...) PLAIN(0, false, "failed", __VA_ARGS__)
#define cr_expect_eq(a, b, ...) PLAIN(0, (a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_expect_neq(a, b, ...) PLAIN(0, (a) != (b), #a " != " #b, __VA_ARGS__)
#define cr_expect_lt(a, b, ...) PLAIN(0, (a) < (b), #a " < " #b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...) PLAIN(0, (a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_expect_gt(a, b, ...) PLAIN(0, (a) > (b), #a " > " #b, __VA_ARGS__)
#define cr_expect_geq(a, b, ...) PLAIN(0, (a) >= (b), #a " >= " #b, __VA_ARGS__)
#define cr_expect_null(a, ...) PLAIN(0, (a) == NULL, #a " is NULL", __VA_ARGS__)
#define cr_expect_not_null(a, ...) PLAIN(0, (a) != NULL, #a " is not NULL", __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) PLAIN(0, strcmp((a), (b)) == 0, #a " is " #b, __VA_ARGS__)
#define cr_expect_str_neq(a, b, ...) PLAIN(0, strcmp((a), (b)) != 0, #a " is not " #b, __VA_ARGS__)
#define cr_expect_str_empty(a, ...) PLAIN(0, *(a) == 0, #a " is empty", __VA_ARGS__)
#define cr_expect_str_not_empty(a, ...) PLAIN(0, *(a) != 0, #a " is not empty", __VA_ARGS__)
#define cr_expect_arr_eq(a, b, n, ...)                                                             \
	PLAIN(0, memcmp((a), (b), (n)) == 0, #a " is the bytes " #b, __VA_ARGS__)
#define cr_expect_arr_neq(a, b, n, ...)                                                            \
	PLAIN(0, memcmp((a), (b), (n)) != 0, #a " is not the bytes " #b, __VA_ARGS__)
#define cr_expect_float_eq(a, b, e, ...)                                                           \
	PLAIN(0, (a) - (b) <= (e) && (b) - (a) <= (e), #a " is about " #b, __VA_ARGS__)

#endif
