/* SPDX-License-Identifier: MIT */
/* The table of fields, and how members are read (fields.h).  Names are the JSON record's;
 * a second table has short names. */
#include "where/fields.h"

#include <string.h>

#define AT(member) .offset = offsetof(struct bpe_flow, member)
#define SIZE(member) sizeof(((struct bpe_flow *)0)->member)

#define TEXT(n, member)                                                                            \
	{ .name = n,                                                                               \
		AT(member),                                                                        \
		.bytes = SIZE(member),                                                             \
		.kind = BPEI_WHERE_TEXT,                                                           \
		.absent = BPEI_WHERE_ZERO }
#define LIST(n, member)                                                                            \
	{ .name = n,                                                                               \
		AT(member),                                                                        \
		.bytes = SIZE(member),                                                             \
		.kind = BPEI_WHERE_LIST,                                                           \
		.absent = BPEI_WHERE_ZERO }
#define TEXTS(n, member)                                                                           \
	{ .name = n,                                                                               \
		AT(member),                                                                        \
		.bytes = SIZE(member[0]),                                                          \
		.kind = BPEI_WHERE_TEXT,                                                           \
		.way = BPEI_WHERE_ANY,                                                             \
		.absent = BPEI_WHERE_ZERO }
#define COUNT(n, member, unknown)                                                                  \
	{ .name = n,                                                                               \
		AT(member),                                                                        \
		.bytes = SIZE(member),                                                             \
		.kind = BPEI_WHERE_COUNT,                                                          \
		.absent = unknown }
#define SIGNED(n, member, unknown)                                                                 \
	{ .name = n,                                                                               \
		AT(member),                                                                        \
		.bytes = SIZE(member),                                                             \
		.kind = BPEI_WHERE_COUNT,                                                          \
		.absent = unknown,                                                                 \
		.is_signed = 1 }
#define SUM(n, member, of, flag)                                                                   \
	{ .name = n,                                                                               \
		AT(member),                                                                        \
		.bytes = SIZE(member[0]),                                                          \
		.kind = of,                                                                        \
		.way = BPEI_WHERE_SUM,                                                             \
		.needs = flag }
#define ANY(n, member, unknown)                                                                    \
	{ .name = n,                                                                               \
		AT(member),                                                                        \
		.bytes = SIZE(member[0]),                                                          \
		.kind = BPEI_WHERE_COUNT,                                                          \
		.way = BPEI_WHERE_ANY,                                                             \
		.absent = unknown }
#define SPANS(n, member)                                                                           \
	{ .name = n,                                                                               \
		AT(member),                                                                        \
		.bytes = 8,                                                                        \
		.kind = BPEI_WHERE_SPAN,                                                           \
		.way = BPEI_WHERE_SUM,                                                             \
		.absent = BPEI_WHERE_NEGATIVE,                                                     \
		.is_signed = 1 }
#define CHOICE(n, member, unknown, names)                                                          \
	{ .name = n,                                                                               \
		AT(member),                                                                        \
		.bytes = SIZE(member),                                                             \
		.kind = BPEI_WHERE_CHOICE,                                                         \
		.absent = unknown,                                                                 \
		.choice = names }
#define FLAG(n, member, bit)                                                                       \
	{ .name = n, AT(member), .bytes = 4, .kind = BPEI_WHERE_FLAG, .more = bit }

_Static_assert(offsetof(struct bpe_flow, last_ns) == offsetof(struct bpe_flow, first_ns) + 8,
	"duration reads both");

