/* SPDX-License-Identifier: MIT */
/* The capture level: batches on the caller's thread. */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct bpe_capture *open_capture(const char *source, uint64_t max_packets)
{
	struct bpe_options o;
	struct bpe_error error = { 0 };
	struct bpe_capture *c = NULL;
	bpe_options_init(&o);
	o.interface_name = source;
	o.max_packets = max_packets;
	cr_assert_eq(bpe_capture_open(&o, &c, &error), BPE_OK, "%s", error.text);
	return c;
}

Test(capture, gives_every_packet_parsed, .timeout = 550)
{
	struct bpe_capture *c = open_capture("synth:count=12345,seed=5", 0);
	struct bpe_batch b;
	struct bpe_stats s;
	uint64_t packets = 0, bytes = 0, keys = 0;
	int n;
	while ((n = bpe_capture_next(c, &b, -1, NULL)) > 0) {
		cr_assert_eq((uint32_t)n, b.count);
		cr_assert(n <= BPE_BATCH);
		for (int i = 0; i < n; i++) {
			bytes += b.wirelen[i];
			keys += !!(b.layers[i].flags & BPE_PKT_KEY);
			cr_assert(b.layers[i].end <= b.caplen[i]);
		}
		struct bpe_flow f;
		cr_assert_eq(bpe_batch_flow(&b, 0, &f), 0); /* no table at this level */
		packets += (uint64_t)n;
	}
	cr_assert_eq(n, BPE_E_END);
	cr_assert_eq(bpe_capture_next(c, &b, -1, NULL), BPE_E_END);
	cr_assert_eq(packets, 12345);
	cr_assert(keys > packets / 2);
	bpe_capture_stats(c, &s);
	cr_assert_eq(s.read_packets, packets);
	cr_assert_eq(s.delivered_packets, packets);
	cr_assert_eq(s.wire_bytes, bytes);
	bpe_capture_close(c);
	bpe_capture_close(NULL);
}

Test(capture, stops_at_the_count, .timeout = 550)
{
	struct bpe_capture *c = open_capture("synth", 100);
	struct bpe_batch b;
	cr_assert_eq(bpe_capture_next(c, &b, -1, NULL), 64);
	cr_assert_eq(bpe_capture_next(c, &b, -1, NULL), 36);
	cr_assert_eq(bpe_capture_next(c, &b, -1, NULL), BPE_E_END);
	bpe_capture_close(c);
}

static void *wake_capture(void *capture)
{
	bpe_capture_wake(capture);
	return NULL;
}

/* One packet in 1000 s: only the wake-up can end the wait. */
Test(capture, wakes, .timeout = 550)
{
	struct bpe_options o;
	struct bpe_capture *c;
	struct bpe_batch b;
	pthread_t t;
	int n;
	bpe_options_init(&o);
	o.interface_name = "synth:rate=1";
	cr_assert_eq(bpe_capture_open(&o, &c, NULL), BPE_OK);
	while ((n = bpe_capture_next(c, &b, 0, NULL)) > 0)
		continue;
	cr_assert_eq(n, 0);
	cr_assert_eq(pthread_create(&t, NULL, wake_capture, c), 0);
	cr_assert(bpe_capture_next(c, &b, 20000000000, NULL) >= 0);
	pthread_join(t, NULL);
	bpe_capture_close(c);
}

Test(capture, refuses_wrong_options)
{
	struct bpe_options o;
	struct bpe_capture *c = NULL;
	struct bpe_error error;
	bpe_options_init(&o);
	cr_assert_eq(bpe_capture_open(&o, &c, &error), BPE_E_ARGUMENT);
	cr_assert_eq(bpe_capture_open(NULL, &c, &error), BPE_E_ARGUMENT);
	o.file = "/nonexistent/file.pcap";
	cr_assert_eq(bpe_capture_open(&o, &c, &error), BPE_E_ABSENT);
	cr_assert_not_null(strstr(error.text, "/nonexistent/file.pcap"));
	cr_assert_null(c);
}

