/* SPDX-License-Identifier: MIT */
/* Names in HTTP and SSH, as the readers say them. */
#include "app_case.h"

#include <criterion/criterion.h>

struct said_case {
	uint8_t end;
	const char *text, *method, *server;
	uint16_t status;
};

static const struct said_case http[] = {
	{ 0, "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n", "GET", "www.example.com", 0 },
	{ 0, "PROPFIND /x HTTP/1.1\r\nhost:www.example.com:8080 \r\n\r\n", "PROPFIND",
		"www.example.com", 0 },
	{ 0, "GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n", "GET", "2001:db8::1", 0 },
	{ 0, "GET / HTTP/1.1\r\nHost: 2001:db8::1\r\n\r\n", "GET", "2001:db8::1", 0 },
	{ 0, "GET / HTTP/1.0\n\n", "GET", "", 0 },
	{ 0, "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET", "", 0 },
	{ 0, "GET http://u@a.example:81/p?q HTTP/1.1\r\nHost: b.example\r\n\r\n", "GET",
		"a.example", 0 },
	{ 0, "GET /r?u=http://c.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n", "GET", "b.example",
		0 },
	{ 0, "CONNECT a.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n", "CONNECT", "a.example",
		0 },
	{ 0, "OPTIONS * HTTP/1.1\r\nX-Host: c.example\r\nHost: a.example\r\nHost: b.example\r\n\r\n",
		"OPTIONS", "a.example", 0 },
	{ 0, "GET / HTTP/1.1\r\nHost: a\xff\tb\r\n\r\n", "GET", "a\\xff\\x09b", 0 },
	{ 0, "BASELINE-CONTROL /x HTTP/1.1\r\nHost: a\r\n\r\n", "", "a", 0 },
	{ 0, "GET / HTTP/1.1\r\nHost: a.example\r\nno field\r\n", "GET", "a.example", 0 },
	{ 1, "HTTP/1.0 301 Moved\r\n\r\n", "", "", 301 },
	{ 1, "HTTP/1.1 204\r\n\r\n", "", "", 204 },
	{ 1, "HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\nHTTP/1.1 500 Oh\r\n\r\n", "", "",
		500 },
	{ 1, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05", "", "",
		101 },
};

Test(said, http)
{
	for (size_t k = 0; k < sizeof http / sizeof *http; k++) {
		const struct app_sample sample = { .over = BPEI_OVER_TCP, .text = http[k].text };
		struct bpei_stream s = { .end = http[k].end, .last = true };
		struct bpe_flow_names said = { 0 };
		struct app_bytes bytes;

		decode_sample(&sample, &bytes);
		cr_assert_neq(call_reader(find_reader(BPE_APP_HTTP), &bytes, bytes.n, &s, &said),
			BPEI_NOT);
		cr_expect_str_eq(said.method, http[k].method);
		cr_expect_str_eq(said.server, http[k].server);
		cr_expect_eq(said.source, http[k].server[0] ? BPE_NAME_HTTP : BPE_NAME_NONE);
		cr_expect_eq(said.http_status, http[k].status);
	}
}

/* Proves that BPE_NAMES_APPS alone tells the protocol, and no name. */
Test(said, only_what_is_asked_for)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
	struct bpei_inspector in = { .names = BPE_NAMES_APPS };
	struct bpei_stream s = { .bytes = (const uint8_t *)text, .n = sizeof text - 1 };
	struct bpe_flow_names said = { 0 };

	cr_assert_eq(bpei_read_http(&in, &s, &said), BPEI_DONE);
	cr_assert_eq(said.app, BPE_APP_HTTP);
	cr_assert_str_eq(said.server, "");
	cr_assert_str_eq(said.method, "");
	memset(&said, 0, sizeof said);
	s.bytes = (const uint8_t *)"SSH-2.0-x\r\n";
	s.n = 11;
	cr_assert_eq(bpei_read_ssh(&in, &s, &said), BPEI_DONE);
	cr_assert_eq(said.app, BPE_APP_SSH);
	cr_assert_str_eq(said.banner[0], "");
}

/* Compares fingerprints with Python's hashlib, over the lists as HASSH joins them. */
Test(said, ssh)
{
	static const char *const hassh[3][2] = {
		{ "1a85c0a8f8a6db88d5e7cb0e88c26b7f", "" },
		{ "", "b7aaaadf66e4cd012d0fd54056b624f1" },
		{ "", "3e2b7a77d436b972f1cbafbe8145efb5" },
	};
	size_t found = 0;

	for (size_t k = 0; k < APP_SAMPLES && found < 3; k++) {
		struct bpei_stream s = { .end = app_samples[k].end };
		struct bpe_flow_names said = { 0 };
		struct app_bytes bytes;

		if (app_samples[k].app != BPE_APP_SSH || !app_samples[k].hexadecimal)
			continue;
		decode_sample(&app_samples[k], &bytes);
		cr_assert_eq(call_reader(find_reader(BPE_APP_SSH), &bytes, bytes.n, &s, &said),
			BPEI_DONE);
		cr_expect_str_eq(said.hassh[0], hassh[found][0]);
		cr_expect_str_eq(said.hassh[1], hassh[found][1]);
		cr_expect_str_eq(
			said.banner[s.end], found == 2 ? "SSH-1.99-x y" : "SSH-2.0-OpenSSH_9.9");
		found++;
	}
	cr_assert_eq(found, 3);
}
