/* SPDX-License-Identifier: MIT */
/* Options without effect are told or refused: each member of struct bpe_options, with each kind of
 * source, at both levels. */
#include "api/unused.h"
#include "filter/kernel.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Every member, source and level, over devices that are described and not opened ---- */

/* Sources: f savefile, s generated traffic, a AF_PACKET, b BPF devices of the four systems,
 * m savefile in memory, p pushed packets.
 * Situations: w engine with workers, 0 engine without, n engine without flows, o engine that only
 * counts, c capture, k capture with a flow table. */
#define SOURCES "fsabmp"
#define SITUATIONS "w0nock"

/* tests/header/option_rules.py wants a line for each member. */
struct expectation {
	const char *member;
	const char *sources, *situations; /* where the option is used */
	const char *refused;              /* sources with a refusal elsewhere; others: told */
};
static const struct expectation expectations[] = {
	{ "struct_size", SOURCES, SITUATIONS, "" },
	{ "interface_name", SOURCES, SITUATIONS, "" },
	{ "file", SOURCES, SITUATIONS, "" },
	{ "memory", SOURCES, SITUATIONS, "" },
	{ "memory_bytes", SOURCES, SITUATIONS, "" },
	{ "push", SOURCES, SITUATIONS, "" },
	{ "push_live", "p", SITUATIONS, "" },
	{ "snaplen", SOURCES, SITUATIONS, "" },
	{ "promiscuous", "ab", SITUATIONS, "" },
	{ "wait_interface", "ab", SITUATIONS, "" },
	{ "direction", "abp", SITUATIONS, "fsm" },
	{ "link_type", "bp", SITUATIONS, "fsam" },
	{ "max_packets", SOURCES, SITUATIONS, "" },
	{ "filter", SOURCES, SITUATIONS, "" },
	{ "filter_length", SOURCES, SITUATIONS, "" },
	{ "filter_expression", SOURCES, SITUATIONS, "" },
	{ "filter_through", SOURCES, SITUATIONS, "" },
	{ "buffer_bytes", "abp", SITUATIONS, "" },
	{ "block_bytes", "fsam", SITUATIONS, "" },
	{ "block_count", "fsab", "w0no", "" }, /* and is_block_ring */
	{ "bpf_abi", "b", SITUATIONS, "a" },
	{ "bpf_device", "b", SITUATIONS, "a" },
	{ "read_mode", "b", SITUATIONS, "" },
	{ "read_interval_ns", "b", SITUATIONS, "" },
	{ "process", "bp", SITUATIONS, "" },
	{ "head_drop", "b", SITUATIONS, "" },
	{ "header_compression", "b", SITUATIONS, "" },
	{ "truncate_payload", "b", SITUATIONS, "" },
	{ "zero_copy", "b", SITUATIONS, "" },
	{ "outermost", SOURCES, "w0nck", "" },
	{ "checksums", SOURCES, "w0nck", "" },
	{ "count_only", SOURCES, "w0no", "" },
	{ "closed_tunnels", SOURCES, SITUATIONS, "" },
	{ "ignore_tunnel", SOURCES, "w0nck", "" },
	{ "ignore_vlan", SOURCES, "w0nck", "" },
	{ "fixed_seed", SOURCES, "w0nck", "" },
	{ "hash_seed", SOURCES, SITUATIONS, "" }, /* fixed_seed is told */
	{ "workers", SOURCES, "w0n", "" },
	{ "ring_slots", SOURCES, "wn", "" },
	{ "overload", SOURCES, "wn", "" },
	{ "pin_workers", SOURCES, "wn", "" },
	{ "priority", SOURCES, "wn", "" },
	{ "spread", SOURCES, "wn", "" },
	{ "spread_networks", SOURCES, "wn", "" },
	{ "flows", SOURCES, "w0no", "" },
	{ "flow_table", SOURCES, "ck", "" },
	{ "no_tcp_health", SOURCES, "w0k", "" },
	{ "direction_by_port", SOURCES, "w0k", "" },
	{ "flow_lengths", SOURCES, "w0k", "" },
	{ "duplicates", SOURCES, "w0k", "" },
	{ "max_flows", SOURCES, "w0k", "" },
	{ "max_flow_bytes", SOURCES, "w0k", "" },
	{ "flow_idle_ns", SOURCES, "w0k", "" },
	{ "flow_closed_ns", SOURCES, "w0k", "" },
	{ "flow_timeout_ns", SOURCES, "w0k", "" },
	{ "flow_active_ns", SOURCES, "w0k", "" },
	{ "on_batch", SOURCES, "w0no", SOURCES },
	{ "on_flow", SOURCES, "w0k", SOURCES },
	{ "on_flow_open", SOURCES, "w0k", SOURCES },
	{ "on_flow_update", SOURCES, "w0k", SOURCES },
	{ "flow_update_ns", SOURCES, "w0k", "" },
	{ "flow_update_bytes", SOURCES, "w0k", "" },
	{ "on_notice", SOURCES, SITUATIONS, "" },
	{ "user", SOURCES, SITUATIONS, "" },
	{ "on_record", SOURCES, "w0", SOURCES },
	{ "pull_records", SOURCES, "w0", SOURCES },
	{ "record_ring_bytes", SOURCES, "w0", "" },
	{ "record_overload", SOURCES, "w0", "" },
	{ "record_begins", SOURCES, "w0", "" },
	{ "marks", SOURCES, "w0k", "" },
	{ "option_words", SOURCES, SITUATIONS, "" },
	{ "zero", SOURCES, SITUATIONS, "" },
	{ "on_read", SOURCES, "w0no", SOURCES },
	{ "sources", SOURCES, SITUATIONS, "" },
	{ "source_count", SOURCES, SITUATIONS, "" },
	{ "cutoff", SOURCES, "w0k", SOURCES },
	{ "cutoff_bytes", SOURCES, "w0k", "" },
	{ "cutoff_drop", SOURCES, "w0k", "" },
	{ "names", SOURCES, "w0k", "" },
	{ "names_form", SOURCES, "w0k", "" },
	{ "names_key", SOURCES, "w0k", "" },
	{ "public_suffixes", SOURCES, "w0k", "" },
	{ "names_bytes", SOURCES, "w0k", "" },
	{ "quic_per_second", SOURCES, "w0k", "" },
	{ "crypto", SOURCES, "w0k", "" },
	{ "on_event", SOURCES, "w0k", SOURCES },
	{ "where", SOURCES, "w0k", SOURCES },
	{ "on_owner", SOURCES, "w0k", "" },
	{ "fanout", "a", SITUATIONS, "fsbmp" },
	{ "fanout_group", "a", SITUATIONS, "fsbmp" },
};
#define EXPECTATIONS (sizeof expectations / sizeof *expectations)

