/* SPDX-License-Identifier: MIT */
/* Messages of sock_diag(7), in the layout of a kernel (Linux 6.18). */
#include "base/bytes.h"
#include "owners/diag.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t here[4] = { 127, 0, 0, 1 };
static const uint8_t there[4] = { 192, 0, 2, 7 };

/* Makes an answer of 124 bytes for a socket. */
static void make_answer(uint8_t *to, uint32_t sequence, uint8_t state, uint32_t inode)
{
	memset(to, 0, 124);
	bpei_store32(to, 124);
	bpei_store16(to + 4, 20);
	bpei_store32(to + 8, sequence);
	to[16] = 2;
	to[17] = state;
	bpei_put_be16(to + 20, 4711);
	bpei_put_be16(to + 22, 443);
	bpei_store32(to + 16 + 64, 1000);
	bpei_store32(to + 16 + 68, inode);
}

Test(diag, a_request_for_a_connection)
{
	const struct bpei_diag_ends ends = { .addr = { here, there },
		.port = { 4711, 443 },
		.ip_proto = 6,
		.ip_version = 4,
		.interface_index = 2 };
	uint8_t request[BPEI_DIAG_REQUEST];

	bpei_diag_write(request, &ends, 9);
	cr_expect_eq(bpei_load32(request), 72);
	cr_expect_eq(bpei_load16(request + 4), 20); /* SOCK_DIAG_BY_FAMILY */
	cr_expect_eq(bpei_load16(request + 6), 1);  /* a request, no dump */
	cr_expect_eq(bpei_load32(request + 8), 9);
	cr_expect_eq(request[16], 2);
	cr_expect_eq(request[17], 6);
	cr_expect_eq(bpei_load32(request + 20), UINT32_MAX);
	cr_expect_eq(bpei_be16(request + 24), 4711);
	cr_expect_eq(bpei_be16(request + 26), 443);
	cr_expect(!memcmp(request + 28, here, 4));
	cr_expect_eq(request[32], 0);
	cr_expect(!memcmp(request + 44, there, 4));
	cr_expect_eq(bpei_load32(request + 60), 2);
	cr_expect_eq(bpei_load64(request + 64), UINT64_MAX);
}

Test(diag, a_request_for_ipv6)
{
	uint8_t from[16], to[16], request[BPEI_DIAG_REQUEST];
	const struct bpei_diag_ends ends = {
		.addr = { from, to }, .port = { 1, 2 }, .ip_proto = 17, .ip_version = 6
	};

	memset(from, 0x11, sizeof from);
	memset(to, 0x22, sizeof to);
	bpei_diag_write(request, &ends, 1);
	cr_expect_eq(request[16], 10);
	cr_expect_eq(request[17], 17);
	cr_expect(!memcmp(request + 28, from, 16));
	cr_expect(!memcmp(request + 44, to, 16));
}

Test(diag, an_answer)
{
	struct bpei_diag_socket s;
	uint8_t answer[124];

	make_answer(answer, 3, BPEI_DIAG_ESTABLISHED, 123456);
	cr_assert_eq(bpei_diag_read(answer, sizeof answer, 3, &s), BPEI_DIAG_FOUND);
	cr_expect_eq(s.inode, 123456);
	cr_expect_eq(s.uid, 1000);
	cr_expect_eq(s.local_port, 4711);
	cr_expect_eq(s.remote_port, 443);
	cr_expect_eq(s.state, BPEI_DIAG_ESTABLISHED);
	cr_expect_eq(bpei_diag_read(answer, sizeof answer, 4, &s), BPEI_DIAG_OTHER);
}

Test(diag, no_such_socket)
{
	struct bpei_diag_socket s;
	uint8_t answer[36] = { 0 };

	bpei_store32(answer, 36);
	bpei_store16(answer + 4, 2);
	bpei_store32(answer + 8, 5);
	bpei_store32(answer + 16, (uint32_t)-2); /* ENOENT */
	cr_expect_eq(bpei_diag_read(answer, sizeof answer, 5, &s), BPEI_DIAG_MISSING);
}

Test(diag, an_answer_that_ends_anywhere)
{
	uint8_t whole[124];

	make_answer(whole, 3, 1, 5);
	for (size_t k = 0; k < sizeof whole; k++) {
		struct bpei_diag_socket s;
		uint8_t *exact = malloc(k + 1);

		memcpy(exact, whole, k);
		cr_expect_eq(bpei_diag_read(exact, k, 3, &s), BPEI_DIAG_OTHER);
		if (k >= 16) { /* a head that says so little */
			bpei_store32(exact, (uint32_t)k);
			cr_expect(bpei_diag_read(exact, k, 3, &s) == BPEI_DIAG_OTHER || k >= 88);
		}
		free(exact);
	}
}
