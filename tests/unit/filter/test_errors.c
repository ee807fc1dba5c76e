/* SPDX-License-Identifier: MIT */
/* Wrong expressions: each gets the error of tests/data/filter_errors.txt, with the reason, the
 * place and the carets.  Endlessly long, deep or large expressions are refused in bounded time
 * and memory. */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZERS 1
#endif
#endif
#ifndef UNDER_SANITIZERS
#ifdef __SANITIZE_ADDRESS__
#define UNDER_SANITIZERS 1
#else
#define UNDER_SANITIZERS 0
#endif
#endif

static int compile_for_error(const char *expression, struct bpe_error *e)
{
	struct bpe_insn *program;
	uint32_t length;
	struct bpe_filter_options o;
	bpe_filter_options_init(&o);
	o.no_names = strlen(expression) > 200;
	int r = bpe_filter_compile_with(expression, &o, &program, &length, e);
	if (r == BPE_OK)
		bpe_filter_free(program);
	return r;
}

Test(errors, each_points_at_what_is_wrong)
{
	FILE *f = fopen("tests/data/filter_errors.txt", "re");
	char line[512], expression[512] = "", expected[2048] = "";
	unsigned cases = 0;
	cr_assert_not_null(f);
	for (bool more = true; more;) {
		more = fgets(line, sizeof line, f);
		if (more && line[0] == '#')
			continue;
		if (more && strncmp(line, "== ", 3) != 0) {
			strcat(expected, line);
			continue;
		}
		if (expected[0]) {
			struct bpe_error e = { .text = "" };
			cr_expect_eq(compile_for_error(expression, &e), BPE_E_ARGUMENT,
				"%s is taken", expression);
			expected[strlen(expected) - 1] = 0;
			cr_expect_str_eq(e.text, expected);
			cases++;
		}
		snprintf(expression, sizeof expression, "%s", more ? line + 3 : "");
		expression[strcspn(expression, "\n")] = 0;
		expected[0] = 0;
	}
	fclose(f);
	cr_expect_gt(cases, 80);
}

/* Returns `begin`, then `unit` again and again for at least `bytes` bytes, then `end`. */
static char *repeat_text(const char *begin, const char *unit, size_t bytes, const char *end)
{
	char *text = malloc(strlen(begin) + bytes + strlen(unit) + strlen(end) + 1);
	char *at = text;

	cr_assert_not_null(text);
	at = stpcpy(at, begin);
	for (size_t n = 0; n < bytes; n += strlen(unit))
		at = stpcpy(at, unit);
	strcpy(at, end);
	return text;
}

Test(errors, without_end_is_refused)
{
	static const struct {
		const char *begin, *unit, *end;
		size_t bytes;
	} cases[] = { { "", "(", "", 1000000 }, { "tcp and ", "not ", "", 1000000 },
		{ "", "! ", "tcp", 1000000 }, { "", "((((tcp", "", 900000 },
		{ "tcp[", "tcp[", "", 900000 }, { "", "-", "1 = 1", 1000000 },
		{ "len = 1", "+ (1", "", 900000 }, { "host ", "a", "", 10000 },
		{ "host 10.0.0.1", " or 1", "", 2000000 }, { "", "and ", "", 500000 },
		{ "port ", "9", "", 100000 }, { "", "\x80\xff", "", 100000 },
		{ "ip[0] ", "% 3 ", "= 1", 900000 }, { "ether host ", "1:", "", 100000 },
		{ "host ", "1.", "", 100000 }, { "host ", "f:", "", 100000 },
		{ "", "inner(", "tcp", 300000 }, { "", "vlan and ", "", 300000 } };
	struct rlimit memory = { 1ull << 30, 1ull << 30 };
	if (!UNDER_SANITIZERS)
		setrlimit(RLIMIT_AS, &memory); /* the sanitizers' shadows need more */
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text =
			repeat_text(cases[i].begin, cases[i].unit, cases[i].bytes, cases[i].end);
		struct bpe_error e = { .text = "" };
		int r = compile_for_error(text, &e);
		cr_expect(r == BPE_E_ARGUMENT && e.text[0] && strlen(e.text) < sizeof e.text,
			"%.20s...: %d %s", text, r, e.text);
		free(text);
	}
}

/* Compiles long expressions and lists that are right. */
Test(errors, a_hundred_thousand_hosts)
{
	char *text = malloc(3000000);
	char *at = text;
	struct bpe_error e = { .text = "" };
	struct bpe_insn *program;
	uint32_t length;
	cr_assert_not_null(text);
	at += sprintf(at, "host 10.0.0.0");
	for (uint32_t i = 1; i < 50000; i++)
		at += sprintf(at, " or 10.%u.%u.%u", i >> 15, i >> 7 & 255, i << 1 & 255);
	cr_expect_lt(at - text, 1 << 20);
	cr_assert_eq(bpe_filter_compile(text, 1, 0, &program, &length, &e), BPE_OK, "%s", e.text);
	cr_expect_lt(length, 50000u * 4);
	bpe_filter_free(program);
	for (uint32_t i = 50000; i < 100000; i++)
		at += sprintf(at, " or 10.%u.%u.%u", i >> 15, i >> 7 & 255, i << 1 & 255);
	cr_expect_eq(bpe_filter_compile(text, 1, 0, &program, &length, &e), BPE_E_ARGUMENT,
		"longer than a megabyte");
	char path[] = "/tmp/hosts-XXXXXX", expression[64];
	int fd = mkstemp(path);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	cr_assert_not_null(f);
	for (uint32_t i = 0; i < 100000; i++)
		fprintf(f, "10.%u.%u.%u\n", i >> 15, i >> 7 & 255, i << 1 & 255);
	fclose(f);
	snprintf(expression, sizeof expression, "host in %s", path);
	cr_expect_eq(
		bpe_filter_compile(expression, 1, 0, &program, &length, &e), BPE_OK, "%s", e.text);
	uint8_t frame[60] = { [12] = 8,
		[14] = 0x45,
		[26] = 10,
		[27] = 99999 >> 15,
		[28] = (99999 >> 7) & 255,
		[29] = (99999 << 1) & 255 };
	cr_expect(bpe_filter_run(program, frame, 60, 60));
	frame[29] ^= 1;
	cr_expect(!bpe_filter_run(program, frame, 60, 60));
	bpe_filter_free(program);
	unlink(path);
	free(text);
}