static char told[4096];
static int told_count;

static void note_told(void *user, const char *text)
{
	const size_t used = strlen(told);

	(void)user;
	told_count++;
	snprintf(told + used, sizeof told - used, "%s\n", text);
}

static bool asks_for_words; /* options.option_words of ask_about */

static void ignore_batch_here(void *user, const struct bpe_batch *batch)
{
	(void)user;
	(void)batch;
}

static void ignore_record(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	(void)user;
	(void)flow;
	(void)worker;
}

static const struct bpei_option_rule *find_rule(const char *member)
{
	for (size_t k = 0; k < bpei_option_rule_count; k++)
		if (!strcmp(bpei_option_rules[k].name, member))
			return &bpei_option_rules[k];
	cr_assert_fail("%s has no rule", member);
	return NULL;
}

/* Returns true if the line of a notice or error is about the member. */
static bool is_about(const char *text, const char *member)
{
	const size_t length = strlen(member);

	for (const char *at = text; (at = strstr(at, member)); at++) {
		const bool begins = at == text || at[-1] == '\n';

		if (begins && at[length] == ' ')
			return true;
	}
	return false;
}

/* Gives the member a value that is not the default. */
static void change_member(struct bpe_options *o, const char *member)
{
	const struct bpei_option_rule *rule = find_rule(member);
	uint8_t *value = (uint8_t *)o + rule->offset;

	if (!strcmp(member, "on_notice") || !strcmp(member, "user"))
		return; /* always given here */
	for (size_t k = 0; k < rule->bytes; k++)
		value[k] ^= 1;
}

