/* SPDX-License-Identifier: MIT */
/* Compares the same work done by libpcap, by tcpdump, and by bpfengine.
 *
 * Each contender is a process.  From a file the contenders work in turn, round after round, out of
 * the page cache.  Live, libpcap and bpfengine look at the same interface at the same time.  The
 * order of opening changes from round to round, since the kernel serves the first opener first.
 * Names and notes tell what differs in the work. */
#include "offer.h"
#include "peer.h"
#include "spread.h"
#include "verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MOST 999u
#define LIVE_BUFFER (16u << 20)

enum how { OURS_COUNT, OURS_PARSE, OURS_FLOWS, PCAP_DISPATCH, PCAP_NEXT, TCPDUMP, HOWS };
static const char *const names[HOWS] = { "bpfengine, count only", "bpfengine, parsed",
	"bpfengine, flows and statistics", "libpcap, pcap_dispatch", "libpcap, pcap_next_ex",
	"tcpdump --count" };

struct compare {
	const struct options *options;
	struct result result;
	struct pair pair;
	char helper[1024];
	enum how line_up[HOWS];
	size_t contenders;
	struct row *rows;
	size_t count;
	char about[200];
};

struct peer {
	pid_t pid;
	int to, from;
};

/* ---- Contenders ---- */

static void run_bpfengine(const struct compare *c, enum how how, int in, int out)
{
	static struct run run;
	static struct peer_report report;
	struct bpe_options o = c->options->engine;
	struct bpe_error error = { 0 };
	char word;
	if (o.file)
		signal(SIGINT, SIG_IGN); /* a round reads the whole file */
	report = (struct peer_report){ .magic = PEER_MAGIC, .bytes = sizeof report };
	o.count_only = how == OURS_COUNT;
	o.flows = how == OURS_FLOWS;
	if (c->pair.made)
		o.interface_name = c->pair.receive;
	if (!o.file && !o.buffer_bytes)
		o.buffer_bytes = LIVE_BUFFER;
	if (!o.filter_expression && c->pair.made)
		o.filter_expression = pair_filter;
	int status = run_open(&run, &o, c->options->latency && !o.file, &error);
	if (status < 0) {
		snprintf(report.failed, sizeof report.failed, "%s: %s", error.step, error.text);
		report.rights = status == BPE_E_RIGHTS;
	}
	if (!peer_give(out, &report, sizeof report) || status < 0 || !peer_take(in, &word, 1))
		_exit(1);
	stop_also(run.engine);
	if (run_start(&run, &error) < 0)
		_exit(1);
	for (int64_t t = 0; !run_wait(&run, t += 20000000) && !asked_to_stop();)
		if (!o.file && peer_over(in))
			break;
	status = run_end(&run, &error);
	if (status < 0 && status != BPE_E_TORN)
		snprintf(report.failed, sizeof report.failed, "%s", error.text);
	report.row = run.total;
	report.row.buffer_bytes = o.file ? ABSENT : o.buffer_bytes;
	report.row.workers = run.workers;
	_exit(peer_give(out, &report, sizeof report) ? 0 : 1);
}

static void exec_libpcap(const struct compare *c, int in, int out)
{
	signal(SIGINT, SIG_IGN); /* the parent ends it */
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	execl(c->helper, "bpfbench-libpcap", (char *)NULL);
	_exit(127);
}

static int report_contender(const char *what, const char *why)
{
	program_tell("%s%s%s", what, *why ? ": " : "", why);
	return EXIT_ERROR;
}

