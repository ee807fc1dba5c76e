/* SPDX-License-Identifier: MIT */
/* The capture level: batches on the caller's thread. */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

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

Test(capture, gives_every_packet_parsed, .timeout = 30)
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
		cr_assert_eq(bpe_batch_flow(&b, 0, &f), 0);	/* no table at this level */
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

Test(capture, stops_at_the_count, .timeout = 30)
{
	struct bpe_capture *c = open_capture("synth", 100);
	struct bpe_batch b;
	cr_assert_eq(bpe_capture_next(c, &b, -1, NULL), 64);
	cr_assert_eq(bpe_capture_next(c, &b, -1, NULL), 36);
	cr_assert_eq(bpe_capture_next(c, &b, -1, NULL), BPE_E_END);
	bpe_capture_close(c);
}

static void *wake(void *capture)
{
	bpe_capture_wake(capture);
	return NULL;
}

/* One packet in 1000 s: only the wake-up can end the wait. */
Test(capture, wakes, .timeout = 30)
{
	struct bpe_options o;
	struct bpe_capture *c;
	struct bpe_batch b;
	pthread_t t;
	int n;
	bpe_options_init(&o);
	o.interface_name = "synth:rate=1";
	cr_assert_eq(bpe_capture_open(&o, &c, NULL), BPE_OK);
	while ((n = bpe_capture_next(c, &b, 0, NULL)) > 0) continue;
	cr_assert_eq(n, 0);
	cr_assert_eq(pthread_create(&t, NULL, wake, c), 0);
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