/* Gives an option the other options without which no source and no level uses it. */
static void add_companions(struct bpe_options *o, const char *member)
{
	if (!strcmp(member, "read_interval_ns"))
		o->read_mode = BPE_READ_PACED;
	if (!strcmp(member, "hash_seed"))
		o->fixed_seed = true;
	if (!strcmp(member, "spread_networks"))
		o->spread = BPE_SPREAD_HOST;
	if (!strncmp(member, "flow_update_", 12))
		o->on_flow_update = ignore_record;
	if (!strcmp(member, "on_flow_update"))
		o->flow_update_bytes = 1;
	if (!strncmp(member, "record_", 7))
		o->on_record = ignore_record;
}

/* Asks about a changed member.  kernel: index in bpei_kernels, for a BPF device. */
static int ask_about(const struct expectation *e, char source, char situation, int kernel,
	bool used, struct bpe_error *error)
{
	struct bpei_device device = {
		.link_type = 1, .maps_blocks = strchr("amp", source), .has_meta = source == 'b'
	};
	struct bpei_opened opened = { .device = &device, .is_engine = !strchr("ck", situation) };
	struct bpe_options o;

	if (source == 'a')
		device.kernel = &bpei_kernels[BPEI_KERNEL_LINUX];
	if (source == 'b')
		device.kernel = &bpei_kernels[kernel];
	opened.workers = situation == 'w' || situation == 'n' ? 2 : 0;
	opened.has_flows = strchr("w0k", situation) != NULL;
	bpe_options_init(&o);
	o.on_notice = note_told;
	o.user = &o;
	if (used)
		add_companions(&o, e->member);
	change_member(&o, e->member);
	o.option_words |= asks_for_words;
	o.count_only |= situation == 'o';
	o.push |= source == 'p';
	told[0] = 0;
	told_count = 0;
	memset(error, 0, sizeof *error);
	return bpei_unused_tell(&o, &opened, error);
}

/* Returns true for the ring of a packet socket, which has a number of blocks at both levels. */
static bool is_block_ring(const struct expectation *e, char source)
{
	return !strcmp(e->member, "block_count") && source == 'a';
}

static void check_cell(const struct expectation *e, char source, char situation, int kernel)
{
	const bool used = strchr(e->sources, source) &&
			  (strchr(e->situations, situation) || is_block_ring(e, source));
	const bool refused = !used && strchr(e->refused, source);
	struct bpe_error error;
	const int status = ask_about(e, source, situation, kernel, used, &error);

	cr_expect_eq(status < 0, refused, "%s, source %c, situation %c: %d %s", e->member, source,
		situation, status, error.text);
	cr_expect_eq(is_about(error.text, e->member), refused, "%s, %c, %c: %s", e->member, source,
		situation, error.text);
	cr_expect_eq(is_about(told, e->member), !used && !refused, "%s, %c, %c: %s", e->member,
		source, situation, told);
	if (refused)
		cr_expect_eq(told_count, 0, "%s", told);
}

Test(unused, each_member_is_used_told_or_refused)
{
	for (size_t k = 0; k < EXPECTATIONS; k++)
		for (const char *source = SOURCES; *source; source++)
			for (const char *situation = SITUATIONS; *situation; situation++)
				for (int kernel = 0; kernel < BPEI_KERNEL_LINUX; kernel++)
					check_cell(&expectations[k], *source, *situation, kernel);
}

/* Options at their defaults are never told, whatever was opened. */
Test(unused, defaults_are_silent)
{
	const struct expectation nothing = { "user", "", "", "" };
	struct bpe_error error;

	for (const char *source = SOURCES; *source; source++)
		for (const char *situation = SITUATIONS; *situation; situation++) {
			if (*situation == 'o')
				continue; /* count_only is no default */
			cr_expect_eq(
				ask_about(&nothing, *source, *situation, 0, false, &error), BPE_OK);
			cr_expect_eq(told_count, 0, "%s", told);
		}
}

