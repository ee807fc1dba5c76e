/* SPDX-License-Identifier: MIT */
/* bpfbench-libpcap: the same work done by libpcap, for `bpfbench compare`, which starts it and
 * speaks to it over stdin and stdout.  The one program here that libpcap is linked into.
 *
 * Live, pcap_dispatch may wait for packets without an end (Linux: TPACKET_V3 has no time-out while
 * nothing comes), so the word to end is read by a thread, which breaks the loop. It counts packets
 * and sums their lengths; latency is taken as bpfbench takes it, one look at the clock for at most
 * 64 packets. */
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

static void count(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	(void)user, (void)data;
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

static _Atomic int over; /* w: the thread  r: main */

static void *await_end(void *pcap)
{
	char word;
	peer_take(STDIN_FILENO, &word, 1);
	atomic_store_explicit(&over, 1, memory_order_relaxed);
	pcap_breakloop(pcap);
	return NULL;
}

static int failed(const char *what, const char *why)
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
	if (!p)
		return failed(order.interface, why), NULL;
	pcap_set_snaplen(p, (int)order.snaplen);
	pcap_set_promisc(p, (int)order.promiscuous);
	pcap_set_timeout(p, PEER_TIMEOUT_MS);
	pcap_set_buffer_size(p, (int)order.buffer_bytes);
	bool nano = !pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
	int status = pcap_activate(p);
	if (status >= 0 && (nano || !order.latency))
		return p;
	report.rights = status == PCAP_ERROR_PERM_DENIED;
	failed(order.interface, status < 0 ? pcap_geterr(p) : "no nanosecond time stamps");
	return NULL;
}

/* One bunch of packets; < 0: the end. */
static int some(pcap_t *p)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	until_look = 0;
	if (!order.next) {
		int n = pcap_dispatch(p, -1, count, NULL);
		return n || !order.file[0] ? n : -1;
	}
	int n = 0, r;
	for (; (r = pcap_next_ex(p, &h, &data)) == 1; n++)
		count(NULL, h, data);
	return r < 0 ? -1 : n;
}

int main(void)
{
	char why[PCAP_ERRBUF_SIZE] = "", word;
	program_begin("bpfbench-libpcap");
	struct bpf_program program;
	struct pcap_stat s = { 0 };
	uint64_t user, system, user_end, system_end;
	snprintf(report.about, sizeof report.about, "%s", pcap_lib_version());
	if (isatty(STDIN_FILENO) || !peer_take(STDIN_FILENO, &order, sizeof order) ||
		order.magic != PEER_MAGIC || order.bytes != sizeof order) {
		program_tell("it is started by bpfbench compare");
		return 2;
	}
	pcap_t *p = order.file[0] ? pcap_open_offline_with_tstamp_precision(
					    order.file, PCAP_TSTAMP_PRECISION_NANO, why)
				  : open_live();
	if (!p)
		return order.file[0] ? failed(order.file, why) : 1;
	if (order.filter[0] && (pcap_compile(p, &program, order.filter, 1, PCAP_NETMASK_UNKNOWN) ||
				       pcap_setfilter(p, &program)))
		return failed("filter", pcap_geterr(p));
	if (!peer_give(STDOUT_FILENO, &report, sizeof report) || !peer_take(STDIN_FILENO, &word, 1))
		return 1;
	pthread_t thread;
	if (!order.file[0] && pthread_create(&thread, NULL, await_end, p))
		return failed("thread", "none to be had");
	cpu_now(&user, &system);
	int64_t start = mono_now();
	while (some(p) >= 0 && !atomic_load_explicit(&over, memory_order_relaxed))
		continue;
	int64_t end = mono_now();
	cpu_now(&user_end, &system_end);
	if (!order.file[0])
		pcap_stats(p, &s);
	struct row *row = &report.row;
	row_init(row, "");
	row->seconds = (double)(end - start) * 1e-9;
	row->packets = row->delivered = packets;
	row->wire_bytes = wire, row->captured_bytes = captured;
	row->kernel_received = s.ps_recv, row->kernel_dropped = s.ps_drop,
	row->interface_dropped = s.ps_ifdrop;
	if (order.file[0]) /* a savefile has no kernel's counts */
		row->kernel_received = row->kernel_dropped = row->interface_dropped = ABSENT;
	row->user_ns = user_end - user, row->system_ns = system_end - system;
	row->buffer_bytes = order.file[0] ? ABSENT : order.buffer_bytes;
	row->reads = row->empty_reads = row->block_bytes = row->block_capacity = row->waits =
		row->filtered = ABSENT; /* it does not tell */
	row_latency(row, order.latency ? &latency : NULL);
	return peer_give(STDOUT_FILENO, &report, sizeof report) ? 0 : 1;
}
