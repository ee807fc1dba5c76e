/* SPDX-License-Identifier: MIT */
/* Registered domains: the test set of publicsuffix.org (test_psl.txt) on the rules that the set
 * needs. Texts that are no list are refused.  The system's own list is read if there is a list. */
#include "naming/suffixes.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char rules[] = "// a comment\n"
			    "com\nbiz\nuk.com\n\ncn\ncom.cn\n公司.cn\n中国\n"
			    "  \n*.mm\n"
			    "jp\nac.jp\nkyoto.jp\nide.kyoto.jp\n*.kobe.jp\n!city.kobe.jp\n"
			    "*.ck and more words\n!www.ck\r\n"
			    "us\nak.us\nk12.ak.us\nblogspot.com\n"
			    "in-addr.arpa\nUK\nco.uk";

static struct bpei_suffixes *read_rules(const char *text)
{
	static char copy[8192];
	struct bpei_suffixes *s = NULL;
	struct bpe_error error = { .text = "" };

	snprintf(copy, sizeof copy, "%s", text);
	cr_assert_eq(bpei_suffixes_read(copy, "list", &s, &error), BPE_OK, "%s", error.text);
	return s;
}

/* Checks the registered domain of a name; NULL: the name has none. */
static void expect_registered(const struct bpei_suffixes *s, const char *name, const char *want)
{
	const struct bpei_suffix found = bpei_suffixes_find(s, name, strlen(name));
	const char *got = name + found.registered;

	cr_expect(found.suffix < strlen(name));
	cr_expect_str_eq(got, want ? want : "", "%s: %s", name, got);
}

Test(suffixes, test_set_of_the_list)
{
	static const struct {
		const char *name, *want;
	} cases[] = { { "com", NULL }, { "example.com", "example.com" },
		{ "www.example.com", "example.com" }, { "example", NULL },
		{ "example.example", "example.example" },
		{ "a.b.example.example", "example.example" }, { "biz", NULL },
		{ "domain.biz", "domain.biz" }, { "a.b.domain.biz", "domain.biz" },
		{ "b.example.com", "example.com" }, { "uk.com", NULL },
		{ "example.uk.com", "example.uk.com" }, { "a.b.example.uk.com", "example.uk.com" },
		{ "test.ac", "test.ac" }, { "mm", NULL }, { "c.mm", NULL }, { "b.c.mm", "b.c.mm" },
		{ "a.b.c.mm", "b.c.mm" }, { "jp", NULL }, { "test.jp", "test.jp" },
		{ "www.test.jp", "test.jp" }, { "ac.jp", NULL }, { "test.ac.jp", "test.ac.jp" },
		{ "www.test.ac.jp", "test.ac.jp" }, { "kyoto.jp", NULL },
		{ "test.kyoto.jp", "test.kyoto.jp" }, { "ide.kyoto.jp", NULL },
		{ "b.ide.kyoto.jp", "b.ide.kyoto.jp" }, { "a.b.ide.kyoto.jp", "b.ide.kyoto.jp" },
		{ "c.kobe.jp", NULL }, { "b.c.kobe.jp", "b.c.kobe.jp" },
		{ "a.b.c.kobe.jp", "b.c.kobe.jp" }, { "city.kobe.jp", "city.kobe.jp" },
		{ "www.city.kobe.jp", "city.kobe.jp" }, { "ck", NULL }, { "test.ck", NULL },
		{ "b.test.ck", "b.test.ck" }, { "a.b.test.ck", "b.test.ck" },
		{ "www.ck", "www.ck" }, { "www.www.ck", "www.ck" }, { "us", NULL },
		{ "test.us", "test.us" }, { "ak.us", NULL }, { "www.test.ak.us", "test.ak.us" },
		{ "k12.ak.us", NULL }, { "www.test.k12.ak.us", "test.k12.ak.us" },
		{ "食狮.com.cn", "食狮.com.cn" }, { "食狮.公司.cn", "食狮.公司.cn" },
		{ "www.食狮.公司.cn", "食狮.公司.cn" }, { "shishi.公司.cn", "shishi.公司.cn" },
		{ "公司.cn", NULL }, { "食狮.中国", "食狮.中国" }, { "中国", NULL },
		{ "xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn" },
		{ "www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn" },
		{ "xn--55qx5d.cn", NULL }, { "shishi.xn--fiqs8s", "shishi.xn--fiqs8s" },
		{ "xn--fiqs8s", NULL }, { "4.3.2.in-addr.arpa", "2.in-addr.arpa" },
		{ "a.b.co.uk", "b.co.uk" } };
	struct bpei_suffixes *s = read_rules(rules);

	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
		expect_registered(s, cases[k].name, cases[k].want);
	cr_expect(bpei_suffixes_find(s, "a.com", 5).listed);
	cr_expect(bpei_suffixes_find(s, "www.ck", 6).listed);
	cr_expect(!bpei_suffixes_find(s, "a.local", 7).listed);
	bpei_suffixes_close(s);
}