Test(unused, each_rule_has_an_expectation)
{
	for (size_t k = 0; k < bpei_option_rule_count; k++) {
		const struct bpei_option_rule *rule = &bpei_option_rules[k];
		bool has_line = false;

		cr_expect_leq(rule->offset + rule->bytes, sizeof(struct bpe_options));
		cr_expect_eq(rule->needs >> BPEI_NEED_COUNT, 0);
		for (size_t i = 0; i < EXPECTATIONS; i++)
			has_line |= !strcmp(expectations[i].member, rule->name);
		cr_expect(has_line, "%s", rule->name);
	}
}

/* ---- Options that need another option ---- */

static void expect_companion(const char *member)
{
	const struct expectation alone = { member, "", "", "" };
	struct bpe_error error;

	cr_expect_eq(ask_about(&alone, 'b', 'w', 0, false, &error), BPE_OK);
	cr_expect(is_about(told, member), "%s: %s", member, told);
	cr_expect_eq(ask_about(&alone, 'b', 'w', 0, true, &error), BPE_OK);
	cr_expect_eq(told_count, 0, "%s: %s", member, told);
}

Test(unused, companions_are_missed)
{
	expect_companion("read_interval_ns");
	expect_companion("hash_seed");
	expect_companion("spread_networks");
	expect_companion("record_ring_bytes");
	expect_companion("record_overload");
	expect_companion("record_begins");
	expect_companion("flow_update_bytes");
	expect_companion("on_flow_update");
}

/* ---- Pairs of options, and the words of the program ---- */

/* Asks about the options on a savefile, for an engine with so many workers. */
static int ask_file(struct bpe_options *o, uint32_t workers, struct bpe_error *error)
{
	const struct bpei_device device = { .link_type = 1, .source = "file x.pcap" };
	const struct bpei_opened opened = {
		.device = &device, .is_engine = true, .workers = workers, .has_flows = o->flows
	};

	o->on_notice = note_told;
	told[0] = 0;
	told_count = 0;
	return bpei_unused_tell(o, &opened, error);
}

static void expect_told(struct bpe_options *o, uint32_t workers, const char *text)
{
	struct bpe_error error = { 0 };

	cr_expect_eq(ask_file(o, workers, &error), BPE_OK, "%s", error.text);
	cr_expect_str_eq(told, text);
}

Test(unused, of_two_options_the_vain_one_is_told)
{
	struct bpe_options o;

	bpe_options_init(&o);
	o.ignore_tunnel = true;
	expect_told(&o, 0, "");
	o.closed_tunnels = UINT64_MAX;
	expect_told(&o, 0,
		"ignore_tunnel (--ignore-tunnel) has no effect: tunnels are not looked into (outermost, closed_tunnels)\n");
	o.closed_tunnels = BPE_TUNNEL_BIT(BPE_TUNNEL_GRE);
	expect_told(&o, 0, "");
	o.outermost = true;
	expect_told(&o, 0,
		"closed_tunnels (--tunnels) has no effect: tunnels are not looked into (outermost)\n"
		"ignore_tunnel (--ignore-tunnel) has no effect: tunnels are not looked into (outermost, closed_tunnels)\n");
	bpe_options_init(&o);
	o.flows = false;
	o.ignore_vlan = true;
	expect_told(&o, 0,
		"ignore_vlan (--ignore-vlan) has no effect: nothing uses the hash: no flows, workers or on_batch\n");
	expect_told(&o, 2, "");
	o.on_batch = ignore_batch_here;
	expect_told(&o, 0, "");
}

Test(unused, losses_that_nobody_needs_are_told)
{
	struct bpe_options o;

	bpe_options_init(&o);
	o.overload = BPE_OVERLOAD_DROP;
	expect_told(&o, 2,
		"overload (--overload drop) drops packets of a source that could wait: BPE_OVERLOAD_WAIT loses none\n");
	o.option_words = true;
	expect_told(&o, 2,
		"--overload drop drops packets of a source that could wait: --overload wait loses none\n");
	expect_told(&o, 0,
		"--overload has no effect: there are no worker threads (--workers 2 makes two)\n");
}

