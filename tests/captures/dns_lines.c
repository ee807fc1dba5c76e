/* SPDX-License-Identifier: MIT */
/* dns_lines SOURCE WORKERS [live]: the DNS events and the flows of a source, a line each, with
 * tabs between the fields:
 *
 *     event  app seen id type rcode flags time_ns rtt_ns total query answers
 *     flow   originator responder port app source server others client age_ns ttl_ns
 *
 * Answers are "type text", with vertical bars between.  The last line is "end" with the counters
 * of messages.  live: runs until standard input ends.  Prints "ready" on standard error once
 * packets are read. */
#include "bpfengine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void print_dns_event(void *user, const struct bpe_event *event)
{
	const struct bpe_dns *dns = event ? event->dns : NULL;

	(void)user;
	if (!dns)
		return;
	printf("event\t%s\t%u\t%u\t%u\t%u\t%u\t%" PRId64 "\t%" PRId64 "\t%u\t%s\t",
		bpe_app_name(event->flow->names.app), dns->seen, dns->id, dns->type, dns->rcode,
		dns->flags, event->time_ns, dns->rtt_ns, dns->answer_total, dns->query);
	for (uint32_t i = 0; i < dns->answer_count; i++)
		printf("%s%u %s", i ? "|" : "", dns->answers[i].type, dns->answers[i].text);
	printf("\n");
	fflush(stdout);
}

static void print_named_flow(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	const struct bpe_flow_names *names = NULL;
	char ends[2][BPE_ENDPOINT_TEXT_BYTES] = { "?", "?" };

	(void)user;
	(void)worker;
	if (!flow)
		return; /* no record waits */
	names = &flow->names;
	for (uint32_t i = 0; i < 2; i++)
		bpe_address_text(flow->addr[i], flow->ip_version, ends[i], sizeof ends[i]);
	printf("flow\t%s\t%s\t%u\t%s\t%s\t%s\t%s\t%s\t%" PRId64 "\t%" PRId64 "\n", ends[0], ends[1],
		flow->port[1], bpe_app_name(names->app), bpe_name_source_name(names->source),
		names->server, names->others, names->client, names->age_ns, names->ttl_ns);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct bpe_options options;
	struct bpe_engine *engine;
	struct bpe_error error;
	struct bpe_stats stats;

	if (argc < 3)
		return 2;
	bpe_options_init(&options);
	options.workers = (int32_t)strtol(argv[2], NULL, 10);
	options.names = BPE_NAMES_ALL;
	options.on_record = print_named_flow;
	options.on_event = print_dns_event;
	if (bpe_options_set_source(&options, argv[1], &error) < 0 ||
		bpe_engine_open(&options, &engine, &error) < 0) {
		fprintf(stderr, "dns_lines: %s\n", error.text);
		return 1;
	}
	if (bpe_engine_start(engine, &error) < 0) {
		fprintf(stderr, "dns_lines: %s\n", error.text);
		return 1;
	}
	fprintf(stderr, "ready\n");
	if (argc > 3) {
		while (getchar() != EOF)
			continue;
		bpe_engine_stop(engine);
	}
	bpe_engine_wait(engine, INT64_MAX);
	bpe_engine_stats(engine, &stats);
	printf("end\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n", stats.dns_messages,
		stats.dns_evicted, stats.events_dropped);
	bpe_engine_close(engine);
	return 0;
}
