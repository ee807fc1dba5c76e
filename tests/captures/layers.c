/* SPDX-License-Identifier: MIT */
/* layers FILE: a line for each packet: flags, network, transport, payload (- for none), IP
 * protocol. */
#include "bpfengine.h"

#include <stdio.h>

static void print_layers_field(uint16_t offset)
{
	if (offset == BPE_NO_OFFSET)
		printf(" -");
	else
		printf(" %u", offset);
}

int main(int argc, char **argv)
{
	struct bpe_options o;
	struct bpe_capture *c;
	struct bpe_batch b;
	struct bpe_error error;
	if (argc != 2)
		return 2;
	bpe_options_init(&o);
	o.file = argv[1];
	if (bpe_capture_open(&o, &c, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	while (bpe_capture_next(c, &b, -1, &error) > 0)
		for (uint32_t i = 0; i < b.count; i++) {
			const struct bpe_layers *l = &b.layers[i];
			printf("%x", l->flags);
			print_layers_field(l->network);
			print_layers_field(l->transport);
			print_layers_field(l->payload);
			printf(" %u\n", l->ip_proto);
		}
	bpe_capture_close(c);
	return 0;
}