Test(unused, users_of_options_hear_of_options)
{
	struct bpe_error error = { 0 };
	struct bpe_options o;

	bpe_options_init(&o);
	o.ring_slots = 64;
	expect_told(&o, 0,
		"ring_slots (--ring) has no effect: there are no worker threads (workers)\n");
	o.option_words = true;
	expect_told(&o, 0,
		"--ring has no effect: there are no worker threads (--workers 2 makes two)\n");
	o.ring_slots = 0;
	o.flows = false;
	o.flow_idle_ns = 5;
	expect_told(&o, 0, "--flow-idle has no effect: no flows are kept (leave out --no-flows)\n");
	o.flow_idle_ns = 300000000000;
	o.filter_through = BPE_THROUGH_VLAN;
	expect_told(&o, 0, "--through has no effect: there is no filter\n");
	o.filter_expression = "tcp";
	expect_told(&o, 0, "");
	o.file = "x.pcap";
	o.link_type = 101;
	cr_expect_eq(ask_file(&o, 0, &error), BPE_E_UNSUPPORTED);
	cr_expect_str_eq(error.text, "-y cannot be used here: x.pcap has EN10MB, not RAW");
	bpe_options_init(&o);
	o.flows = false;
	o.option_words = true;
	o.on_flow = ignore_record; /* no option: the member is named */
	cr_expect_eq(ask_file(&o, 0, &error), BPE_E_ARGUMENT);
	cr_expect_str_eq(error.text,
		"on_flow cannot be used here: no flows are kept (leave out --no-flows)");
}

Test(unused, words_of_options_have_no_members)
{
	for (size_t k = 0; k < EXPECTATIONS; k++)
		for (const char *source = SOURCES; *source; source++)
			for (const char *situation = "w0no"; *situation; situation++) {
				struct bpe_error error;

				if (!find_rule(expectations[k].member)->word)
					continue;
				asks_for_words = true;
				ask_about(&expectations[k], *source, *situation, 0, false, &error);
				asks_for_words = false;
				cr_expect(!strchr(told, '_') && !strchr(error.text, '_'), "%s%s",
					told, error.text);
			}
}

Test(unused, a_link_type_may_be_the_sources_own)
{
	struct bpei_device device = { .link_type = 101 };
	const struct bpei_opened opened = { .device = &device, .is_engine = true };
	struct bpe_options o;
	struct bpe_error error = { 0 };

	bpe_options_init(&o);
	o.link_type = 101;
	cr_expect_eq(bpei_unused_tell(&o, &opened, &error), BPE_OK, "%s", error.text);
	o.link_type = 1;
	cr_expect_eq(bpei_unused_tell(&o, &opened, &error), BPE_E_UNSUPPORTED);
	cr_expect(strstr(error.text, "link_type (-y)"), "%s", error.text);
}

/* ---- Real sources ---- */

/* Returns options that count notices. */
static struct bpe_options real_options(const char *source, const char *file)
{
	struct bpe_options o;

	bpe_options_init(&o);
	o.interface_name = source;
	o.file = file;
	o.on_notice = note_told;
	told[0] = 0;
	told_count = 0;
	return o;
}

/* Opens both levels, and returns true if each told the member once and nothing else. */
static void expect_both_tell(const struct bpe_options *o, const char *member)
{
	struct bpe_error error = { 0 };
	struct bpe_engine *e;
	struct bpe_capture *c;

	cr_assert_eq(bpe_engine_open(o, &e, &error), BPE_OK, "%s: %s", member, error.text);
	cr_expect(told_count == 1 && is_about(told, member), "%s: %s", member, told);
	bpe_engine_close(e);
	told[0] = 0;
	told_count = 0;
	cr_assert_eq(bpe_capture_open(o, &c, &error), BPE_OK, "%s: %s", member, error.text);
	cr_expect(told_count == 1 && is_about(told, member), "%s: %s", member, told);
	bpe_capture_close(c);
}

