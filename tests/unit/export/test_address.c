/* SPDX-License-Identifier: MIT */
/* Reads targets: parts, percent signs, parameters, secrets, hosts, and each refusal with its
 * advice.
 */
#include "tools/export/export.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct export_address address;
static char why[512];

/* Reads a target that is right. */
static void read_good(const char *text)
{
	cr_assert_eq(export_address_read(&address, text, why, sizeof why), 0, "%s: %s", text, why);
}

/* Reads a target that is wrong, and looks for the words in the reason. */
static void read_bad(const char *text, const char *words)
{
	why[0] = 0;
	cr_assert_eq(export_address_read(&address, text, why, sizeof why), -1, "%s", text);
	cr_assert_not_null(strstr(why, words), "%s: \"%s\" has no \"%s\"", text, why, words);
}

Test(address, parts)
{
	read_good("ipfix://collector:4739?transport=tcp&domain=7");
	cr_assert_str_eq(address.scheme, "ipfix");
	cr_assert_str_eq(address.hosts, "collector:4739");
	cr_assert_str_eq(address.path, "");
	cr_assert_eq(address.count, 2);
	cr_assert_str_eq(export_parameter(&address, "transport", "udp"), "tcp");
	cr_assert_str_eq(export_parameter(&address, "domain", "0"), "7");
	cr_assert_str_eq(export_parameter(&address, "profile", "plain"), "plain");
	cr_assert_null(export_parameter(&address, "profile", NULL));

	read_good("kafka://b1:9092,[::1]:9092/flows.all?format=json");
	cr_assert_str_eq(address.hosts, "b1:9092,[::1]:9092");
	cr_assert_str_eq(address.path, "flows.all");

	read_good("ipfix:/var/flows/a%3fb%25.ipfix");
	cr_assert_str_eq(address.hosts, "");
	cr_assert_str_eq(address.path, "/var/flows/a?b%.ipfix");
	cr_assert_eq(address.count, 0);

	read_good("netflow9://h/?note=a%26b=c%3D&empty=");
	cr_assert_str_eq(address.path, "");
	cr_assert_str_eq(export_parameter(&address, "note", ""), "a&b=c=");
	cr_assert_str_eq(export_parameter(&address, "empty", "x"), "");
}

Test(address, secrets_are_hidden)
{
	read_good("kafka://b/t?sasl.password=hunter2&key=community&access.key=abc");
	cr_assert_str_eq(
		address.shown, "kafka://b/t?sasl.password=***&key=community&access.key=***");
	cr_assert_str_eq(export_parameter(&address, "sasl.password", ""), "hunter2");
	read_good("ipfix:a%1bb\033[31m.ipfix");
	cr_assert_str_eq(address.shown, "ipfix:a%1bb\\x1b[31m.ipfix");
	read_bad("kafka://b/t?password=hunter2&password=other", "given twice");
	cr_assert_str_eq(address.shown, "kafka://b/t?password=***&password=***");
	cr_assert_null(strstr(why, "hunter2"));
}

Test(address, refusals)
{
	static const char *const bad[][2] = {
		{ "", "no kind" },
		{ "collector", "no kind" },
		{ "collector.example:4739", "no kind" },
		{ "9ipfix://h", "no kind" },
		{ "IPFIX://h", "no kind" },
		{ "abcdefghijklmnop://h", "there is no kind" },
		{ "ipfix:", "no host and no file" },
		{ "ipfix://", "no host: write ipfix://HOST" },
		{ "ipfix:///tmp/file", "or ipfix:FILE" },
		{ "ipfix://a b", "no blanks" },
		{ "ipfix://a\n", "no blanks" },
		{ "kafka://me:word@h/t", "?username=NAME&password=WORD" },
		{ "ipfix:a%", "hexadecimal" },
		{ "ipfix:a%4", "hexadecimal" },
		{ "ipfix:a%zz", "hexadecimal" },
		{ "ipfix:a%00b", "hexadecimal" },
		{ "ipfix://h?", "no NAME=VALUE" },
		{ "ipfix://h?a", "no NAME=VALUE" },
		{ "ipfix://h?=b", "no NAME=VALUE" },
		{ "ipfix://h?a=1&", "no NAME=VALUE" },
		{ "ipfix://h?A=1", "no name of a parameter" },
		{ "ipfix://h?a=1&a=2", "a is given twice" },
		{ "ipfix://h?a=%g", "a: a % begins" },
		{ "ipfix://h?a-name-that-is-longer-than-each-name-of-a-parameter-anywhere-may-be=1",
			"there is no parameter" },
	};

	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
		read_bad(bad[k][0], bad[k][1]);
}

