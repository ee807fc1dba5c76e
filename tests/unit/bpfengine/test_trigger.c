/* SPDX-License-Identifier: MIT */
/* The trigger of the flight recorder: words, packets and counters. */
#include "tools/bpfengine/trigger.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Returns an Ethernet frame with UDP from 10.0.0.1 to 10.0.0.N, port 53. */
static const uint8_t *make_udp_frame(uint8_t n)
{
	static uint8_t frame[60];

	memset(frame, 0, sizeof frame);
	frame[12] = 8;
	frame[14] = 0x45;
	frame[17] = 46;
	frame[22] = 64;
	frame[23] = 17;
	frame[26] = frame[30] = 10;
	frame[29] = 1;
	frame[33] = n;
	frame[37] = 53;
	frame[39] = 26;
	return frame;
}

/* Returns whether a packet of the frame pulls the trigger. */
static bool takes_frame(struct trigger *t, uint8_t n, uint16_t link_type)
{
	const uint8_t *const data = make_udp_frame(n);
	const uint32_t length = 60;
	const struct bpe_layers layers = { .link_type = link_type };
	const struct bpe_batch b = {
		.count = 1, .data = &data, .caplen = &length, .wirelen = &length, .layers = &layers
	};

	return trigger_takes_batch(t, &b);
}

Test(trigger, a_filter_takes_packets)
{
	struct trigger *t = trigger_open("host 10.0.0.9 and udp,after=2.5");

	cr_assert_not_null(t);
	cr_expect_eq(trigger_kind_of(t), TRIGGER_FILTER);
	cr_expect_eq(trigger_after_ns(t), INT64_C(2500000000));
	cr_expect(takes_frame(t, 9, 1));
	cr_expect_not(takes_frame(t, 8, 1));
	cr_expect_not(takes_frame(t, 9, 101)); /* no raw IP */
	cr_expect_not(takes_frame(t, 9, 104)); /* a link type that is not compiled before */
	cr_expect_not(takes_frame(t, 9, 104));
	trigger_close(t);
	trigger_close(NULL);
}

Test(trigger, a_list_of_addresses)
{
	char path[] = "/tmp/trigger-XXXXXX";
	char words[100];
	const int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "10.0.0.9\n10.1.0.0/16\n", 21), 21);
	close(fd);
	snprintf(words, sizeof words, "list:%s,after=0s", path);
	struct trigger *t = trigger_open(words);

	unlink(path);
	cr_assert_not_null(t);
	cr_expect_eq(trigger_after_ns(t), 0);
	cr_expect(takes_frame(t, 9, 1));
	cr_expect_not(takes_frame(t, 8, 1));
	trigger_close(t);
}

Test(trigger, counters_that_rise)
{
	struct trigger *t = trigger_open("drops");
	struct bpe_stats s = { .kernel_dropped = 0 };

	cr_assert_not_null(t);
	cr_expect_eq(trigger_kind_of(t), TRIGGER_DROPS);
	cr_expect_eq(trigger_after_ns(t), TRIGGER_AFTER_NS);
	cr_expect_not(trigger_takes_counts(t, &s));
	s.kernel_dropped = 1;
	cr_expect(trigger_takes_counts(t, &s));
	cr_expect_not(trigger_takes_counts(t, &s));
	s.dropped[BPE_DROP_DUPLICATE] = 5; /* no loss */
	cr_expect_not(trigger_takes_counts(t, &s));
	s.dropped[BPE_DROP_RING_FULL] = 1;
	cr_expect(trigger_takes_counts(t, &s));
	trigger_close(t);
}

Test(trigger, retransmissions_need_marks)
{
	struct trigger *t = trigger_open("retransmissions>3");

	cr_assert_not_null(t);
	cr_expect_eq(trigger_kind_of(t), TRIGGER_RETRANSMISSIONS);
	cr_expect_not(takes_frame(t, 9, 1));
	trigger_close(t);
}

Test(trigger, wrong_words)
{
	static const char *const wrong[] = { "", ",after=3", "udp,after=x", "udp,after=-1",
		"udp,after=", "no such word", "retransmissions>", "retransmissions>-1",
		"retransmissions>99999999999", "list:/nonexistent/list", "drops,after=1e99" };

	for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
		cr_expect_null(trigger_open(wrong[k]), "%s", wrong[k]);
}