static const struct bpei_where_field fields[] = {
	/* Key. */
	{ .name = "host",
		AT(addr),
		.bytes = 16,
		.kind = BPEI_WHERE_ADDRESS,
		.way = BPEI_WHERE_ANY,
		.more = offsetof(struct bpe_flow, ip_version) },
	ANY("port", port, BPEI_WHERE_NEVER),
	{ .name = "proto",
		AT(ip_proto),
		.bytes = 1,
		.kind = BPEI_WHERE_PROTO,
		.choice = bpe_ip_proto_name },
	COUNT("ip_proto", ip_proto, BPEI_WHERE_NEVER),
	COUNT("ip", ip_version, BPEI_WHERE_NEVER),
	ANY("vlan", vlan, BPEI_WHERE_ZERO),
	TEXT("interface", interface_name),
	COUNT("interface_index", interface_index, BPEI_WHERE_ZERO),
	{ .name = "interface_id",
		AT(interface_id),
		.bytes = 4,
		.kind = BPEI_WHERE_COUNT,
		.needs = BPE_FLOW_INTERFACE_ID },
	{ .name = "icmp_type",
		AT(icmp_type),
		.bytes = 1,
		.kind = BPEI_WHERE_COUNT,
		.needs = BPE_FLOW_ICMP },
	{ .name = "icmp_code",
		AT(icmp_code),
		.bytes = 1,
		.kind = BPEI_WHERE_COUNT,
		.needs = BPE_FLOW_ICMP },
	FLAG("tunnel", flags, BPE_FLOW_TUNNEL),
	CHOICE("tunnel_kind", tunnel.kind, BPEI_WHERE_ZERO, bpe_tunnel_name),
	{ .name = "tunnel_id",
		AT(tunnel.id),
		.bytes = 4,
		.kind = BPEI_WHERE_COUNT,
		.absent = BPEI_WHERE_NO_ID },
	COUNT("tunnel_depth", tunnel.depth, BPEI_WHERE_ZERO),
	{ .name = "tunnel_host",
		AT(tunnel.addr),
		.bytes = 16,
		.kind = BPEI_WHERE_ADDRESS,
		.way = BPEI_WHERE_ANY,
		.more = offsetof(struct bpe_flow, tunnel.ip_version) },
	/* When, and how much. */
	{ .name = "first", AT(first_ns), .bytes = 8, .kind = BPEI_WHERE_TIME, .is_signed = 1 },
	{ .name = "last", AT(last_ns), .bytes = 8, .kind = BPEI_WHERE_TIME, .is_signed = 1 },
	{ .name = "duration",
		AT(first_ns),
		.bytes = 8,
		.kind = BPEI_WHERE_SPAN,
		.way = BPEI_WHERE_DIFFERENCE,
		.is_signed = 1 },
	SUM("packets", packets, BPEI_WHERE_COUNT, 0),
	SUM("wire_bytes", wire_bytes, BPEI_WHERE_BYTES, 0),
	SUM("captured_bytes", captured_bytes, BPEI_WHERE_BYTES, 0),
	SUM("ip_bytes", ip_bytes, BPEI_WHERE_BYTES, BPE_FLOW_LENGTHS),
	SUM("payload_bytes", payload_bytes, BPEI_WHERE_BYTES, BPE_FLOW_LENGTHS),
	SUM("unwritten_packets", unwritten_packets, BPEI_WHERE_COUNT, BPE_FLOW_CUTOFF),
	SUM("unwritten_bytes", unwritten_bytes, BPEI_WHERE_BYTES, BPE_FLOW_CUTOFF),
	CHOICE("end", end, BPEI_WHERE_ZERO, bpe_flow_end_name),
	FLAG("continued", flags, BPE_FLOW_CONTINUED),
	FLAG("cut", flags, BPE_FLOW_CUT),
	FLAG("by_port", flags, BPE_FLOW_BY_PORT),
	COUNT("worker", worker, BPEI_WHERE_NEVER),
	COUNT("hash", hash, BPEI_WHERE_NEVER),
	/* TCP. */
	CHOICE("tcp_state", tcp_state, BPEI_WHERE_ZERO, bpe_tcp_state_name),
	{ .name = "tcp_flags",
		AT(tcp_flags),
		.bytes = 1,
		.kind = BPEI_WHERE_LETTERS,
		.way = BPEI_WHERE_ANY,
		.absent = BPEI_WHERE_ZERO },
	{ .name = "history",
		AT(history),
		.bytes = SIZE(history),
		.kind = BPEI_WHERE_TEXT,
		.absent = BPEI_WHERE_ZERO,
		.exact = 1 },
	FLAG("midstream", flags, BPE_FLOW_MIDSTREAM),
	SPANS("handshake", handshake_ns),
	SPANS("rtt", rtt_ns),
	ANY("mss", mss, BPEI_WHERE_ZERO),
	{ .name = "window_scale",
		AT(window_scale),
		.bytes = 1,
		.kind = BPEI_WHERE_COUNT,
		.way = BPEI_WHERE_ANY,
		.absent = BPEI_WHERE_NEGATIVE,
		.is_signed = 1 },
	SUM("retransmissions", retransmissions, BPEI_WHERE_COUNT, BPE_FLOW_HEALTH),
	SUM("fast_retransmissions", fast_retransmissions, BPEI_WHERE_COUNT, BPE_FLOW_HEALTH),
	SUM("spurious_retransmissions", spurious_retransmissions, BPEI_WHERE_COUNT,
		BPE_FLOW_HEALTH),
	SUM("out_of_order", out_of_order, BPEI_WHERE_COUNT, BPE_FLOW_HEALTH),
	SUM("repeated_acks", repeated_acks, BPEI_WHERE_COUNT, BPE_FLOW_HEALTH),
	SUM("zero_windows", zero_windows, BPEI_WHERE_COUNT, BPE_FLOW_HEALTH),
	SUM("lost_segments", lost_segments, BPEI_WHERE_COUNT, BPE_FLOW_HEALTH),
	SUM("unseen_acks", unseen_acks, BPEI_WHERE_COUNT, BPE_FLOW_HEALTH),
	SUM("keep_alives", keep_alives, BPEI_WHERE_COUNT, BPE_FLOW_HEALTH),
	SUM("icmp_errors", icmp_errors, BPEI_WHERE_COUNT, 0),
	SUM("duplicates", duplicates, BPEI_WHERE_COUNT, 0),
	/* Process. */
	SIGNED("pid", pid, BPEI_WHERE_NOT_POSITIVE),
	TEXT("process", comm),
	SIGNED("effective_pid", effective_pid, BPEI_WHERE_NOT_POSITIVE),
	TEXT("effective_process", effective_comm),
	CHOICE("owner", names.owner, BPEI_WHERE_NEVER, bpe_owner_name),
	SIGNED("uid", names.uid, BPEI_WHERE_NO_OWNER),
	TEXT("container", names.container),
	/* Names. */
	CHOICE("app", names.app, BPEI_WHERE_ZERO, bpe_app_name),
	TEXT("name", names.server),
	CHOICE("name_source", names.source, BPEI_WHERE_ZERO, bpe_name_source_name),
	LIST("name_others", names.others),
	COUNT("name_others_count", names.others_count, BPEI_WHERE_ZERO),
	{ .name = "name_age",
		AT(names.age_ns),
		.bytes = 8,
		.kind = BPEI_WHERE_SPAN,
		.absent = BPEI_WHERE_NO_ANSWER,
		.is_signed = 1 },
	{ .name = "name_ttl",
		AT(names.ttl_ns),
		.bytes = 8,
		.kind = BPEI_WHERE_SPAN,
		.absent = BPEI_WHERE_NO_ANSWER,
		.is_signed = 1 },
	TEXT("client_name", names.client),
	FLAG("ech", names.flags, BPE_NAMED_ECH),
	FLAG("ech_outer", names.flags, BPE_NAMED_OUTER),
	FLAG("server_hello", names.flags, BPE_NAMED_SERVER),
	FLAG("names_cut", names.flags, BPE_NAMED_CUT),
	FLAG("app_inner", names.flags, BPE_NAMED_INNER),
	LIST("alpn", names.alpn),
	{ .name = "tls_version",
		AT(names.tls_version),
		.bytes = 2,
		.kind = BPEI_WHERE_TLS,
		.absent = BPEI_WHERE_ZERO },
	COUNT("tls_cipher", names.tls_cipher, BPEI_WHERE_ZERO),
	COUNT("quic_version", names.quic_version, BPEI_WHERE_ZERO),
	TEXT("ja4", names.ja4),
	TEXT("ja3", names.ja3),
	TEXT("subject", names.subject),
	TEXT("issuer", names.issuer),
	TEXT("http_method", names.method),
	COUNT("http_status", names.http_status, BPEI_WHERE_ZERO),
	TEXTS("hassh", names.hassh),
	TEXTS("banner", names.banner),
};

