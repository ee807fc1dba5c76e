/* SPDX-License-Identifier: MIT */
/* The needs of each option as a table, and the check of the options after a source was opened.
 *
 * An option with the default value is never reported.  Devices report missing features of the
 * kernel: promiscuous mode of "any", macOS's features, zero-copy buffers.  Stateless. */
#include "api/unused.h"

#include "base/error.h"
#include "filter/kernel.h"

#include <stdio.h>
#include <string.h>

#define RULE(member, word, needs, then)                                                            \
	{ #member, word, offsetof(struct bpe_options, member),                                     \
		sizeof(((struct bpe_options *)0)->member), needs, BPEI_UNUSED_##then }
#define NEED(need) BPEI_NEED(need)
#define REASON_ROOM 320

const struct bpei_option_rule bpei_option_rules[] = {
	RULE(struct_size, NULL, 0, TOLD),
	RULE(interface_name, "-i", 0, TOLD),
	RULE(file, "-r", 0, TOLD),
	RULE(memory, NULL, 0, TOLD),
	RULE(memory_bytes, NULL, 0, TOLD),
	RULE(push, NULL, 0, TOLD),
	RULE(push_live, NULL, NEED(PUSH), TOLD),
	RULE(snaplen, "-s", 0, TOLD),
	RULE(promiscuous, "--promiscuous", NEED(INTERFACE), TOLD),
	RULE(wait_interface, "--wait-interface", NEED(INTERFACE), TOLD),
	RULE(direction, "-Q", NEED(BUFFER), UNSUPPORTED),
	RULE(link_type, "-y", NEED(LINK_TYPE), UNSUPPORTED),
	RULE(max_packets, "-c", 0, TOLD),
	RULE(filter, NULL, 0, TOLD),
	RULE(filter_length, NULL, 0, TOLD),
	RULE(filter_expression, "-f", 0, TOLD),
	RULE(filter_through, "--through", NEED(FILTER), TOLD),
	RULE(buffer_bytes, "-B", NEED(BUFFER), TOLD),
	RULE(block_bytes, "--block-size", NEED(BLOCK_SIZE), TOLD),
	RULE(block_count, "--block-count", NEED(BLOCKS), TOLD),
	RULE(bpf_abi, "--bpf-abi", NEED(NO_SOCKET), UNSUPPORTED),
	RULE(bpf_abi, "--bpf-abi", NEED(BPF), TOLD),
	RULE(bpf_device, "--bpf-device", NEED(NO_SOCKET), UNSUPPORTED),
	RULE(bpf_device, "--bpf-device", NEED(BPF), TOLD),
	RULE(read_mode, "--read-mode", NEED(BPF), TOLD),
	RULE(read_interval_ns, "--read-interval", NEED(BPF) | NEED(PACED), TOLD),
	RULE(process, "--process", NEED(META), TOLD),
	RULE(head_drop, "--head-drop", NEED(BPF), TOLD),
	RULE(header_compression, "--header-compression", NEED(BPF), TOLD),
	RULE(truncate_payload, "--truncate", NEED(BPF), TOLD),
	RULE(zero_copy, "--zero-copy", NEED(BPF), TOLD),
	RULE(outermost, "--outermost", NEED(PARSER), TOLD),
	RULE(checksums, "--checksums", NEED(PARSER), TOLD),
	RULE(count_only, NULL, NEED(ENGINE), TOLD),
	RULE(closed_tunnels, "--tunnels", NEED(DEEPER), TOLD),
	RULE(ignore_tunnel, "--ignore-tunnel", NEED(PARSER) | NEED(KEYS) | NEED(INNER), TOLD),
	RULE(ignore_vlan, "--ignore-vlan", NEED(PARSER) | NEED(KEYS), TOLD),
	RULE(fixed_seed, "--seed", NEED(PARSER) | NEED(KEYS), TOLD),
	RULE(hash_seed, NULL, NEED(SEED), TOLD),
	RULE(workers, "--workers", NEED(ENGINE) | NEED(PARSER), TOLD),
	RULE(ring_slots, "--ring", NEED(ENGINE) | NEED(WORKERS), TOLD),
	RULE(overload, "--overload", NEED(ENGINE) | NEED(WORKERS), TOLD),
	RULE(pin_workers, "--pin", NEED(ENGINE) | NEED(WORKERS), TOLD),
	RULE(priority, "--priority", NEED(ENGINE) | NEED(WORKERS), TOLD),
	RULE(spread, "--spread", NEED(ENGINE) | NEED(WORKERS), TOLD),
	RULE(spread_networks, "--spread-networks", NEED(ENGINE) | NEED(WORKERS) | NEED(HOSTS),
		TOLD),
	RULE(flows, "--no-flows", NEED(ENGINE), TOLD),
	RULE(flow_table, NULL, NEED(CAPTURE), TOLD),
	RULE(no_tcp_health, "--no-tcp-health", NEED(FLOWS), TOLD),
	RULE(direction_by_port, "--direction-by-port", NEED(FLOWS), TOLD),
	RULE(flow_lengths, "--flow-lengths", NEED(FLOWS), TOLD),
	RULE(duplicates, "--duplicates", NEED(FLOWS) | NEED(HEALTH), TOLD),
	RULE(max_flows, "--max-flows", NEED(FLOWS), TOLD),
	RULE(max_flow_bytes, "--flow-memory", NEED(FLOWS), TOLD),
	RULE(flow_idle_ns, "--flow-idle", NEED(FLOWS), TOLD),
	RULE(flow_closed_ns, "--flow-closed", NEED(FLOWS), TOLD),
	RULE(flow_timeout_ns, "--flow-timeout", NEED(FLOWS), TOLD),
	RULE(flow_active_ns, "--flow-active", NEED(FLOWS), TOLD),
	RULE(on_batch, NULL, NEED(ENGINE), WRONG),
	RULE(on_flow, NULL, NEED(FLOWS), WRONG),
	RULE(on_flow_open, NULL, NEED(FLOWS), WRONG),
	RULE(on_flow_update, NULL, NEED(FLOWS), WRONG),
	RULE(on_flow_update, NULL, NEED(PERIOD), TOLD),
	RULE(flow_update_ns, NULL, NEED(FLOWS) | NEED(UPDATES), TOLD),
	RULE(flow_update_bytes, NULL, NEED(FLOWS) | NEED(UPDATES), TOLD),
	RULE(on_notice, NULL, 0, TOLD),
	RULE(user, NULL, 0, TOLD),
	RULE(on_record, NULL, NEED(ENGINE) | NEED(FLOWS), WRONG),
	RULE(pull_records, NULL, NEED(ENGINE) | NEED(FLOWS), WRONG),
	RULE(record_ring_bytes, NULL, NEED(ENGINE) | NEED(RECORDS), TOLD),
	RULE(record_overload, "--flows-overload", NEED(ENGINE) | NEED(RECORDS), TOLD),
	RULE(marks, NULL, NEED(FLOWS) | NEED(HEALTH), TOLD),
	RULE(record_begins, "--flows-begin", NEED(ENGINE) | NEED(RECORDS), TOLD),
	RULE(option_words, NULL, 0, TOLD),
	RULE(zero, NULL, 0, TOLD),
	RULE(on_read, NULL, NEED(ENGINE), WRONG),
	RULE(sources, NULL, 0, TOLD),
	RULE(source_count, NULL, 0, TOLD),
	RULE(cutoff, "--cutoff", NEED(FLOWS), WRONG),
	RULE(cutoff_bytes, "--cutoff", NEED(FLOWS), TOLD),
	RULE(cutoff_drop, "--cutoff", NEED(FLOWS), TOLD),
	RULE(names, "--names", NEED(FLOWS), TOLD),
	RULE(names_form, "--names-form", NEED(FLOWS), TOLD),
	RULE(names_key, NULL, NEED(FLOWS), TOLD),
	RULE(public_suffixes, "--suffix-list", NEED(FLOWS), TOLD),
	RULE(names_bytes, "--names-memory", NEED(FLOWS), TOLD),
	RULE(quic_per_second, "--quic-budget", NEED(FLOWS), TOLD),
	RULE(crypto, NULL, NEED(FLOWS), TOLD),
	RULE(on_event, NULL, NEED(FLOWS), WRONG),
	RULE(where, "--where", NEED(FLOWS), WRONG),
	RULE(on_owner, NULL, NEED(FLOWS), TOLD),
	RULE(fanout, "--fanout", NEED(INTERFACE) | NEED(SOCKET), UNSUPPORTED),
	RULE(fanout_group, "--fanout", NEED(INTERFACE) | NEED(SOCKET), UNSUPPORTED),
};
const size_t bpei_option_rule_count = sizeof bpei_option_rules / sizeof *bpei_option_rules;

/* Reasons why an option has no effect, by the missing need: in the words of the library's
 * callers, and in the words of bpfengine's users, with a way out. */
static const struct {
	const char *member, *option; /* option NULL: as member */
} unmet_texts[BPEI_NEED_COUNT] = {
	[BPEI_NEED_ENGINE] = { "only an engine uses that, and this is a capture", NULL },
	[BPEI_NEED_CAPTURE] = { "only a capture uses that, and this is an engine", NULL },
	[BPEI_NEED_INTERFACE] = { "the source is no interface",
		"the source is no interface (-i NAME captures from one)" },
	[BPEI_NEED_PUSH] = { "the source is not push", NULL },
	[BPEI_NEED_BUFFER] = { "the source is neither an interface nor push",
		"the source is no interface (-i NAME captures from one)" },
	[BPEI_NEED_META] = { "neither the source nor this system tells processes, or no flows are kept",
		"processes are known of interfaces of this host, on Linux, FreeBSD and macOS, and with flows; files that have them show them without that" },
	[BPEI_NEED_BPF] = { "the source is no BPF device",
		"only interfaces of macOS, FreeBSD, NetBSD and OpenBSD have that (BPF devices)" },
	[BPEI_NEED_NO_SOCKET] = { "Linux's interfaces have packet sockets; bpf:NAME is the source of a BPF device",
		NULL },
	[BPEI_NEED_SOCKET] = { "a BPF device is in no group; without one, each reader of the interface gets all packets",
		"only Linux's interfaces have groups; on a BPF device run one process for each interface (-i NAME), with --workers for more cores" },
	[BPEI_NEED_LINK_TYPE] = { "the packets of this source have another link type", NULL },
	[BPEI_NEED_BLOCK_SIZE] = { "the size of the blocks follows from the buffer here (buffer_bytes)",
		"the size of the blocks follows from the buffer here (-B SIZE)" },
	[BPEI_NEED_BLOCKS] = { "the number of blocks is fixed here", NULL },
	[BPEI_NEED_PARSER] = { "packets are counted without parsing (count_only)",
		"packets are counted without parsing" },
	[BPEI_NEED_WORKERS] = { "there are no worker threads (workers)",
		"there are no worker threads (--workers 2 makes two)" },
	[BPEI_NEED_HOSTS] = { "spread is not by host",
		"packets are not dealt by host (--spread host)" },
	[BPEI_NEED_FLOWS] = { "no flows are kept (flows; of a capture: flow_table)",
		"no flows are kept (leave out --no-flows)" },
	[BPEI_NEED_HEALTH] = { "TCP health is off (no_tcp_health)",
		"TCP health is off (leave out --no-tcp-health)" },
	[BPEI_NEED_RECORDS] = { "no records are asked for (on_record, pull_records)",
		"no records are written (--flows FILE writes them)" },
	[BPEI_NEED_PERIOD] = { "flow_update_ns and flow_update_bytes are 0", NULL },
	[BPEI_NEED_UPDATES] = { "there is no on_flow_update", NULL },
	[BPEI_NEED_PACED] = { "read_mode is not paced", "only --read-mode paced has an interval" },
	[BPEI_NEED_SEED] = { "fixed_seed is false", NULL },
	[BPEI_NEED_FILTER] = { "there is no filter", "there is no filter" },
	[BPEI_NEED_KEYS] = { "nothing uses the hash: no flows, workers or on_batch",
		"nothing uses the hash without flows and workers (leave out --no-flows)" },
	[BPEI_NEED_INNER] = { "tunnels are not looked into (outermost, closed_tunnels)",
		"no tunnel is looked into (leave out --outermost, or name tunnels with --tunnels)" },
	[BPEI_NEED_DEEPER] = { "tunnels are not looked into (outermost)",
		"no tunnel is looked into (leave out --outermost)" },
};

/* Returns the needs met by a source. */
static uint32_t needs_met_by_source(const struct bpe_options *o, const struct bpei_opened *opened)
{
	const struct bpei_device *d = opened->device;
	const bool is_socket = d->kernel == &bpei_kernels[BPEI_KERNEL_LINUX];
	const bool is_bpf = d->kernel && !is_socket;
	uint32_t met = 0;

	if (d->kernel)
		met |= NEED(INTERFACE);
	if (o->push)
		met |= NEED(PUSH);
	if (o->push || d->kernel)
		met |= NEED(BUFFER);
	if (o->push || d->has_meta || opened->asks_owners)
		met |= NEED(META);
	if (!o->push && !is_bpf)
		met |= NEED(BLOCK_SIZE);
	if (is_bpf)
		met |= NEED(BPF);
	met |= is_socket ? NEED(SOCKET) : NEED(NO_SOCKET);
	if (o->push || is_bpf || o->link_type == (int32_t)d->link_type)
		met |= NEED(LINK_TYPE);
	/* The ring of a packet socket has the caller's number of blocks at both levels. */
	if (is_socket || (opened->is_engine && !d->maps_blocks))
		met |= NEED(BLOCKS);
	return met;
}

/* Returns the needs met by the treatment of packets. */
static uint32_t needs_met_by_packets(const struct bpe_options *o, const struct bpei_opened *opened)
{
	const uint64_t tunnels = BPE_TUNNEL_BIT(BPE_TUNNEL_COUNT) - BPE_TUNNEL_BIT(1);
	uint32_t met = 0;

	/* Callers of the library may set a filter later; bpfengine does not. */
	if (o->filter_expression || !o->option_words)
		met |= NEED(FILTER);
	if (opened->has_flows || opened->workers || o->on_batch || !opened->is_engine)
		met |= NEED(KEYS);
	if (!o->outermost)
		met |= NEED(DEEPER);
	if (!o->outermost && (o->closed_tunnels & tunnels) != tunnels)
		met |= NEED(INNER);
	return met;
}

static uint32_t needs_met(const struct bpe_options *o, const struct bpei_opened *opened)
{
	uint32_t met = needs_met_by_source(o, opened);

	met |= opened->is_engine ? NEED(ENGINE) : NEED(CAPTURE);
	if (!opened->is_engine || !o->count_only)
		met |= NEED(PARSER);
	if (opened->workers)
		met |= NEED(WORKERS);
	if (o->spread == BPE_SPREAD_HOST)
		met |= NEED(HOSTS);
	if (opened->has_flows)
		met |= NEED(FLOWS);
	if (!o->no_tcp_health)
		met |= NEED(HEALTH);
	if (o->on_record || o->pull_records)
		met |= NEED(RECORDS);
	if (o->flow_update_ns || o->flow_update_bytes)
		met |= NEED(PERIOD);
	if (o->on_flow_update)
		met |= NEED(UPDATES);
	if (o->read_mode == BPE_READ_PACED)
		met |= NEED(PACED);
	if (o->fixed_seed)
		met |= NEED(SEED);
	return met | needs_met_by_packets(o, opened);
}

/* Returns the lowest need without which the option is vain, or BPEI_NEED_COUNT for a used option
 * or a default. */
static uint32_t find_unmet_need(
	const struct bpei_option_rule *rule, const struct bpe_options *o, uint32_t met)
{
	struct bpe_options defaults;
	const uint32_t unmet = rule->needs & ~met;

	if (!unmet)
		return BPEI_NEED_COUNT;
	bpe_options_init(&defaults);
	const char *value = (const char *)o + rule->offset;

	if (!memcmp(value, (const char *)&defaults + rule->offset, rule->bytes))
		return BPEI_NEED_COUNT;
	return (uint32_t)__builtin_ctz(unmet);
}

/* Writes "ring_slots (--ring)", or "--ring" for a user of options; without an option the member. */
static const char *write_option_name(
	const struct bpei_option_rule *rule, bool words, char *text, size_t room)
{
	if (words && rule->word)
		snprintf(text, room, "%s", rule->word);
	else if (rule->word)
		snprintf(text, room, "%s (%s)", rule->name, rule->word);
	else
		snprintf(text, room, "%s", rule->name);
	return text;
}

/* Writes why the option has no effect. */
static const char *write_reason(const struct bpe_options *o, const struct bpei_opened *opened,
	uint32_t need, char *text, size_t room)
{
	const char *option = unmet_texts[need].option;
	const bool words = o->option_words && option;
	const char *source = "the source";

	if (o->interface_name)
		source = o->interface_name;
	else if (o->file)
		source = o->file;
	if (need == BPEI_NEED_LINK_TYPE)
		snprintf(text, room, "%s has %s, not %s", source,
			bpe_link_type_name((int)opened->device->link_type),
			bpe_link_type_name(o->link_type));
	else
		snprintf(text, room, "%s", words ? option : unmet_texts[need].member);
	return text;
}

/* Refuses an option with the missing need. */
static int refuse_option(const struct bpe_options *o, const struct bpei_opened *opened,
	const struct bpei_option_rule *rule, uint32_t need, struct bpe_error *error)
{
	const bool is_wrong = rule->then == BPEI_UNUSED_WRONG;
	char name[64], why[REASON_ROOM];

	return bpei_fail(error, is_wrong ? BPE_E_ARGUMENT : BPE_E_UNSUPPORTED, "options", 0,
		"%s cannot be used here: %s",
		write_option_name(rule, o->option_words, name, sizeof name),
		write_reason(o, opened, need, why, sizeof why));
}

/* Tells of losses without need. */
static void tell_needless_losses(const struct bpe_options *o, const struct bpei_opened *opened)
{
	if (o->overload != BPE_OVERLOAD_DROP || !opened->workers || opened->device->live)
		return;
	if (o->option_words)
		bpei_notice(o,
			"--overload drop drops packets of a source that could wait: --overload wait loses none");
	else
		bpei_notice(o,
			"overload (--overload drop) drops packets of a source that could wait: BPE_OVERLOAD_WAIT loses none");
}

int bpei_unused_tell(
	const struct bpe_options *o, const struct bpei_opened *opened, struct bpe_error *error)
{
	const uint32_t met = needs_met(o, opened);
	char name[64], why[REASON_ROOM];

	for (size_t k = 0; k < bpei_option_rule_count; k++) {
		const struct bpei_option_rule *rule = &bpei_option_rules[k];
		const uint32_t need = find_unmet_need(rule, o, met);

		if (need < BPEI_NEED_COUNT && rule->then != BPEI_UNUSED_TOLD)
			return refuse_option(o, opened, rule, need, error);
	}
	for (size_t k = 0; k < bpei_option_rule_count; k++) {
		const struct bpei_option_rule *rule = &bpei_option_rules[k];
		const uint32_t need = find_unmet_need(rule, o, met);

		if (need < BPEI_NEED_COUNT && rule->then == BPEI_UNUSED_TOLD)
			bpei_notice(o, "%s has no effect: %s",
				write_option_name(rule, o->option_words, name, sizeof name),
				write_reason(o, opened, need, why, sizeof why));
	}
	tell_needless_losses(o, opened);
	return BPE_OK;
}
