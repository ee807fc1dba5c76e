/* SPDX-License-Identifier: MIT */
/* bpfbench-libpcap: does the work of a contender with libpcap.  `bpfbench compare` starts the
 * program and speaks to it over stdin and stdout.  No other program of the project is linked with
 * libpcap.
 *
 * The program counts packets and sums lengths.  Latency is measured as in bpfbench: the clock is
 * read for every 64 packets at most.  Live, pcap_dispatch may wait without end, since TPACKET_V3 on
 * Linux has no time-out while no packet comes.  Therefore a thread reads the order to end and
 * breaks the loop. */
#include "peer.h"
#include "tools/common/program.h"

#include <pcap/pcap.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define LOOK_EVERY 64u

static struct peer_order order;
static struct peer_report report = { .magic = PEER_MAGIC, .bytes = sizeof report };
static struct histogram latency;
static int64_t wall;
static uint32_t until_look;
static uint64_t packets, wire, captured;

static void count_pcap_packet(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	(void)user;
	(void)data;
	packets++;
	wire += h->len;
	captured += h->caplen;
	if (!order.latency)
		return;
	if (!until_look--) {
		wall = wall_now();
		until_look = LOOK_EVERY - 1;
	}
	histogram_add(&latency, wall - ((int64_t)h->ts.tv_sec * 1000000000 +
					       h->ts.tv_usec)); /* nanoseconds were asked for */
}

static _Atomic int over; /* w: await_end  r: main */

static void *await_end(void *pcap)
{
	char word;
	peer_take(STDIN_FILENO, &word, 1);
	atomic_store_explicit(&over, 1, memory_order_relaxed);
	pcap_breakloop(pcap);
	return NULL;
}

static int report_pcap_failure(const char *what, const char *why)
{
	char shown[100], reason[200];
	snprintf(report.failed, sizeof report.failed, "libpcap: %s: %s",
		program_visible(shown, sizeof shown, what),
		program_visible(reason, sizeof reason, why));
	peer_give(STDOUT_FILENO, &report, sizeof report);
	return 1;
}

static pcap_t *open_live(void)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p = pcap_create(order.interface, why);
	if (!p) {
		report_pcap_failure(order.interface, why);
		return NULL;
	}
	pcap_set_snaplen(p, (int)order.snaplen);
	pcap_set_promisc(p, (int)order.promiscuous);
	pcap_set_timeout(p, PEER_TIMEOUT_MS);
	pcap_set_buffer_size(p, (int)order.buffer_bytes);
	bool nano = !pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
	int status = pcap_activate(p);
	if (status >= 0 && (nano || !order.latency))
		return p;
	report.rights = status == PCAP_ERROR_PERM_DENIED;
	report_pcap_failure(
		order.interface, status < 0 ? pcap_geterr(p) : "no nanosecond time stamps");
	return NULL;
}

/* Takes the packets that wait.  Returns a negative number at the end. */
static int take_packets(pcap_t *p)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	until_look = 0;
	if (!order.next) {
		int n = pcap_dispatch(p, -1, count_pcap_packet, NULL);
		return n || !order.file[0] ? n : -1;
	}
	int n = 0, r;
	for (; (r = pcap_next_ex(p, &h, &data)) == 1; n++)
		count_pcap_packet(NULL, h, data);
	return r < 0 ? -1 : n;
}

/* Opens the order's source and sets the filter.  Returns NULL after the report of a failure. */
static pcap_t *open_source(void)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	struct bpf_program program;
	pcap_t *p = order.file[0] ? pcap_open_offline_with_tstamp_precision(
					    order.file, PCAP_TSTAMP_PRECISION_NANO, why)
				  : open_live();

	if (!p) {
		if (order.file[0])
			report_pcap_failure(order.file, why);
		return NULL;
	}
	if (!order.filter[0])
		return p;
	if (!pcap_compile(p, &program, order.filter, 1, PCAP_NETMASK_UNKNOWN) &&
		!pcap_setfilter(p, &program))
		return p;
	report_pcap_failure("filter", pcap_geterr(p));
	return NULL;
}

/* Fills the report's row with the counts of a run that took so many seconds. */
static void fill_pcap_row(pcap_t *p, double seconds)
{
	struct row *row = &report.row;
	struct pcap_stat s = { 0 };

	row_init(row, "");
	row->seconds = seconds;
	row->packets = packets;
	row->delivered = packets;
	row->wire_bytes = wire;
	row->captured_bytes = captured;
	if (order.file[0]) { /* a savefile has no counts of a kernel */
		row->kernel_received = ABSENT;
		row->kernel_dropped = ABSENT;
		row->interface_dropped = ABSENT;
	} else {
		pcap_stats(p, &s);
		row->kernel_received = s.ps_recv;
		row->kernel_dropped = s.ps_drop;
		row->interface_dropped = s.ps_ifdrop;
	}
	row->buffer_bytes = order.file[0] ? ABSENT : order.buffer_bytes;
	row_hide_reads(row); /* libpcap does not count reads */
	row_latency(row, order.latency ? &latency : NULL);
}

int main(void)
{
	uint64_t user, system, user_end, system_end;
	pthread_t thread;
	char word;

	program_begin("bpfbench-libpcap");
	snprintf(report.about, sizeof report.about, "%s", pcap_lib_version());
	if (isatty(STDIN_FILENO) || !peer_take(STDIN_FILENO, &order, sizeof order) ||
		order.magic != PEER_MAGIC || order.bytes != sizeof order) {
		program_tell("it is started by bpfbench compare");
		return 2;
	}
	pcap_t *p = open_source();
	if (!p)
		return 1;
	if (!peer_give(STDOUT_FILENO, &report, sizeof report) || !peer_take(STDIN_FILENO, &word, 1))
		return 1;
	if (!order.file[0] && pthread_create(&thread, NULL, await_end, p))
		return report_pcap_failure("thread", "none to be had");
	cpu_now(&user, &system);
	const int64_t start = mono_now();
	while (take_packets(p) >= 0 && !atomic_load_explicit(&over, memory_order_relaxed))
		continue;
	const int64_t end = mono_now();
	cpu_now(&user_end, &system_end);
	fill_pcap_row(p, (double)(end - start) * 1e-9);
	report.row.user_ns = user_end - user;
	report.row.system_ns = system_end - system;
	return peer_give(STDOUT_FILENO, &report, sizeof report) ? 0 : 1;
}