#define TELLS(member_, value)                                                                      \
	do {                                                                                       \
		struct bpe_options o_ = real_options(source, file);                                \
		o_.member_ = value;                                                                \
		expect_both_tell(&o_, #member_);                                                   \
	} while (0)

static void expect_source_tells(const char *source, const char *file)
{
	TELLS(promiscuous, true);
	TELLS(wait_interface, true);
	TELLS(buffer_bytes, 1 << 20);
	TELLS(bpf_abi, "netbsd");
	TELLS(bpf_device, "/dev/bpf7");
	TELLS(read_mode, BPE_READ_LATENCY);
	TELLS(read_interval_ns, 1000000);
	TELLS(process, true);
	TELLS(head_drop, true);
	TELLS(header_compression, true);
	TELLS(truncate_payload, true);
	TELLS(zero_copy, true);
	TELLS(ring_slots, 128);
	TELLS(overload, BPE_OVERLOAD_DROP);
	TELLS(pin_workers, true);
	TELLS(priority, BPE_PRIORITY_HIGH);
	TELLS(spread, BPE_SPREAD_HOST);
	TELLS(spread_networks, "10.0.0.0/8");
	TELLS(hash_seed, 5);
	TELLS(record_ring_bytes, 8192);
	TELLS(record_overload, BPE_RECORD_WAIT);
}

static void write_empty_savefile(char path[])
{
	static const uint32_t header[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1 };
	const int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, header, sizeof header), (ssize_t)sizeof header);
	close(fd);
}

Test(unused, real_sources_tell, .timeout = 550)
{
	char path[] = "/tmp/bpfengine-unused-XXXXXX";

	write_empty_savefile(path);
	expect_source_tells("synth:count=10", NULL);
	expect_source_tells(NULL, path);
	unlink(path);
}

static void expect_refusal(
	const struct bpe_options *o, bool engine, bool capture, int status, const char *member)
{
	struct bpe_error error = { 0 };
	struct bpe_engine *e = NULL;
	struct bpe_capture *c = NULL;

	if (engine) {
		cr_expect_eq(bpe_engine_open(o, &e, &error), status, "%s: %s", member, error.text);
		cr_expect(!e && strstr(error.text, member), "%s", error.text);
	}
	if (capture) {
		cr_expect_eq(bpe_capture_open(o, &c, &error), status, "%s: %s", member, error.text);
		cr_expect(!c && strstr(error.text, member), "%s", error.text);
	}
}

Test(unused, real_sources_refuse)
{
	struct bpe_options o = real_options("synth:count=10", NULL);

	o.link_type = 101;
	expect_refusal(&o, true, true, BPE_E_UNSUPPORTED, "link_type");
	o = real_options("synth:count=10", NULL);
	o.direction = BPE_DIRECTION_IN;
	expect_refusal(&o, true, true, BPE_E_UNSUPPORTED, "direction");
	o = real_options("synth:count=10", NULL);
	o.fanout = BPE_FANOUT_HASH;
	expect_refusal(&o, true, true, BPE_E_UNSUPPORTED, "fanout (--fanout)");
	o.fanout = BPE_FANOUT_QM + 1;
	expect_refusal(&o, true, true, BPE_E_ARGUMENT, "fanout is none, hash");
	o.fanout = BPE_FANOUT_HASH;
	o.fanout_group = 65536;
	expect_refusal(&o, true, true, BPE_E_ARGUMENT, "fanout_group is 0 to 65535");
	o.fanout = BPE_FANOUT_NONE;
	o.fanout_group = 7;
	expect_refusal(&o, true, true, BPE_E_ARGUMENT, "needs fanout");
	o = real_options("synth:count=10", NULL);
	o.on_batch = ignore_batch_here;
	expect_refusal(&o, false, true, BPE_E_ARGUMENT, "on_batch");
	o = real_options("synth:count=10", NULL);
	o.flows = false;
	o.on_flow = ignore_record;
	expect_refusal(&o, true, true, BPE_E_ARGUMENT, "on_flow");
	o.on_flow = NULL;
	o.on_record = ignore_record;
	expect_refusal(&o, true, true, BPE_E_ARGUMENT, "on_record");
}
