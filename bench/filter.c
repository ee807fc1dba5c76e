/* SPDX-License-Identifier: MIT */
/* Compiling and running filters, beside libpcap, in one run: microseconds to compile, instructions,
 * ns a packet of the interpreters on the same program and packets. */
#include "bench.h"
#include "bpfengine.h"
#include "filter/decode.h"

#include <pcap/pcap.h>
#include <string.h>

static const char *const shorts[] = { "ip", "tcp port 80", "host 10.0.0.1",
	"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "net 10.0.0.0/8 and not port 22",
	"vlan and ip6 and udp",
	"(tcp port 80 or tcp port 443) and (host 10.0.0.1 or host 10.0.0.2)" };

static char *join_hosts(int n)
{
	char *text = calloc((size_t)n, 32);
	if (!text)
		exit(1);
	for (int i = 0; i < n; i++)
		sprintf(text + strlen(text), "%shost 10.%d.%d.%d", i ? " or " : "", i * 37 % 250,
			i * 11 % 240, i * 97 % 250 + 1);
	return text;
}

static void measure_compiling(const char *name, const char *expression, int times)
{
	struct bench_row ours = { "ours", { 0 } };
	struct bench_row theirs = { "libpcap", { 0 } };
	uint32_t length = 0, their_length = 0;
	for (int r = 0; r < BENCH_ROUNDS; r++) {
		int64_t start = bpei_clock_mono_ns();
		for (int k = 0; k < times; k++) {
			struct bpe_insn *p;
			if (bpe_filter_compile(expression, 1, 0, &p, &length, NULL) < 0)
				exit(1);
			bpe_filter_free(p);
		}
		ours.ns[r] = (double)(bpei_clock_mono_ns() - start) / times;
		pcap_t *h = pcap_open_dead(DLT_EN10MB, 262144);
		start = bpei_clock_mono_ns();
		for (int k = 0; k < times; k++) {
			struct bpf_program p;
			if (pcap_compile(h, &p, expression, 1, PCAP_NETMASK_UNKNOWN))
				exit(1);
			their_length = p.bf_len;
			pcap_freecode(&p);
		}
		theirs.ns[r] = (double)(bpei_clock_mono_ns() - start) / times;
		pcap_close(h);
		if (times == 1 && r == 2)
			break;
	}
	int n = times == 1 ? 3 : BENCH_ROUNDS;
	qsort(ours.ns, (size_t)n, sizeof *ours.ns, bench_by_double);
	qsort(theirs.ns, (size_t)n, sizeof *theirs.ns, bench_by_double);
	printf("%-60.60s %10.1f us %5u %12.1f us %5u %8.3f\n", name, ours.ns[n / 2] / 1e3, length,
		theirs.ns[n / 2] / 1e3, their_length, ours.ns[n / 2] / theirs.ns[n / 2]);
}

static void measure_running(const char *expression)
{
	enum { N = 4096 };
	static uint8_t bytes[N][64];
	struct bpe_options o;
	struct bpe_capture *c;
	struct bpe_batch b;
	struct bench_row row[] = { { "libpcap's bpf_filter", { 0 } }, { "bpe_filter_run", { 0 } },
		{ "prepared, as the engine runs it", { 0 } } };
	struct bpe_insn *p;
	uint32_t length, at = 0;
	uint64_t sum = 0;
	bpe_options_init(&o);
	o.interface_name = "synth:count=5000,flows=500,ipv6=30";
	if (bpe_capture_open(&o, &c, NULL) < 0 ||
		bpe_filter_compile(expression, 1, 0, &p, &length, NULL) < 0)
		exit(1);
	for (int n; at < N && (n = bpe_capture_next(c, &b, -1, NULL)) > 0;)
		for (int i = 0; i < n && at < N; i++)
			memcpy(bytes[at++], b.data[i], b.caplen[i] < 64 ? b.caplen[i] : 64);
	bpe_capture_close(c);
	struct bpei_decoded *f = bpei_decode(p, length);
	if (!f)
		exit(1);
	for (int r = 0; r < BENCH_ROUNDS; r++)
		for (int who = 0; who < 3; who++) {
			int64_t start = bpei_clock_mono_ns();
			for (int k = 0; k < 20; k++)
				for (uint32_t i = 0; i < N; i++)
					sum += who == 2 ? bpei_decoded_run(f, bytes[i], 64, 64)
					       : who    ? bpe_filter_run(p, bytes[i], 64, 64)
							: bpf_filter((struct bpf_insn *)(void *)p,
								  bytes[i], 64, 64);
			row[who].ns[r] = (double)(bpei_clock_mono_ns() - start) / (20.0 * N);
		}
	bench_keep(sum);
	printf("\n%s\n", expression);
	bench_print(row, 3, "packet");
	bpei_decoded_free(f);
	bpe_filter_free(p);
}

int main(void)
{
	printf("%-60s %13s %5s %15s %5s %8s\n", "compile", "ours", "insns", "libpcap", "insns",
		"ratio");
	for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++)
		measure_compiling(shorts[i], shorts[i], 50);
	char *many = join_hosts(200);
	measure_compiling("200 hosts joined by or", many, 1);
	free(many);
	measure_running("tcp port 443");
	measure_running("tcp port 443 and host 10.0.0.1");
	measure_running("net 10.0.0.0/8 and not port 22");
	return 0;
}