/* Short names, and names of the JSON record for an end. */
static const struct {
	const char *name, *of;
} short_names[] = {
	{ "src", "orig.host" },
	{ "sport", "orig.port" },
	{ "dst", "resp.host" },
	{ "dport", "resp.port" },
	{ "bytes", "wire_bytes" },
	{ "state", "tcp_state" },
	{ "lost", "lost_segments" },
	{ "client", "client_name" },
	{ "method", "http_method" },
	{ "hassh_server", "resp.hassh" },
	{ "ssh_client", "orig.banner" },
	{ "ssh_server", "resp.banner" },
	{ "client_rtt", "orig.handshake" },
	{ "server_rtt", "resp.handshake" },
	{ "client_ack_rtt", "orig.rtt" },
	{ "server_ack_rtt", "resp.rtt" },
	{ "tunnel_src", "orig.tunnel_host" },
	{ "tunnel_dst", "resp.tunnel_host" },
};

#define FIELDS (sizeof fields / sizeof *fields)
#define SHORT_NAMES (sizeof short_names / sizeof *short_names)

/* ---- Names ---- */

static bool equals_name(const char *name, const char *word, size_t length)
{
	return strlen(name) == length && !memcmp(name, word, length);
}

/* Returns the row of a name without "orig." or "resp.". */
static const struct bpei_where_field *find_row(const char *name, size_t length)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (equals_name(fields[i].name, name, length))
			return &fields[i];
	return NULL;
}

