/* SPDX-License-Identifier: MIT */
/* Writers that drop copies and replace addresses: books, files without traces of the addresses, and
 * refused options. */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS INT64_C(1000000)

static const uint8_t secret[BPE_ANONYMISE_KEY_BYTES] = "the key of the writer's test....";
/* Ethernet, IPv4 198.51.100.7 to 203.0.113.9, UDP with 4 bytes. */
static const uint8_t udp[46] = "\0\0\0\0\0\1\0\0\0\0\0\2\x08\0\x45\0\0\x20\0\1\0\0\x40\x11\0\0"
			       "\xc6\x33\x64\7\xcb\0\x71\x09\x04\xd2\0\x35\0\x0c\0\0"
			       "abcd";
static const uint8_t tagged[50] =
	"\0\0\0\0\0\1\0\0\0\0\0\2\x81\0\0\7\x08\0\x45\0\0\x20\0\1\0\0\x40\x11\0\0"
	"\xc6\x33\x64\7\xcb\0\x71\x09\x04\xd2\0\x35\0\x0c\0\0"
	"abcd";

static struct bpe_writer *open_rewriter(char *path, struct bpe_writer_options *o)
{
	struct bpe_writer *w = NULL;
	struct bpe_error error = { 0 };

	strcpy(path, "/tmp/bpfengine_rewriting_XXXXXX");
	const int fd = mkstemp(path);
	cr_assert(fd >= 0);
	close(fd);
	o->path = path;
	cr_assert_eq(bpe_writer_open(o, &w, &error), BPE_OK, "%s", error.text);
	return w;
}

static void offer_udp_frame(struct bpe_writer *w, const void *data, uint32_t n, int64_t time_ns)
{
	struct bpe_packet p;

	bpe_packet_init(&p);
	p.data = data;
	p.caplen = p.wirelen = n;
	p.time_ns = time_ns;
	cr_assert_eq(bpe_writer_packet(w, &p, "a comment about 198.51.100.7"), BPE_OK);
}

/* Reads the file into `to`, and removes the file. */
static size_t take_file(const char *path, uint8_t *to, size_t room)
{
	FILE *file = fopen(path, "rb");

	cr_assert(file);
	const size_t n = fread(to, 1, room, file);
	fclose(file);
	unlink(path);
	return n;
}

static bool has_text(const uint8_t *bytes, size_t n, const char *text)
{
	const size_t length = strlen(text);

	for (size_t i = 0; i + length <= n; i++)
		if (!memcmp(bytes + i, text, length))
			return true;
	return false;
}

Test(rewriting, drops_copies_and_counts_them, .timeout = 550)
{
	static uint8_t file[65536];
	struct bpe_writer_options o;
	struct bpe_written s;
	struct bpe_error error;
	char path[64];

	bpe_writer_options_init(&o);
	o.dedup_ns = 50 * MS;
	struct bpe_writer *w = open_rewriter(path, &o);
	offer_udp_frame(w, udp, sizeof udp, 1000 * MS);
	offer_udp_frame(w, tagged, sizeof tagged, 1000 * MS);
	offer_udp_frame(w, udp, sizeof udp, 1040 * MS);
	offer_udp_frame(w, udp, sizeof udp, 2000 * MS);
	bpe_writer_stats(w, &s);
	cr_assert_eq(s.offered, 4);
	cr_assert_eq(s.unwritten[BPE_UNWRITTEN_DUPLICATE], 2);
	cr_assert_eq(s.written + s.waiting, 2);
	cr_assert_eq(s.dedup_forgotten, 0);
	cr_assert_eq(bpe_writer_close(w, &error), BPE_OK);
	const size_t n = take_file(path, file, sizeof file);
	cr_assert(has_text(file, n, "abcd") && has_text(file, n, "a comment"));
}

Test(rewriting, writes_no_trace_of_addresses, .timeout = 550)
{
	static const uint8_t address[16] = { 198, 51, 100, 7 };
	static uint8_t file[65536], again[65536];
	size_t n[2];

	for (int round = 0; round < 2; round++) {
		struct bpe_writer_options o;
		struct bpe_write_interface interface;
		struct bpe_written s;
		struct bpe_error error;
		char path[64];

		bpe_writer_options_init(&o);
		o.anonymise_key = secret;
		o.packet_clock = true; /* equal files */
		struct bpe_writer *w = open_rewriter(path, &o);
		bpe_write_interface_init(&interface);
		interface.filter_text = "host 198.51.100.7";
		interface.name = "to-198.51.100.7";
		cr_assert_eq(bpe_writer_interface(w, &interface), BPE_OK);
		cr_assert_eq(bpe_writer_name(w, address, 4, "secret.example"), BPE_OK);
		offer_udp_frame(w, udp, sizeof udp, 1000 * MS);
		offer_udp_frame(w, "\1\x80\xc2\0\0\0\0\0\0\0\0\2\0\x26\x42\x42\3", 17, 1001 * MS);
		bpe_writer_stats(w, &s);
		cr_assert_eq(s.not_anonymised, 1);
		cr_assert_eq(bpe_writer_close(w, &error), BPE_OK);
		n[round] = take_file(path, round ? again : file, sizeof file);
	}
	cr_assert(n[0] == n[1] && !memcmp(file, again, n[0]));
	cr_assert(has_text(file, n[0], "abcd")); /* the payload stays */
	cr_assert_not(has_text(file, n[0], "\xc6\x33\x64\7"));
	cr_assert_not(has_text(file, n[0], "\xcb\x00\x71\x09") &&
		      has_text(file, n[0], "\x71\x09\x04\xd2"));
	cr_assert_not(has_text(file, n[0], "198.51.100.7"));
	cr_assert_not(has_text(file, n[0], "secret"));
}

Test(rewriting, refuses_contradictions, .timeout = 550)
{
	for (int k = 0; k < 8; k++) {
		struct bpe_writer_options o;
		struct bpe_writer *w = NULL;
		struct bpe_error error = { 0 };

		bpe_writer_options_init(&o);
		o.path = "/tmp/bpfengine_rewriting_refused";
		o.dedup_ns = k == 0 ? -1 : 0;
		o.dedup = k == 1 ? 3 : 0;
		o.dedup_packets = k == 2 ? 2000000 : 0;
		if (k == 3)
			o.dedup_ns = o.dedup_packets = 5;
		if (k == 4)
			o.dedup = BPE_DEDUP_IP;
		if (k == 5)
			o.anonymise = BPE_ANONYMISE_MAC;
		if (k == 6) {
			o.anonymise_key = secret;
			o.anonymise = 8;
		}
		if (k == 7) {
			o.anonymise_key = secret;
			o.hash = true;
		}
		cr_assert(bpe_writer_open(&o, &w, &error) < 0, "%d", k);
		cr_assert(error.text[0] && !w);
		cr_assert(access(o.path, F_OK) != 0);
	}
}
