/* SPDX-License-Identifier: MIT */
/* basic_capture SOURCE [COUNT]: one line for each packet, with the capture level: no threads, our
 * own loop. SOURCE is an interface, a savefile, or synth. */
#include <bpfengine.h>
#include <stdio.h>
#include <stdlib.h>

static void print_packet(const struct bpe_batch *b, uint32_t i)
{
	const struct bpe_layers *l = &b->layers[i];
	const struct bpe_key *key = &b->key[i];
	char time[BPE_TIME_TEXT_BYTES];
	char from[BPE_ENDPOINT_TEXT_BYTES] = "", to[BPE_ENDPOINT_TEXT_BYTES] = "";
	bpe_time_text(b->time_ns[i], true, time, sizeof time);
	if (l->flags & BPE_PKT_KEY) {
		uint32_t sender = bpe_batch_sender(b, i);
		bpe_endpoint_text(
			key->addr[sender], key->ip_version, key->port[sender], from, sizeof from);
		bpe_endpoint_text(
			key->addr[!sender], key->ip_version, key->port[!sender], to, sizeof to);
	}
	printf("%s %-9s %s%s%s, %u bytes\n", time, bpe_proto_name(l->proto), from,
		*from ? " > " : "", to, b->wirelen[i]);
}

int main(int argc, char **argv)
{
	struct bpe_options options;
	struct bpe_capture *capture;
	struct bpe_batch batch;
	struct bpe_error error;
	int n;
	if (argc < 2) {
		fprintf(stderr, "usage: basic_capture INTERFACE|FILE|synth [COUNT]\n");
		return 2;
	}
	bpe_options_init(&options);
	options.max_packets = argc > 2 ? strtoull(argv[2], NULL, 10) : 20;
	if (bpe_options_set_source(&options, argv[1], &error) < 0 ||
		bpe_capture_open(&options, &capture, &error) < 0) {
		fprintf(stderr, "basic_capture: %s\n", error.text);
		return 1;
	}
	while ((n = bpe_capture_next(capture, &batch, -1, &error)) >= 0)
		for (int i = 0; i < n; i++)
			print_packet(&batch, (uint32_t)i);
	if (n != BPE_E_END)
		fprintf(stderr, "basic_capture: %s\n", error.text);
	bpe_capture_close(capture);
	return n == BPE_E_END ? 0 : 1;
}
