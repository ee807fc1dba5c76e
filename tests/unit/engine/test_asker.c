/* SPDX-License-Identifier: MIT */
/* Owners of flows by a scripted handler: answers reach their flows, refusals and floods are
 * counted, and no flow waits. */
#include "base/clock.h"
#include "push_case.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define FLOWS 300u
#define FLOOD 20000u

static struct {
	_Atomic uint32_t calls, questions, flows, wrong;
	_Atomic int gate; /* 0: the handler waits */
	_Atomic int fails;
	_Atomic uint32_t owners[3];
} seen;

static uint8_t packets_bytes[FLOOD][sizeof udp];

/* Makes packets of n flows, from port 1000 on. */
static struct bpe_packet *make_flows(uint32_t n)
{
	struct bpe_packet *p = malloc(n * sizeof *p);
	const int64_t now = bpei_clock_wall_ns();

	cr_assert_not_null(p);
	for (uint32_t k = 0; k < n; k++) {
		const uint32_t port = 1000 + k;

		p[k] = make_udp(k);
		p[k].time_ns = now + k;
		memcpy(packets_bytes[k], udp, sizeof udp);
		packets_bytes[k][34] = (uint8_t)(port >> 8);
		packets_bytes[k][35] = (uint8_t)port;
		p[k].data = packets_bytes[k];
	}
	return p;
}

/* Answers by the port: known, none and unknown. */
static int answer_by_port(void *user, const struct bpe_owner_question *questions,
	struct bpe_owner_answer *answers, size_t n)
{
	(void)user;
	while (!seen.gate)
		bpei_clock_sleep_ns(1000000);
	seen.calls++;
	seen.questions += (uint32_t)n;
	for (size_t k = 0; k < n; k++) {
		const struct bpe_owner_question *const q = &questions[k];
		struct bpe_owner_answer *const a = &answers[k];

		seen.wrong += q->ip_proto != 17 || q->ip_version != 4 || q->port[1] != 53 ||
			      q->addr[0][0] != 10 || q->addr[1][3] != 3 || !q->first_ns ||
			      a->owner != BPE_OWNER_UNKNOWN;
		if (q->port[0] % 4 == 3)
			continue;
		a->owner = q->port[0] % 2 ? BPE_OWNER_NONE : BPE_OWNER_KNOWN;
		a->pid = q->port[0];
		a->uid = 7;
		snprintf(a->comm, sizeof a->comm, "p%u", q->port[0]);
		snprintf(a->container, sizeof a->container, "docker:x");
	}
	return seen.fails ? BPE_E_IO : BPE_OK;
}

/* Compares a record with the script. */
static void check_record(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	char comm[32];

	(void)user;
	(void)worker;
	if (!flow)
		return; /* the output thread is idle */
	seen.flows++;
	seen.owners[flow->names.owner % 3]++;
	snprintf(comm, sizeof comm, "p%u", flow->port[0]);
	const bool is_known = flow->names.owner == BPE_OWNER_KNOWN;

	if (is_known)
		seen.wrong += flow->pid != flow->port[0] || strcmp(flow->comm, comm) != 0 ||
			      flow->names.uid != 7 ||
			      strcmp(flow->names.container, "docker:x") != 0 || flow->port[0] % 2;
	else
		seen.wrong += flow->pid != -1 || flow->comm[0] || flow->names.container[0];
}

static void init_asking(struct bpe_options *o)
{
	memset(&seen, 0, sizeof seen);
	seen.gate = 1;
	init_push(o);
	o->push_live = true;
	o->process = true;
	o->on_owner = answer_by_port;
	o->on_flow = check_record;
}

Test(asker, answers_reach_their_flows, .timeout = 550)
{
	struct bpe_packet *packets = make_flows(FLOWS);

	for (int32_t workers = 0; workers <= 2; workers++) {
		struct bpe_options o;

		init_asking(&o);
		o.workers = workers;
		const struct bpe_stats s = run_packets(&o, packets, FLOWS);

		cr_expect_eq(s.owners_asked, FLOWS);
		cr_expect_eq(s.owners_known, FLOWS / 2);
		cr_expect_eq(s.owners_none, FLOWS / 4);
		cr_expect_eq(s.owners_unknown, FLOWS / 4);
		cr_expect_eq(s.owners_skipped, 0);
		cr_expect_eq(seen.questions, FLOWS);
		cr_expect_eq(seen.flows, FLOWS);
		cr_expect_eq(seen.wrong, 0, "%u with %d workers", seen.wrong, workers);
	}
	free(packets);
}

Test(asker, records_on_the_output_thread_have_owners, .timeout = 550)
{
	struct bpe_packet *packets = make_flows(FLOWS);
	struct bpe_options o;

	init_asking(&o);
	o.on_flow = NULL;
	o.on_record = check_record;
	const struct bpe_stats s = run_packets(&o, packets, FLOWS);

	cr_expect_eq(s.records, FLOWS);
	cr_expect_eq(seen.wrong, 0);
	cr_expect(seen.owners[BPE_OWNER_KNOWN] > 0);
	free(packets);
}

Test(asker, a_handler_that_fails_is_asked_once, .timeout = 550)
{
	struct bpe_packet *packets = make_flows(FLOWS);
	struct bpe_options o;

	init_asking(&o);
	seen.fails = 1;
	const struct bpe_stats s = run_packets(&o, packets, FLOWS);

	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(s.owners_asked, FLOWS);
	cr_expect_eq(s.owners_unknown, FLOWS);
	cr_expect_eq(seen.owners[BPE_OWNER_UNKNOWN], FLOWS);
	free(packets);
}

Test(asker, a_flood_is_skipped_and_counted, .timeout = 550)
{
	struct bpe_packet *packets = make_flows(FLOOD);
	struct bpe_error error = { 0 };
	struct bpe_stats s = { 0 };
	struct bpe_options o;

	init_asking(&o);
	seen.gate = 0;
	struct bpe_engine *e = open_push(&o);

	cr_assert_eq(bpe_engine_start(e, &error), BPE_OK, "%s", error.text);
	cr_assert_eq(bpe_engine_push(e, packets, FLOOD, -1, &error), (int)FLOOD);
	while (s.delivered_packets < FLOOD) { /* although no question is answered */
		bpei_clock_sleep_ns(1000000);
		bpe_engine_stats(e, &s);
	}
	seen.gate = 1;
	cr_assert_eq(bpe_engine_push_end(e, &error), BPE_OK);
	s = finish_push(e);
	cr_expect(s.owners_skipped > 0);
	cr_expect_eq(s.owners_asked + s.owners_skipped, FLOOD);
	cr_expect_eq(s.owners_asked, s.owners_known + s.owners_none + s.owners_unknown);
	cr_expect_eq(s.owners_asked, seen.questions);
	cr_expect_eq(seen.flows, FLOOD);
	bpe_engine_close(e);
	free(packets);
}

Test(asker, nobody_is_asked_without_the_option, .timeout = 550)
{
	struct bpe_packet *packets = make_flows(FLOWS);
	struct bpe_options o;

	init_asking(&o);
	o.process = false;
	const struct bpe_stats s = run_packets(&o, packets, FLOWS);

	cr_expect_eq(seen.calls, 0);
	cr_expect_eq(s.owners_asked, 0);
	cr_expect_eq(seen.owners[BPE_OWNER_UNKNOWN], FLOWS);
	free(packets);
}

Test(asker, an_engine_that_never_starts_is_closed, .timeout = 550)
{
	struct bpe_options o;

	init_asking(&o);
	bpe_engine_close(open_push(&o));
	cr_expect_eq(seen.calls, 0);
}
