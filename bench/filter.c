/* SPDX-License-Identifier: MIT */
/* Compiles and runs filters beside libpcap: microseconds to compile, instructions, and ns a packet
 * of the interpreters on the same program and packets. */
#include "bench.h"
#include "bpfengine.h"
#include "filter/decode.h"

#include <pcap/pcap.h>
#include <string.h>

static const char *const shorts[] = { "ip", "tcp port 80", "host 10.0.0.1",
	"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "net 10.0.0.0/8 and not port 22",
	"vlan and ip6 and udp",
	"(tcp port 80 or tcp port 443) and (host 10.0.0.1 or host 10.0.0.2)" };

/* Returns an expression of n hosts. */
static char *write_many_hosts(int n)
{
	char *text = calloc((size_t)n, 32);
	if (!text)
		exit(1);
	for (int i = 0; i < n; i++)
		sprintf(text + strlen(text), "%shost 10.%d.%d.%d", i ? " or " : "", i * 37 % 250,
			i * 11 % 240, i * 97 % 250 + 1);
	return text;
}

static void time_compiling(const char *name, const char *expression, int times)
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

#define PACKETS 4096
#define PACKET_BYTES 64
#define REPEATS 20

static uint8_t packets[PACKETS][PACKET_BYTES];

static void read_packets(void)
{
	struct bpe_options o;
	struct bpe_capture *c;
	struct bpe_batch b;
	uint32_t at = 0;

	bpe_options_init(&o);
	o.interface_name = "synth:count=5000,flows=500,ipv6=30";
	if (bpe_capture_open(&o, &c, NULL) < 0)
		exit(1);
	for (int n; at < PACKETS && (n = bpe_capture_next(c, &b, -1, NULL)) > 0;)
		for (int i = 0; i < n && at < PACKETS; i++, at++)
			memcpy(packets[at], b.data[i],
				b.caplen[i] < PACKET_BYTES ? b.caplen[i] : PACKET_BYTES);
	bpe_capture_close(c);
}

/* A program in all forms. */
struct filter_forms {
	struct bpe_insn *program;
	struct bpei_decoded *decoded;
};
enum interpreter { LIBPCAP, REFERENCE, DECODED, INTERPRETERS };

/* Runs the program over all packets, REPEATS times.  Returns the sum of the verdicts. */
static uint64_t run_filter(const struct filter_forms *f, enum interpreter interpreter)
{
	const uint32_t n = PACKET_BYTES;
	uint64_t sum = 0;

	for (int k = 0; k < REPEATS; k++)
		for (uint32_t i = 0; i < PACKETS; i++) {
			const uint8_t *p = packets[i];

			if (interpreter == DECODED)
				sum += bpei_decoded_run(f->decoded, p, n, n);
			else if (interpreter == REFERENCE)
				sum += bpe_filter_run(f->program, p, n, n);
			else
				sum += bpf_filter((struct bpf_insn *)(void *)f->program, p, n, n);
		}
	return sum;
}

static void time_running(const char *expression)
{
	struct bench_row row[INTERPRETERS] = { { "libpcap's bpf_filter", { 0 } },
		{ "bpe_filter_run", { 0 } }, { "prepared, as the engine runs it", { 0 } } };
	struct filter_forms f;
	uint32_t length;
	uint64_t sum = 0;

	if (bpe_filter_compile(expression, 1, 0, &f.program, &length, NULL) < 0)
		exit(1);
	f.decoded = bpei_decode(f.program, length);
	if (!f.decoded)
		exit(1);
	for (int r = 0; r < BENCH_ROUNDS; r++)
		for (int k = 0; k < INTERPRETERS; k++) {
			const int64_t start = bpei_clock_mono_ns();

			sum += run_filter(&f, k);
			row[k].ns[r] = (double)(bpei_clock_mono_ns() - start) /
				       ((double)REPEATS * PACKETS);
		}
	bench_keep(sum);
	printf("\n%s\n", expression);
	bench_print(row, INTERPRETERS, "packet");
	bpei_decoded_free(f.decoded);
	bpe_filter_free(f.program);
}

int main(void)
{
	printf("%-60s %13s %5s %15s %5s %8s\n", "compile", "ours", "insns", "libpcap", "insns",
		"ratio");
	for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++)
		time_compiling(shorts[i], shorts[i], 50);
	char *many = write_many_hosts(200);
	time_compiling("200 hosts joined by or", many, 1);
	free(many);
	read_packets();
	time_running("tcp port 443");
	time_running("tcp port 443 and host 10.0.0.1");
	time_running("net 10.0.0.0/8 and not port 22");
	return 0;
}
