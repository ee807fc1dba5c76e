/* SPDX-License-Identifier: MIT */
/* apps_of_flows FILE: prints the names of each flow, fields separated by tabs: protocol of IP,
 * endpoints, app, flags, source, server, method, status, banners, fingerprints of SSH. */
#include "bpfengine.h"

#include <inttypes.h>
#include <stdio.h>

static void print_flow(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	const struct bpe_flow_names *const names = &flow->names;
	char text[2][BPE_ENDPOINT_TEXT_BYTES];

	(void)user, (void)worker;
	for (int end = 0; end < 2; end++)
		bpe_address_text(flow->addr[end], flow->ip_version, text[end], sizeof text[end]);
	printf("%d\t%s\t%d\t%s\t%d\t%s\t%" PRIu32 "\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n",
		flow->ip_proto, text[0], flow->port[0], text[1], flow->port[1],
		bpe_app_name(names->app), names->flags, bpe_name_source_name(names->source),
		names->server, names->method, names->http_status, names->banner[0],
		names->banner[1], names->hassh[0], names->hassh[1]);
}

int main(int argc, char **argv)
{
	struct bpe_options o;
	struct bpe_engine *engine;
	struct bpe_error error = { 0 };

	bpe_options_init(&o);
	o.file = argc > 1 ? argv[1] : NULL;
	o.names = BPE_NAMES_ALL;
	o.on_flow = print_flow;
	if (bpe_engine_open(&o, &engine, &error) < 0)
		return fprintf(stderr, "%s\n", error.text), 1;
	const int status = bpe_engine_run(engine, 0, &error);
	bpe_engine_close(engine);
	if (status < 0)
		fprintf(stderr, "%s\n", error.text);
	return status < 0;
}