static uint8_t *write_little32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		*p++ = (uint8_t)(v >> 8 * i);
	return p;
}

/* Writes a pcapng block: type, body, both lengths.  Returns the end. */
static uint8_t *write_capture_block(uint8_t *p, uint32_t type, const uint8_t *body, uint32_t n)
{
	uint32_t all = 12 + ((n + 3) & ~3u);
	p = write_little32(write_little32(p, type), all);
	memset(p, 0, all - 12);
	memcpy(p, body, n);
	return write_little32(p + all - 12, all);
}

static uint8_t *write_capture_packet(
	uint8_t *p, uint32_t interface, const uint8_t *data, uint32_t n)
{
	uint8_t body[100];
	memcpy(write_little32(
		       write_little32(
			       write_little32(
				       write_little32(write_little32(body, interface), 0), 0),
			       n),
		       n),
		data, n);
	return write_capture_block(p, 6, body, 20 + n);
}

/* Two interfaces of different link types in turn, an IPv4 and an IPv6 packet on each: a filter set
 * by hand holds from then on, and the expression of the beginning does not come back when the link
 * type changes. */
Test(capture, a_filter_set_by_hand_stays, .timeout = 550)
{
	static const uint8_t section[16] = { 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255,
		255, 255, 255, 255 };
	static const uint8_t ethernet[8] = { 1 };
	static const uint8_t raw[8] = { 101 };
	uint8_t four[54] = { [12] = 8, [14] = 0x45 };
	uint8_t six[54] = { [12] = 0x86, [13] = 0xdd, [14] = 0x60 };
	uint8_t file[4096];
	uint8_t *p = file;
	char path[] = "/tmp/bpfengine-capture-XXXXXX";
	p = write_capture_block(p, 0x0a0d0d0a, section, 16);
	p = write_capture_block(p, 1, ethernet, 8);
	p = write_capture_block(p, 1, raw, 8);
	for (int i = 0; i < 4; i++) {
		p = write_capture_packet(p, 0, four, 54);
		p = write_capture_packet(p, 0, six, 54);
		p = write_capture_packet(p, 1, four + 14, 40);
		p = write_capture_packet(p, 1, six + 14, 40);
	}
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, file, (size_t)(p - file)), p - file);
	close(fd);

	static const struct bpe_insn everything[] = { { 0x06, 0, 0, 40 } };
	for (int by_hand = 0; by_hand < 3;
		by_hand++) { /* 1: another program; 2: another expression, for every link type
			      */
		struct bpe_options o;
		struct bpe_error error = { 0 };
		struct bpe_capture *c = NULL;
		struct bpe_batch b;
		uint32_t seen = 0, fours = 0;
		bpe_options_init(&o);
		o.file = path;
		o.filter_expression = "ip6";
		cr_assert_eq(bpe_capture_open(&o, &c, &error), BPE_OK, "%s", error.text);
		if (by_hand == 1)
			cr_assert_eq(bpe_capture_set_filter(c, everything, 1, &error), BPE_OK, "%s",
				error.text);
		if (by_hand == 2)
			cr_assert_eq(bpe_capture_set_expression(c, "ip", &error), BPE_OK, "%s",
				error.text);
		cr_expect_eq(bpe_capture_set_expression(c, "ip and", &error),
			BPE_E_ARGUMENT); /* an error changes nothing */
		for (int n; (n = bpe_capture_next(c, &b, -1, NULL)) > 0;)
			for (int i = 0; i < n; i++) {
				seen++;
				fours += !!(b.layers[i].flags & BPE_PKT_IP4);
			}
		cr_expect_eq(seen, by_hand == 1 ? 16u : 8u);
		cr_expect_eq(fours, by_hand ? 8u : 0u);
		bpe_capture_close(c);
	}
	unlink(path);
}
