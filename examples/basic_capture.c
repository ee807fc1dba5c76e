/* SPDX-License-Identifier: MIT */
/* basic_capture SOURCE [COUNT]: one line for each packet, with the capture level: no threads, our
 * own loop. SOURCE is an interface, a savefile, or synth. */
#include "source.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

static void format_endpoint(char *to, size_t room, const struct bpe_key *key, int end)
{
	char address[48] = "?";
	inet_ntop(
		key->ip_version == 6 ? AF_INET6 : AF_INET, key->addr[end], address, sizeof address);
	if (key->port[end])
		snprintf(to, room, "%s.%u", address, key->port[end]);
	else
		snprintf(to, room, "%s", address);
}

static void print_packet(const struct bpe_batch *b, int i)
{
	static const char *const names[BPE_PROTO_COUNT] = { "damaged", "ARP", "TCP", "UDP", "ICMP",
		"ICMPv6", "IGMP", "SCTP", "IP", "other", "LLC", "link", "UDP-Lite", "DCCP", "CARP",
		"WireGuard", "STP", "GTP'" };
	const struct bpe_layers *l = &b->layers[i];
	char from[64] = "", to[64] = "", clock[16];
	time_t seconds = (time_t)(b->time_ns[i] / 1000000000);
	struct tm tm;
	strftime(clock, sizeof clock, "%H:%M:%S", gmtime_r(&seconds, &tm));
	if (l->flags & BPE_PKT_KEY) {
		int sender = !!(l->flags & BPE_PKT_REVERSED);
		format_endpoint(from, sizeof from, &b->key[i], sender);
		format_endpoint(to, sizeof to, &b->key[i], !sender);
	}
	printf("%s.%06" PRId64 " %-7s %s%s%s, %u bytes\n", clock, b->time_ns[i] % 1000000000 / 1000,
		names[l->proto], from, *from ? " > " : "", to, b->wirelen[i]);
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
	source_option(&options, argv[1]);
	options.max_packets = argc > 2 ? strtoull(argv[2], NULL, 10) : 20;
	if (bpe_capture_open(&options, &capture, &error) < 0) {
		fprintf(stderr, "basic_capture: %s\n", error.text);
		return 1;
	}
	while ((n = bpe_capture_next(capture, &batch, -1, &error)) >= 0)
		for (int i = 0; i < n; i++)
			print_packet(&batch, i);
	if (n != BPE_E_END)
		fprintf(stderr, "basic_capture: %s\n", error.text);
	bpe_capture_close(capture);
	return n == BPE_E_END ? 0 : 1;
}
