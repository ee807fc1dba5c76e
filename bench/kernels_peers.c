/* SPDX-License-Identifier: MIT */
/* Peers beside the road (kernels_road.c): libpcap's pcap_next_ex over a file of the packets, in the
 * page cache, and libtins's parse of each in memory. Neither is linked into anything but this
 * measuring program. */
#include "kernels.h"

#include <string.h>

#ifdef HAVE_PCAP
#include <pcap/pcap.h>

static char file[] = "/tmp/bench_kernelsXXXXXX";
static pcap_dumper_t *dumper;
static pcap_t *dead;

static void add_pcap_row(const uint8_t *packet, uint32_t caplen)
{
	if (!dumper) {
		int fd = mkstemp(strcpy(file, "/tmp/bench_kernelsXXXXXX"));
		if (fd < 0 || !(dead = pcap_open_dead(DLT_EN10MB, 262144)) ||
			!(dumper = pcap_dump_fopen(dead, fdopen(fd, "w"))))
			abort();
	}
	const struct pcap_pkthdr h = { .caplen = caplen, .len = caplen };
	pcap_dump((u_char *)dumper, &h, packet);
}

static uint64_t measure_pcap_round(void)
{
	char text[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *h;
	const u_char *packet;
	uint64_t n = 0, bytes = 0;
	pcap_dump_flush(dumper);
	pcap_t *p = pcap_open_offline(file, text);
	if (!p)
		abort();
	while (pcap_next_ex(p, &h, &packet) == 1) {
		n++;
		bytes += h->caplen + packet[0];
	}
	pcap_close(p);
	bench_keep((uint32_t)bytes);
	return n;
}

static void end_pcap_rows(void)
{
	pcap_dump_close(dumper);
	pcap_close(dead);
	remove(file);
	dumper = NULL;
}
#endif

#ifdef HAVE_TINS
void kernels_tins_add(const uint8_t *packet, uint32_t caplen);
uint64_t kernels_tins_round(void);
void kernels_tins_end(void);
#endif

const struct kernels_peer kernels_peers[] = {
#ifdef HAVE_PCAP
	{ "libpcap: pcap_next_ex, nothing parsed", add_pcap_row, measure_pcap_round,
		end_pcap_rows },
#endif
#ifdef HAVE_TINS
	{ "libtins: parse, nothing walked", kernels_tins_add, kernels_tins_round,
		kernels_tins_end },
#endif
	{ NULL, NULL, NULL, NULL },
};
const uint32_t kernels_peer_count = sizeof kernels_peers / sizeof *kernels_peers - 1;
