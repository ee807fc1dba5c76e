/* SPDX-License-Identifier: MIT */
/* FreeBSD's lists in a layout of the test's own, and the search for the socket of a flow. */
#include "base/bytes.h"
#include "owners/lists.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { GENERATION = 24, PCB = 72, FILE_BYTES = 40 };
static const struct bpei_pcb_layout pcbs = { .bytes = PCB,
	.handle = 8,
	.remote_port = 16,
	.local_port = 18,
	.remote = 20,
	.local = 36,
	.versions = 52,
	.generation_bytes = GENERATION };
static const struct bpei_file_layout files = {
	.bytes = FILE_BYTES, .pid = 8, .uid = 12, .type = 16, .handle = 24, .socket_type = 2
};

/* Makes a list of two sockets: 10.0.0.1:4711 to 192.0.2.7:443, and port 80 of both versions. */
static size_t make_pcbs(uint8_t *to)
{
	uint8_t *r = to + GENERATION;

	memset(to, 0, 2 * GENERATION + 2 * PCB);
	bpei_store64(to, GENERATION);
	bpei_store64(r, PCB);
	bpei_store64(r + 8, 0xfffff80001);
	bpei_put_be16(r + 16, 443);
	bpei_put_be16(r + 18, 4711);
	memcpy(r + 32, "\xc0\0\2\7", 4);
	memcpy(r + 48, "\x0a\0\0\1", 4);
	r[52] = BPEI_SOCKET_4;
	r += PCB;
	bpei_store64(r, PCB);
	bpei_store64(r + 8, 0xfffff80000);
	bpei_put_be16(r + 18, 80);
	r[52] = BPEI_SOCKET_4 | BPEI_SOCKET_6;
	bpei_store64(r + PCB, GENERATION);
	return 2 * GENERATION + 2 * PCB;
}

static size_t make_files(uint8_t *to)
{
	static const uint64_t handles[3] = { 0xfffff80000, 0xfffff80001, 0xfffff80001 };

	memset(to, 0, 3 * FILE_BYTES);
	for (uint32_t k = 0; k < 3; k++) {
		uint8_t *r = to + k * FILE_BYTES;

		bpei_store64(r, FILE_BYTES);
		bpei_store32(r + 8, 100 + k);
		bpei_store32(r + 12, 1000 + k);
		bpei_store16(r + 16, k == 2 ? 1 : 2); /* the third is a file */
		bpei_store64(r + 24, handles[k]);
	}
	return 3 * FILE_BYTES;
}

static struct bpe_owner_question ask_listed(const char *from, uint16_t port, uint16_t to_port)
{
	struct bpe_owner_question q = { .port = { port, to_port }, .ip_proto = 6, .ip_version = 4 };

	memcpy(q.addr[0], from, 4);
	memcpy(q.addr[1], "\xc0\0\2\7", 4);
	return q;
}

Test(lists, sockets_and_their_processes)
{
	uint8_t bytes[2 * GENERATION + 2 * PCB], open_files[3 * FILE_BYTES];
	struct bpei_sockets s = { .count = 0 };

	cr_assert(bpei_pcbs_read(&s, bytes, make_pcbs(bytes), &pcbs, 6));
	cr_assert_eq(s.count, 2);
	cr_assert(bpei_files_read(&s, open_files, make_files(open_files), &files));
	struct bpe_owner_question q = ask_listed("\x0a\0\0\1", 4711, 443);
	const struct bpei_socket *found = bpei_sockets_find(&s, &q, 0);

	cr_assert_not_null(found);
	cr_expect_eq(found->pid, 101);
	cr_expect_eq(found->uid, 1001);
	q = ask_listed("\x0a\0\0\1", 80, 5000);
	found = bpei_sockets_find(&s, &q, 0);
	cr_assert_not_null(found, "a listening socket, of any address");
	cr_expect_eq(found->pid, 100);
	q.ip_version = 6;
	cr_expect_not_null(bpei_sockets_find(&s, &q, 0));
	q = ask_listed("\x0a\0\0\1", 4711, 444);
	cr_expect_null(bpei_sockets_find(&s, &q, 0), "connected elsewhere");
	q = ask_listed("\x0a\0\0\2", 4711, 443);
	cr_expect_null(bpei_sockets_find(&s, &q, 0), "another address");
	q = ask_listed("\x0a\0\0\1", 4711, 443);
	q.ip_proto = 17;
	cr_expect_null(bpei_sockets_find(&s, &q, 0), "another protocol");
	bpei_sockets_free(&s);
}

Test(lists, lists_that_end_anywhere)
{
	uint8_t bytes[2 * GENERATION + 2 * PCB], open_files[3 * FILE_BYTES];
	const size_t n = make_pcbs(bytes);
	const size_t m = make_files(open_files);

	for (size_t k = 0; k < n; k++) {
		struct bpei_sockets s = { .count = 0 };
		uint8_t *exact = malloc(k + 1);

		memcpy(exact, bytes, k);
		bpei_pcbs_read(&s, exact, k, &pcbs, 6);
		cr_expect(s.count <= 2);
		bpei_sockets_free(&s);
		free(exact);
	}
	for (size_t k = 1; k < m; k++) {
		struct bpei_sockets s = { .count = 0 };
		uint8_t *exact = malloc(k);

		bpei_sockets_add(&s)->handle = 0xfffff80001;
		memcpy(exact, open_files, k);
		cr_expect_eq(bpei_files_read(&s, exact, k, &files), k % FILE_BYTES == 0);
		bpei_sockets_free(&s);
		free(exact);
	}
}

Test(lists, lengths_that_lie)
{
	uint8_t bytes[2 * GENERATION + 2 * PCB];
	struct bpei_sockets s = { .count = 0 };
	const size_t n = make_pcbs(bytes);

	bpei_store64(bytes + GENERATION, UINT64_MAX);
	cr_expect_not(bpei_pcbs_read(&s, bytes, n, &pcbs, 6));
	bpei_store64(bytes + GENERATION, PCB - 8);
	cr_expect_not(bpei_pcbs_read(&s, bytes, n, &pcbs, 6));
	bpei_store64(bytes, 0);
	cr_expect_not(bpei_pcbs_read(&s, bytes, n, &pcbs, 6));
	cr_expect_eq(s.count, 0);
	bpei_sockets_free(&s);
}
