/* SPDX-License-Identifier: MIT */
/* handlers -i SOURCE|-r FILE -c PACKETS ...: captures with empty handlers of flows, as the
 * environment's HANDLERS says.  "end": on_flow alone, as in all others.  "open": on_flow_open.
 * "update": on_flow_update each second and each megabyte.  "idle": updates that are never due.
 * "active": flow_active_ns of a second.  Other arguments are ignored, for bench/instructions.py
 * passes options of bpfengine. */
#include "bpfengine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t calls;

static void count_call(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	(void)user;
	(void)flow;
	(void)worker;
	calls++;
}

static void choose_handlers(struct bpe_options *o, const char *wanted)
{
	o->on_flow = count_call;
	if (!strcmp(wanted, "open"))
		o->on_flow_open = count_call;
	if (!strcmp(wanted, "update") || !strcmp(wanted, "idle"))
		o->on_flow_update = count_call;
	if (!strcmp(wanted, "update")) {
		o->flow_update_ns = 1000000000;
		o->flow_update_bytes = 1000000;
	}
	if (!strcmp(wanted, "idle"))
		o->flow_update_ns = 86400000000000;
	if (!strcmp(wanted, "active"))
		o->flow_active_ns = 1000000000;
}

int main(int argc, char **argv)
{
	const char *wanted = getenv("HANDLERS");
	struct bpe_options o;
	struct bpe_engine *engine;
	struct bpe_error error;

	bpe_options_init(&o);
	o.fixed_seed = true;
	o.hash_seed = 7;
	for (int k = 1; k + 1 < argc; k++) {
		if (!strcmp(argv[k], "-i"))
			o.interface_name = argv[k + 1];
		if (!strcmp(argv[k], "-r"))
			o.file = argv[k + 1];
		if (!strcmp(argv[k], "-c"))
			o.max_packets = strtoull(argv[k + 1], NULL, 0);
	}
	choose_handlers(&o, wanted ? wanted : "end");
	if (bpe_engine_open(&o, &engine, &error) < 0 || bpe_engine_run(engine, 0, &error) < 0)
		return fprintf(stderr, "%s\n", error.text), 1;
	bpe_engine_close(engine);
	printf("%llu calls\n", (unsigned long long)calls);
	return 0;
}
