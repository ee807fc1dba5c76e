/* SPDX-License-Identifier: MIT */
/* Names as IDNA writes them: the samples of RFC 3492, section 7.1, in lower case, and registered
 * names. */
#include "naming/punycode.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect_punycode(const char *name, const char *want)
{
	char to[256] = "";
	const size_t n = bpei_punycode_name(to, sizeof to, name, strlen(name));

	cr_expect_eq(n, strlen(want), "%s: %zu", name, n);
	cr_expect_str_eq(to, want);
	for (size_t room = 0; room <= strlen(want); room++)
		cr_expect_eq(bpei_punycode_name(to, room, name, strlen(name)), 0, "%zu", room);
	cr_expect_eq(bpei_punycode_name(to, strlen(want) + 1, name, strlen(name)), strlen(want));
}

Test(punycode, samples_of_the_rfc)
{
	expect_punycode("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye");
	expect_punycode("почемужеонинеговорятпорусски", "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l");
	expect_punycode("3年b組金八先生", "xn--3b-ww4c5e180e575a65lsy2b");
	expect_punycode("パフィーdeルンバ", "xn--de-jg4avhby1noc0d");
	expect_punycode("そのスピードで", "xn--d9juau41awczczp");
}

Test(punycode, labels_of_a_name_one_by_one)
{
	expect_punycode("bücher.example", "xn--bcher-kva.example");
	expect_punycode("www.食狮.公司.cn", "www.xn--85x722f.xn--55qx5d.cn");
	expect_punycode("рф", "xn--p1ai");
	expect_punycode("\xf0\x9f\x92\xa9.la", "xn--ls8h.la");
}

Test(punycode, what_needs_none_or_is_wrong)
{
	char to[256];

	cr_expect_eq(bpei_punycode_name(to, sizeof to, "www.example.com", 15), 0);
	cr_expect_eq(bpei_punycode_name(to, sizeof to, "", 0), 0);
	cr_expect_eq(bpei_punycode_name(to, sizeof to, "\xff.com", 5), 0);
	cr_expect_eq(bpei_punycode_name(to, sizeof to, "a\xc3", 2), 0);
	char label[80 + 2];
	memset(label, 'a', 80);
	memcpy(label + 80, "\xc3\xbc", 2);
	cr_expect_eq(bpei_punycode_name(to, sizeof to, label, sizeof label), 0, "a long label");
}