/* Fills the order for a contender.  Returns 0, or an exit code after the message. */
static int fill_order(const struct compare *c, enum how how, struct peer_order *order)
{
	const struct bpe_options *e = &c->options->engine;
	const char *filter = e->filter_expression;
	const char *interface = c->options->source;

	if (!filter && c->pair.made)
		filter = pair_filter;
	if (!filter)
		filter = "";
	*order = (struct peer_order){ .magic = PEER_MAGIC,
		.bytes = sizeof *order,
		.snaplen = e->snaplen,
		.next = how == PCAP_NEXT,
		.promiscuous = e->promiscuous,
		.buffer_bytes = e->buffer_bytes ? e->buffer_bytes : LIVE_BUFFER,
		.latency = c->options->latency && !e->file };
	snprintf(order->file, sizeof order->file, "%s", e->file ? e->file : "");
	if (!e->file) {
		if (c->pair.made)
			interface = c->pair.receive;
		else if (!strncmp(interface, "if:", 3))
			interface += 3;
		snprintf(order->interface, sizeof order->interface, "%s", interface);
	}
	snprintf(order->filter, sizeof order->filter, "%s", filter);
	if ((e->file && strlen(e->file) >= sizeof order->file) ||
		strlen(filter) >= sizeof order->filter)
		return report_contender("compare", "the file's name or the filter is too long");
	return 0;
}

/* Makes the pipes of a contender, closed in its own children.  Returns 0 or an exit code. */
static int make_pipes(int down[2], int back[2])
{
	if (pipe(down) || pipe(back))
		return report_contender("pipe", strerror(errno));
	for (int i = 0; i < 2; i++) {
		fcntl(down[i], F_SETFD, FD_CLOEXEC);
		fcntl(back[i], F_SETFD, FD_CLOEXEC);
	}
	return 0;
}

/* Starts a contender and waits until the source is open.  Fills *report with the contender's first
 * report.  Returns 0 or an exit code. */
static int peer_start(struct compare *c, enum how how, struct peer *p, struct peer_report *report)
{
	struct peer_order order;
	int down[2], back[2];
	int code = fill_order(c, how, &order);

	if (!code)
		code = make_pipes(down, back);
	if (code)
		return code;
	fflush(NULL);
	p->pid = fork();
	if (p->pid == 0) {
		close(down[1]);
		close(back[0]);
		if (how <= OURS_FLOWS)
			run_bpfengine(c, how, down[0], back[1]);
		exec_libpcap(c, down[0], back[1]);
	}
	close(down[0]);
	close(back[1]);
	p->to = down[1];
	p->from = back[0];
	const bool good = p->pid > 0 &&
			  (how <= OURS_FLOWS || peer_give(p->to, &order, sizeof order)) &&
			  peer_take(p->from, report, sizeof *report) &&
			  report->magic == PEER_MAGIC && report->bytes == sizeof *report;
	if (good && !report->failed[0])
		return 0;
	close(p->to);
	close(p->from);
	if (p->pid > 0)
		waitpid(p->pid, NULL, 0);
	report_contender(names[how], good ? report->failed : "it did not start");
	return good && report->rights ? EXIT_RIGHTS : EXIT_SOURCE;
}

static int peer_end(struct peer *p, enum how how, bool live, struct peer_report *report)
{
	if (live)
		peer_give(p->to, "e",
			1); /* a byte, since a sibling may hold the end of the pipe open */
	bool good = peer_take(p->from, report, sizeof *report);
	close(p->to);
	close(p->from);
	while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (good && !report->failed[0])
		return 0;
	return report_contender(names[how], good ? report->failed : "it ended early");
}

static void peer_go(const struct peer *p)
{
	peer_give(p->to, "g", 1);
}

/* Runs tcpdump and measures its whole life, including the start.  Returns 0, an exit code, or -1 if
 * tcpdump did not count. */