static bool has_two_ends(const struct bpei_where_field *f)
{
	return (f->way == BPEI_WHERE_SUM || f->way == BPEI_WHERE_ANY) &&
	       f->offset != offsetof(struct bpe_flow, vlan);
}

const struct bpei_where_field *bpei_where_field(const char *name, size_t length, uint8_t *end)
{
	uint8_t which = BPEI_WHERE_BOTH;

	if (length > 5 && !memcmp(name, "orig.", 5))
		which = BPEI_WHERE_ORIG;
	else if (length > 5 && !memcmp(name, "resp.", 5))
		which = BPEI_WHERE_RESP;
	if (which != BPEI_WHERE_BOTH) {
		name += 5;
		length -= 5;
	}
	for (size_t i = 0; i < SHORT_NAMES; i++) {
		const char *of = short_names[i].of;

		if (!equals_name(short_names[i].name, name, length))
			continue;
		if (which == BPEI_WHERE_BOTH)
			return bpei_where_field(of, strlen(of), end);
		name = of;
		length = strlen(of);
	}
	const struct bpei_where_field *f = find_row(name, length);

	if (!f || (which != BPEI_WHERE_BOTH && !has_two_ends(f)))
		return NULL;
	*end = which;
	return f;
}

const char *bpei_where_field_name(size_t i, bool *has_ends)
{
	*has_ends = false;
	if (i < SHORT_NAMES) {
		const char *of = short_names[i].of;
		const struct bpei_where_field *f = find_row(of, strlen(of));

		*has_ends = f && has_two_ends(f);
		return short_names[i].name;
	}
	if (i - SHORT_NAMES >= FIELDS)
		return NULL;
	*has_ends = has_two_ends(&fields[i - SHORT_NAMES]);
	return fields[i - SHORT_NAMES].name;
}

/* ---- Values ---- */

int64_t bpei_where_tls_version(uint64_t wire)
{
	static const uint16_t order[][2] = { { 0x0002, 0x0002 }, { 0x0300, 0x0300 },
		{ 0x0301, 0xfeff }, { 0x0302, 0x0302 }, { 0x0303, 0xfefd }, { 0x0304, 0xfefc } };

	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		if (wire == order[i][0] || wire == order[i][1])
			return (int64_t)i + 1;
	return 0;
}