static void expect_no_list(const char *text, const char *why)
{
	char copy[512];
	struct bpei_suffixes *s = NULL;
	struct bpe_error error = { .text = "" };

	snprintf(copy, sizeof copy, "%s", text);
	cr_expect_eq(bpei_suffixes_read(copy, "list", &s, &error), BPE_E_ARGUMENT, "%s", text);
	cr_expect_null(s);
	cr_expect(strstr(error.text, why), "%s", error.text);
	cr_expect(strstr(error.text, "list is no public suffix list"), "%s", error.text);
}

Test(suffixes, what_is_no_list_is_refused)
{
	char label[400];

	expect_no_list("", "has no rules");
	expect_no_list("// only a comment\n\n", "has no rules");
	expect_no_list("com\n<!DOCTYPE html>\n", "line 2 has no rule");
	expect_no_list("com\nco..uk\n", "line 2");
	expect_no_list(".com\n", "line 1");
	expect_no_list("com.\n", "line 1");
	expect_no_list("com\n\n!\n", "line 3");
	expect_no_list("*.\n", "line 1");
	expect_no_list("a.*.b\n", "line 1");
	memset(label, 'a', sizeof label - 1);
	label[sizeof label - 1] = 0;
	expect_no_list(label, "line 1");
}

Test(suffixes, files_that_cannot_be_read)
{
	struct bpei_suffixes *s = NULL;
	struct bpe_error error = { .text = "" };
	char path[] = "/tmp/bpe-suffixes-XXXXXX";
	const int file = mkstemp(path);

	cr_assert_geq(file, 0);
	cr_assert_eq(write(file,
			     "\xef\xbb\xbf"
			     "com\0",
			     7),
		7);
	close(file);
	cr_expect_eq(bpei_suffixes_open("/nonexistent/list", &s, &error), BPE_E_ABSENT);
	cr_expect(strstr(error.text, "/nonexistent/list"), "%s", error.text);
	cr_expect_eq(bpei_suffixes_open(path, &s, &error), BPE_E_ARGUMENT, "%s", error.text);
	cr_expect(strstr(error.text, "a byte 0"), "%s", error.text);
	cr_assert_eq(truncate(path, 6), 0);
	cr_assert_eq(bpei_suffixes_open(path, &s, &error), BPE_OK, "%s", error.text);
	expect_registered(s, "www.example.com", "example.com");
	bpei_suffixes_close(s);
	unlink(path);
}

Test(suffixes, list_of_the_system)
{
	struct bpei_suffixes *s = NULL;
	struct bpe_error error = { .text = "" };
	const int status = bpei_suffixes_open(NULL, &s, &error);

	if (status == BPE_E_ABSENT) {
		cr_expect(strstr(error.text, "install the package publicsuffix"), "%s", error.text);
		return;
	}
	cr_assert_eq(status, BPE_OK, "%s", error.text);
	expect_registered(s, "www.example.com", "example.com");
	expect_registered(s, "www.bbc.co.uk", "bbc.co.uk");
	expect_registered(s, "www.city.kobe.jp", "city.kobe.jp");
	expect_registered(s, "www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn");
	bpei_suffixes_close(s);
}