static int run_tcpdump(const struct compare *c, struct row *row)
{
	const struct bpe_options *e = &c->options->engine;
	int ends[2], status;
	char text[200];
	ssize_t n = 0, k;
	struct rusage u;
	unsigned long long packets = 0;
	if (pipe(ends))
		return report_contender("pipe", strerror(errno));
	int64_t start = mono_now();
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		execlp("tcpdump", "tcpdump", "-nn", "--count", "-r", e->file, e->filter_expression,
			(char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	while (pid > 0 && n < (ssize_t)sizeof text - 1 &&
		(k = read(ends[0], text + n, sizeof text - 1 - (size_t)n)) > 0)
		n += k;
	close(ends[0]);
	text[n] = 0;
	if (pid < 0 || wait4(pid, &status, 0, &u) != pid || !WIFEXITED(status) ||
		WEXITSTATUS(status) || sscanf(text, "%llu packet", &packets) != 1)
		return -1;
	row_init(row, "");
	row->seconds = (double)(mono_now() - start) * 1e-9;
	row->packets = row->delivered = packets;
	row->wire_bytes = row->captured_bytes = ABSENT;
	row_hide_reads(row);
	row->user_ns =
		(uint64_t)u.ru_utime.tv_sec * 1000000000 + (uint64_t)u.ru_utime.tv_usec * 1000;
	row->system_ns =
		(uint64_t)u.ru_stime.tv_sec * 1000000000 + (uint64_t)u.ru_stime.tv_usec * 1000;
	return 0;
}

/* ---- Rounds ---- */

static void keep_row(struct compare *c, enum how how, uint64_t round, const struct row *row)
{
	struct row *r = &c->rows[c->count++];
	const char *filter = c->options->engine.filter_expression;
	*r = *row;
	r->round = round;
	snprintf(r->what, sizeof r->what, "%s", names[how]);
	snprintf(r->filter, sizeof r->filter, "%s", filter ? filter : "none");
	if (how <= OURS_FLOWS && !c->options->engine.file)
		snprintf(r->mode, sizeof r->mode, "%s", mode_name(c->options->engine.read_mode));
	row_work_out(r);
}

static int run_file_round(struct compare *c, uint64_t round)
{
	static struct peer_report report;
	for (size_t k = 0; k < c->contenders && !asked_to_stop(); k++) {
		enum how how = c->line_up[k];
		struct peer p;
		int code;
		if (how == TCPDUMP) {
			code = run_tcpdump(c, &report.row);
			if (code < 0) { /* tcpdump is absent, or too old for --count */
				note_add(&c->result, "tcpdump --count did not run here: left out");
				c->contenders--;
				continue;
			}
		} else {
			code = peer_start(c, how, &p, &report);
			if (code)
				return code;
			if (how >= PCAP_DISPATCH)
				memcpy(c->about, report.about, sizeof c->about);
			peer_go(&p);
			code = peer_end(&p, how, false, &report);
		}
		if (code)
			return code;
		if (round)
			keep_row(c, how, round,
				&report.row); /* round 0 brings the file into the page cache */
	}
	return 0;
}

static void sleep_seconds(double seconds)
{
	const int64_t end = mono_now() + (int64_t)(seconds * 1e9);

	while (!asked_to_stop()) {
		int64_t left = end - mono_now();

		if (left <= 0)
			return;
		if (left > 50000000)
			left = 50000000;
		const struct timespec t = { 0, (long)left };
		nanosleep(&t, NULL);
	}
}

static int run_live_round(struct compare *c, uint64_t round)
{
	const struct options *o = c->options;
	static struct peer_report report[HOWS];
	struct peer peers[HOWS];
	struct sender sender;
	struct sender_report sent = { .sent = ABSENT };
	struct sender_order order = { 100000, 64, o->seconds };
	uint64_t before = 0;
	uint64_t arrived = ABSENT;
	const size_t n = c->contenders;
	size_t started = 0;
	int code = 0;

	if (o->rates.count)
		order.rate = o->rates.value[0];
	if (o->sizes.count)
		order.frame_bytes = (uint32_t)o->sizes.value[0];
	for (; started < n && !code; started += !code) {
		size_t k = (started + round) % n;
		code = peer_start(c, c->line_up[k], &peers[k], &report[k]);
		if (!code && c->line_up[k] >= PCAP_DISPATCH)
			memcpy(c->about, report[k].about, sizeof c->about);
	}
	if (!code && c->pair.made)
		code = sender_start(&sender, &c->pair, &order);
	bool sends = !code && c->pair.made;
	if (sends)
		before = pair_arrived(&c->pair);
	for (size_t k = 0; k < started; k++)
		peer_go(&peers[(k + round) % n]);
	if (sends) {
		sleep_seconds(0.1);
		sender_go(&sender);
		code = sender_end(&sender, &sent);
		sleep_seconds(SETTLE_NS * 1e-9);
		arrived = count_since(&c->pair, before);
	} else if (!code) {
		sleep_seconds(o->seconds);
	}
	for (size_t s = 0; s < started; s++) {
		size_t k = (s + round) % n;
		int one = peer_end(&peers[k], c->line_up[k], true, &report[k]);
		if (one && !code)
			code = one;
	}
	for (size_t k = 0; k < n && !code; k++) {
		struct row *row = &report[k].row;
		if (sends) {
			row->sent = sent.sent;
			row->arrived = arrived;
			row->frame_bytes = order.frame_bytes;
			row->rate = order.rate;
		}
		keep_row(c, c->line_up[k], round + 1, row);
	}
	return code;
}

/* ---- Result ---- */

/* The figures of a row that are compared. */
enum figure_kind { FIGURE_WALL, FIGURE_CPU, FIGURE_LOSS };

static double choose_figure(const struct row *r, enum figure_kind which)
{
	switch (which) {
	case FIGURE_WALL:
		return r->wall_ns_per_packet;
	case FIGURE_CPU:
		return r->user_ns_per_packet + r->system_ns_per_packet;
	default:
		return r->loss;
	}
}

static struct spread measure_spread(const struct compare *c, enum how how, enum figure_kind which)
{
	static double values[ROUNDS_MOST];
	size_t n = 0;
	for (size_t i = 0; i < c->count; i++)
		if (!strcmp(c->rows[i].what, names[how]))
			values[n++] = choose_figure(&c->rows[i], which);
	return spread_of(values, n);
}

/* Adds the verdict of each of our contenders beside libpcap. */
static void judge_contenders(struct compare *c)
{
	static struct verdict verdicts[HOWS];
	const bool file = c->options->engine.file != NULL;
	const enum figure_kind figure = file ? FIGURE_WALL : FIGURE_CPU;
	const struct spread other = measure_spread(c, PCAP_DISPATCH, figure);
	size_t n = 0;

	for (size_t k = 0; k < c->contenders; k++) {
		const enum how how = c->line_up[k];
		const struct spread ours = measure_spread(c, how, figure);
		struct verdict *v = &verdicts[n];

		if (how > OURS_FLOWS)
			continue;
		verdict_init(v);
		snprintf(v->what, sizeof v->what, "%s", names[how]);
		snprintf(v->context, sizeof v->context, "%s", names[how]);
		verdict_times(
			v, file ? "ns" : "ns of CPU time", &ours, names[PCAP_DISPATCH], &other);
		n++;
	}
	c->result.verdicts = verdicts;
	c->result.verdict_count = n;
}

static void describe_compare(struct compare *c)
{
	const bool file = c->options->engine.file != NULL;
	const enum figure_kind main_figure = file ? FIGURE_WALL : FIGURE_CPU;
	bool same = true;
	struct facts *f = &c->result.findings;
	double first = measure_spread(c, PCAP_DISPATCH, main_figure).median;
	for (size_t i = 1; i < c->count; i++)
		same &= c->rows[i].packets == c->rows[0].packets;
	fact_add(&c->result.host, "libpcap", "%s", c->about);
	for (size_t k = 0; k < c->contenders; k++) {
		const struct spread s = measure_spread(c, c->line_up[k], main_figure);
		const struct spread loss = measure_spread(c, c->line_up[k], FIGURE_LOSS);

		if (!s.count)
			continue;
		char text[160];
		snprintf(text, sizeof text,
			"%.2f ns %s a packet (quartiles %.2f to %.2f), %.3f of libpcap's", s.median,
			file ? "wall" : "CPU", s.low, s.high, s.median / first);
		if (!file)
			snprintf(text + strlen(text), sizeof text - strlen(text), "; loss %.6f",
				loss.median);
		fact_add(f, names[c->line_up[k]], "%s", text);
	}
	if (file)
		fact_add(f, "same_packets", "%s", same ? "yes" : "no");
	if (file)
		note_add(&c->result,
			"the file came from the page cache: one round before the others is not counted; each contender ran alone, in turn, as a process of its own");
	else
		note_add(&c->result,
			"both at once on one interface: buffer %llu bytes, snaplen %u, no immediate mode, blocks or time-outs of %d ms in both; who opens first changes each round",
			(unsigned long long)(c->options->engine.buffer_bytes
						     ? c->options->engine.buffer_bytes
						     : LIVE_BUFFER),
			c->options->engine.snaplen, PEER_TIMEOUT_MS);
	note_add(&c->result,
		"libpcap counts packets and sums lengths, as \"count only\" does; \"parsed\" and \"flows and statistics\" do more than that");
	for (size_t k = 0; k < c->contenders; k++)
		if (c->line_up[k] == TCPDUMP)
			note_add(&c->result, "tcpdump's figures have its start in them");
	if (!file && !is_pair(c->options->source))
		note_add(&c->result,
			"the two begin and end some milliseconds apart: their counts may differ by what came then");
}

static bool is_executable(const char *path)
{
	return !access(path, X_OK);
}

/* Finds bpfbench-libpcap: beside this program (a build directory), in ../libexec, or in the
 * installed place.  Returns false after the message. */
static bool find_helper(struct compare *c)
{
#ifdef BENCH_LIBEXEC
	char self[512];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash = NULL;
	if (n > 0) {
		self[n] = 0;
		slash = strrchr(self, '/');
	}
	if (slash) {
		*slash = 0;
		snprintf(c->helper, sizeof c->helper, "%s/bpfbench-libpcap", self);
		if (is_executable(c->helper))
			return true;
		snprintf(c->helper, sizeof c->helper, "%s/../libexec/bpfengine/bpfbench-libpcap",
			self);
		if (is_executable(c->helper))
			return true;
	}
	snprintf(c->helper, sizeof c->helper, "%s/bpfbench-libpcap", BENCH_LIBEXEC);
	if (is_executable(c->helper))
		return true;
	program_tell(
		"bpfbench-libpcap is neither beside bpfbench nor in %s: install it", BENCH_LIBEXEC);
#else
	(void)c;
	(void)is_executable;
	program_tell(
		"this bpfbench was built without libpcap: install its headers and build it again (-Dlibpcap=enabled)");
#endif
	return false;
}

/* Adds a contender. */
static void add_contender(struct compare *c, enum how how)
{
	c->line_up[c->contenders++] = how;
}

/* Lines up the contenders for the options.  Live there are two. */
static void choose_contenders(struct compare *c)
{
	const struct bpe_options *e = &c->options->engine;

	if (!e->file) {
		add_contender(c, e->count_only ? OURS_COUNT : OURS_FLOWS);
		add_contender(c, PCAP_DISPATCH);
		return;
	}
	add_contender(c, OURS_COUNT);
	if (!e->count_only) {
		add_contender(c, OURS_PARSE);
		add_contender(c, OURS_FLOWS);
	}
	add_contender(c, PCAP_DISPATCH);
	add_contender(c, PCAP_NEXT);
	add_contender(c, TCPDUMP);
}

int compare_main(const struct options *o)
{
	static struct compare c;
	c.options = o;
	if (!find_helper(&c))
		return EXIT_ERROR;
	if (o->engine.file && access(o->engine.file, R_OK)) {
		char shown[200];
		int failed = errno;
		program_tell("%s: %s", program_visible(shown, sizeof shown, o->engine.file),
			strerror(failed));
		return EXIT_SOURCE;
	}
	result_init(&c.result, KIND_COMPARE);
	host_facts(&c.result.host);
	options_facts(o, &c.result.options);
	choose_contenders(&c);
	c.rows = calloc((o->rounds + 1) * HOWS, sizeof *c.rows);
	int code = 0;
	if (!c.rows)
		code = report_contender("compare", "no memory");
	else if (o->source && is_pair(o->source))
		code = pair_make(&c.pair);
	for (uint64_t r = 0; r < o->rounds + (o->engine.file != NULL) && !code && !asked_to_stop();
		r++) {
		code = o->engine.file ? run_file_round(&c, r) : run_live_round(&c, r);
		if (!code && !o->quiet)
			program_tell("round %llu done",
				(unsigned long long)r + (o->engine.file == NULL));
	}
	pair_remove(&c.pair);
	if (!code || c.count) {
		describe_compare(&c);
		judge_contenders(&c);
		c.result.rows = c.rows;
		c.result.count = c.count;
		int wrote = outputs_write(o, &c.result);
		if (!code)
			code = wrote;
	}
	free(c.rows);
	return code;
}