/* Reads a number of `bytes` bytes.  Numbers past INT64_MAX become INT64_MAX. */
static int64_t load_member(const uint8_t *at, const struct bpei_where_field *f)
{
	uint16_t half;
	uint32_t word;
	uint64_t wide;

	switch (f->bytes) {
	case 1:
		return f->is_signed ? (int8_t)*at : *at;
	case 2:
		memcpy(&half, at, sizeof half);
		return half;
	case 4:
		memcpy(&word, at, sizeof word);
		return f->is_signed ? (int32_t)word : (int64_t)word;
	default:
		memcpy(&wide, at, sizeof wide);
		return !f->is_signed && wide > INT64_MAX ? INT64_MAX : (int64_t)wide;
	}
}

/* Returns whether a number is unknown, by value and by other members. */
static bool is_absent(const struct bpei_where_field *f, const struct bpe_flow *flow, int64_t number)
{
	switch (f->absent) {
	case BPEI_WHERE_ZERO:
		return !number;
	case BPEI_WHERE_NEGATIVE:
		return number < 0;
	case BPEI_WHERE_NOT_POSITIVE:
		return number <= 0;
	case BPEI_WHERE_NO_OWNER:
		return flow->names.owner != BPE_OWNER_KNOWN || number < 0;
	case BPEI_WHERE_NO_ANSWER:
		return flow->names.source < BPE_NAME_DNS;
	case BPEI_WHERE_NO_ID:
		return !flow->tunnel.has_id;
	default:
		return false;
	}
}

bool bpei_where_number(
	const struct bpei_where_field *f, const struct bpe_flow *flow, int k, int64_t *number)
{
	const uint8_t *at = (const uint8_t *)flow + f->offset + (size_t)k * f->bytes;
	int64_t value;

	if (f->needs && !(flow->flags & f->needs))
		return false;
	value = load_member(at, f);
	if (f->kind == BPEI_WHERE_FLAG)
		value = (value & f->more) != 0;
	if (f->kind == BPEI_WHERE_TLS)
		value = bpei_where_tls_version((uint64_t)value);
	if (is_absent(f, flow, value))
		return false;
	*number = value;
	return true;
}

/* Returns a + b, or the nearest number. */
static int64_t add_numbers(int64_t a, int64_t b)
{
	int64_t sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return a < 0 ? INT64_MIN : INT64_MAX;
}

/* Returns a - b, or the nearest number. */
static int64_t subtract_numbers(int64_t a, int64_t b)
{
	int64_t rest;

	if (!__builtin_sub_overflow(a, b, &rest))
		return rest;
	return a < 0 ? INT64_MIN : INT64_MAX;
}

bool bpei_where_total(
	const struct bpei_where_field *f, const struct bpe_flow *flow, int end, int64_t *number)
{
	int64_t value[2] = { 0, 0 };

	if (f->way == BPEI_WHERE_ONE)
		return bpei_where_number(f, flow, 0, number);
	if (end != BPEI_WHERE_BOTH)
		return bpei_where_number(f, flow, end, number);
	const bool known[2] = { bpei_where_number(f, flow, 0, &value[0]),
		bpei_where_number(f, flow, 1, &value[1]) };

	if (!known[0] && !known[1])
		return false;
	if (f->way == BPEI_WHERE_DIFFERENCE)
		*number = subtract_numbers(value[1], value[0]);
	else
		*number = add_numbers(value[0], value[1]);
	return true;
}

const char *bpei_where_text(const struct bpei_where_field *f, const struct bpe_flow *flow, int k,
	char room[9], size_t *length)
{
	const char *at = (const char *)flow + f->offset + (size_t)k * f->bytes;

	if (f->kind != BPEI_WHERE_LETTERS) {
		*length = strnlen(at, f->bytes);
		return at;
	}
	*length = 0;
	for (int i = 0; i < 8; i++)
		if ((uint8_t)*at >> i & 1)
			room[(*length)++] = "FSRP.UEW"[i];
	return room;
}