/* Holds each part against its limit. */
Test(address, lengths)
{
	static char text[4000];

	memcpy(text, "ipfix:", 6);
	memset(text + 6, 'p', sizeof address.path - 1);
	read_good(text);
	cr_assert_eq(strlen(address.path), sizeof address.path - 1);
	text[6 + sizeof address.path - 1] = 'p';
	read_bad(text, "longer than 1023 bytes");
	cr_assert_eq(strlen(address.shown), sizeof address.shown - 1);

	memset(text, 0, sizeof text);
	memcpy(text, "ipfix://", 8);
	memset(text + 8, 'h', sizeof address.hosts);
	read_bad(text, "the hosts have more than 511 bytes");

	memset(text, 0, sizeof text);
	memcpy(text, "ipfix://h?v=", 12);
	memset(text + 12, 'v', sizeof address.parameters->value);
	read_bad(text, "v: a part of it is longer than 255 bytes");

	int n = snprintf(text, sizeof text, "ipfix://h?a=1");
	for (int k = 1; k < EXPORT_PARAMETERS_MOST; k++)
		n += snprintf(text + n, sizeof text - (size_t)n, "&a%d=1", k);
	read_good(text);
	cr_assert_eq(address.count, EXPORT_PARAMETERS_MOST);
	snprintf(text + n, sizeof text - (size_t)n, "&b=1");
	read_bad(text, "more than 24 parameters");
}

Test(address, numbers)
{
	uint64_t number = 7;

	read_good("ipfix://h?rate=100&bad=1x&big=99999999999999999999");
	cr_assert_eq(export_number(&address, "rate", 1, 100, &number, why, sizeof why), 0);
	cr_assert_eq(number, 100);
	cr_assert_eq(export_number(&address, "none", 1, 100, &number, why, sizeof why), 0);
	cr_assert_eq(number, 100);
	cr_assert_eq(export_number(&address, "rate", 1, 99, &number, why, sizeof why), -1);
	cr_assert_str_eq(why, "rate wants a whole number from 1 to 99");
	cr_assert_eq(export_number(&address, "bad", 0, 99, &number, why, sizeof why), -1);
	cr_assert_eq(export_number(&address, "big", 0, UINT64_MAX, &number, why, sizeof why), -1);
	cr_assert_eq(number, 100);
}

Test(address, known_parameters)
{
	static const char *const two[] = { "rate", "domain", NULL };
	static const char *const none[] = { NULL };

	read_good("ipfix://h?rate=100&rates=2");
	cr_assert_eq(export_parameters_check(&address, two, why, sizeof why), -1);
	cr_assert_str_eq(why, "there is no parameter rates: ipfix takes rate and domain");
	cr_assert_eq(export_parameters_check(&address, none, why, sizeof why), -1);
	cr_assert_str_eq(why, "there is no parameter rate: ipfix takes none");
	read_good("ipfix://h?rate=100");
	cr_assert_eq(export_parameters_check(&address, two, why, sizeof why), 0);
}

Test(address, hosts)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} good[] = { { "h", "h", 4739 }, { "h:1", "h", 1 }, { "[::1]", "::1", 4739 },
		{ "[fe80::1%en0]:65535", "fe80::1%en0", 65535 },
		{ "192.0.2.1:80", "192.0.2.1", 80 } };
	static const char *const bad[][2] = { { "", "host is missing" },
		{ ":80", "host is missing" }, { "h:", "is no port" }, { "h:0", "is no port" },
		{ "h:65536", "is no port" }, { "h:x", "is no port" }, { "::1", "[::1]" },
		{ "[::1", "] behind" }, { "[::1]80", "only :PORT" },
		{ "[]:1", "host is missing" } };
	char host[256];
	char longest[300];
	uint16_t port;

	for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
		cr_assert_eq(export_host_split(good[k].text, 4739, host, &port, why, sizeof why), 0,
			"%s: %s", good[k].text, why);
		cr_assert_str_eq(host, good[k].host);
		cr_assert_eq(port, good[k].port);
	}
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		cr_assert_eq(export_host_split(bad[k][0], 4739, host, &port, why, sizeof why), -1,
			"%s", bad[k][0]);
		cr_assert_not_null(strstr(why, bad[k][1]), "%s: %s", bad[k][0], why);
	}
	cr_assert_eq(export_host_split("h", 0, host, &port, why, sizeof why), -1);
	cr_assert_not_null(strstr(why, "port is missing"));
	memset(longest, 'h', sizeof longest);
	longest[256] = 0;
	cr_assert_eq(export_host_split(longest, 1, host, &port, why, sizeof why), -1);
	longest[255] = 0;
	cr_assert_eq(export_host_split(longest, 1, host, &port, why, sizeof why), 0);
}
