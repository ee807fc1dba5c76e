/* SPDX-License-Identifier: MIT */
/* Data records of flows.  The common part is written by plain stores, in the order of the templates
 * in elements.c; fields of a profile follow one by one. */
#include "writing.h"
#include "put.h"

#define NTP_1970 INT64_C(2208988800) /* seconds from 1900 to 1970 */
#define PROTO_ICMP 1
#define PROTO_ICMP6 58

uint32_t ipfix_interface_number(const struct bpe_flow *flow)
{
	if (flow->interface_index)
		return flow->interface_index;
	return flow->flags & BPE_FLOW_INTERFACE_ID ? flow->interface_id + 1 : 0;
}

bool ipfix_is_icmp(const struct bpe_flow *flow)
{
	return flow->ip_proto == PROTO_ICMP || flow->ip_proto == PROTO_ICMP6;
}

uint32_t ipfix_icmp(const struct bpe_flow *flow)
{
	if (!(flow->flags & BPE_FLOW_ICMP))
		return 0;
	return (uint32_t)flow->icmp_type << 8 | flow->icmp_code;
}

uint64_t ipfix_octets(const struct bpe_flow *flow, uint32_t d)
{
	return flow->flags & BPE_FLOW_LENGTHS ? flow->ip_bytes[d] : flow->wire_bytes[d];
}

int64_t ipfix_ms(int64_t ns)
{
	return ns > 0 ? ns / 1000000 : 0;
}

uint32_t ipfix_end_reason(const struct bpe_flow *flow)
{
	switch (flow->end) {
	case BPE_END_IDLE:
		return 1;
	case BPE_END_ACTIVE:
		return 2;
	case BPE_END_CLOSED:
		return 3;
	case BPE_END_STOP:
		return 4;
	case BPE_END_EVICTED:
		return 5;
	default:
		return 0;
	}
}

/* Writes a time of the config's kind: ms since 1970, or seconds since 1900 and a fraction. */
static uint8_t *put_time(uint8_t *at, const struct ipfix_encoder *e, int64_t ns)
{
	uint64_t part, seconds;

	if (e->config.version == IPFIX_NETFLOW9) {
		const int64_t uptime = ipfix_ms(ns) - e->boot_ms;

		return put_net32(at, uptime > 0 ? (uint32_t)uptime : 0);
	}
	if (!e->config.is_ns)
		return put_net64(at, (uint64_t)ipfix_ms(ns));
	if (ns < 0)
		ns = 0;
	seconds = (uint64_t)(ns / 1000000000 + NTP_1970);
	part = (uint64_t)(ns % 1000000000);
	/* Rounded up, for collectors that round down to get the ns again. */
	return put_net64(at, seconds << 32 | ((part << 32) + 999999999) / 1000000000);
}

/* Writes the number of a flow: the same for both directions and for all periods. */
static uint8_t *put_flow_id(uint8_t *at, const struct bpe_flow *f)
{
	at = put_net32(at, f->hash);
	return put_net32(at, (uint32_t)f->worker << 26 | (f->slot & 0x3ffffff));
}

/* Returns biflowDirection: whether the source is the initiator (1) or not (2); 0: not known. */
static uint32_t tell_initiator(const struct bpe_flow *f, uint32_t d)
{
	if (f->flags & BPE_FLOW_MIDSTREAM)
		return 0;
	return d + 1;
}

/* Returns half a round trip in ms, as ntop has it; 0: less than half a ms, or not seen. */
static uint32_t halve_trip(const struct bpe_flow *f, uint32_t d)
{
	int64_t ns = f->handshake_ns[d];

	if (ns < 0)
		ns = f->rtt_ns[d];
	return ns > 0 ? (uint32_t)((ns / 2 + 500000) / 1000000) : 0;
}

/* Writes the server's name from either of two sources, else an empty text. */
static uint8_t *put_server(uint8_t *at, const struct bpe_flow *f, uint32_t one, uint32_t other)
{
	const uint32_t source = f->names.source;

	if (source != one && source != other)
		return put_byte(at, 0);
	return ipfix_text_put(at, f->names.server, sizeof f->names.server);
}

/* Returns the value of a hexadecimal digit; 16 for another byte. */
static uint32_t read_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0');
	return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10) : 16;
}

/* Writes the 16 bytes of a JA3, or none. */
static uint8_t *put_ja3(uint8_t *at, const char *ja3)
{
	uint8_t bytes[16];

	for (uint32_t i = 0; i < 16; i++) {
		const uint32_t high = read_digit(ja3[2 * i]);
		uint32_t low;

		if (high > 15)
			return put_byte(at, 0);
		low = read_digit(ja3[2 * i + 1]);
		if (low > 15)
			return put_byte(at, 0);
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	at = put_byte(at, sizeof bytes);
	return put_octets(at, bytes, sizeof bytes);
}

/* Writes an element of ntop's. */
static uint8_t *put_ntop_field(uint8_t *at, uint32_t field, const struct bpe_flow *f, uint32_t d)
{
	const struct bpe_flow_names *names = &f->names;

	switch (field) {
	case FIELD_NTOP_CLIENT_FLAGS:
		return put_byte(at, f->tcp_flags[0]);
	case FIELD_NTOP_SERVER_FLAGS:
		return put_byte(at, f->tcp_flags[1]);
	case FIELD_NTOP_CLIENT_LATENCY:
		return put_net32(at, halve_trip(f, 0));
	case FIELD_NTOP_SERVER_LATENCY:
		return put_net32(at, halve_trip(f, 1));
	case FIELD_NTOP_RETRANSMITTED_IN:
		return put_net32(at, f->retransmissions[d]);
	case FIELD_NTOP_RETRANSMITTED_OUT:
		return put_net32(at, f->retransmissions[1 - d]);
	case FIELD_NTOP_APP:
		return ipfix_text_put(at, bpe_app_name(names->app), 64);
	case FIELD_NTOP_TLS_NAME:
		return put_server(at, f, BPE_NAME_TLS, BPE_NAME_QUIC);
	case FIELD_NTOP_HTTP_HOST:
		return put_server(at, f, BPE_NAME_HTTP, BPE_NAME_HTTP);
	case FIELD_NTOP_DNS_QUERY:
		return put_server(at, f, BPE_NAME_DNS, BPE_NAME_MDNS);
	case FIELD_NTOP_HTTP_METHOD:
		return ipfix_text_put(at, names->method, sizeof names->method);
	case FIELD_NTOP_HTTP_STATUS:
		return put_net16(at, names->http_status);
	case FIELD_NTOP_SOURCE_PID:
		return put_net32(at, ipfix_pid(f->pid));
	default: /* FIELD_NTOP_SOURCE_COMM */
		return ipfix_text_put(at, f->comm, sizeof f->comm);
	}
}

/* Writes an element of CESNET's. */
static uint8_t *put_cesnet_field(uint8_t *at, uint32_t field, const struct bpe_flow *f, uint32_t d)
{
	switch (field) {
	case FIELD_CESNET_TLS_NAME:
		return put_server(at, f, BPE_NAME_TLS, BPE_NAME_TLS);
	case FIELD_CESNET_QUIC_NAME:
		return put_server(at, f, BPE_NAME_QUIC, BPE_NAME_QUIC);
	case FIELD_CESNET_DNS_NAME:
		return put_server(at, f, BPE_NAME_DNS, BPE_NAME_MDNS);
	case FIELD_CESNET_HTTP_METHOD:
		return ipfix_text_put(at, f->names.method, sizeof f->names.method);
	case FIELD_CESNET_JA3:
		return put_ja3(at, f->names.ja3);
	case FIELD_CESNET_MSS:
		return put_net32(at, f->mss[d]);
	default: /* FIELD_CESNET_MSS_REVERSE */
		return put_net32(at, f->mss[1 - d]);
	}
}

/* Writes the ports.  ICMP has none, although records of flows have the identifier of an echo there:
 * nfcapd takes a source port for type and code of old Cisco systems. */
static uint8_t *put_ports(uint8_t *at, const struct bpe_flow *f, uint32_t d)
{
	if (ipfix_is_icmp(f))
		return put_net32(at, 0);
	at = put_net16(at, f->port[d]);
	return put_net16(at, f->port[1 - d]);
}

uint8_t *ipfix_record_write(uint8_t *at, const struct ipfix_encoder *e, const struct bpe_flow *f,
	uint32_t shape, uint32_t d)
{
	if (shape & SHAPE_IP6) {
		at = put_octets(at, f->addr[d], 16);
		at = put_octets(at, f->addr[1 - d], 16);
	} else {
		at = put_octets(at, f->addr[d], 4);
		at = put_octets(at, f->addr[1 - d], 4);
	}
	at = put_ports(at, f, d);
	at = put_byte(at, f->ip_proto);
	at = put_byte(at, f->tcp_flags[d]);
	at = put_byte(at, ipfix_end_reason(f));
	at = put_byte(at, d);
	at = put_byte(at, tell_initiator(f, d));
	at = put_net32(at, ipfix_interface_number(f));
	at = put_flow_id(at, f);
	at = put_time(at, e, f->first_ns);
	at = put_time(at, e, f->last_ns);
	at = put_net64(at, ipfix_octets(f, d));
	at = put_net64(at, f->packets[d]);
	if (shape & SHAPE_ICMP)
		at = put_net16(at, ipfix_icmp(f));
	if (shape & SHAPE_VLAN) {
		at = put_net16(at, f->vlan[0]);
		at = put_net16(at, f->vlan[0]);
		at = put_net16(at, f->vlan[1]);
	}
	if (shape & SHAPE_BIFLOW) {
		at = put_net64(at, ipfix_octets(f, 1 - d));
		at = put_net64(at, f->packets[1 - d]);
		at = put_byte(at, f->tcp_flags[1 - d]);
	}
	switch (e->config.profile) {
	case IPFIX_OWN:
		return ipfix_own_put(at, &e->own, f, d);
	case IPFIX_NTOP:
		for (uint32_t i = 0; i < e->extra_count; i++)
			at = put_ntop_field(at, e->extra[i], f, d);
		return at;
	case IPFIX_CESNET:
		for (uint32_t i = 0; i < e->extra_count; i++)
			at = put_cesnet_field(at, e->extra[i], f, d);
		return at;
	default:
		return at;
	}
}

/* Returns the most bytes that a field of variable length takes.  A record has a server's name at
 * most once, for the elements of a profile stand for different sources. */
static uint32_t limit_text(uint32_t field)
{
	switch (field) {
	case FIELD_NTOP_TLS_NAME:
	case FIELD_CESNET_TLS_NAME:
	case FIELD_SERVER:
		return IPFIX_TEXT_MOST + 3;
	case FIELD_NTOP_HTTP_HOST:
	case FIELD_NTOP_DNS_QUERY:
	case FIELD_CESNET_QUIC_NAME:
	case FIELD_CESNET_DNS_NAME:
		return 1;
	case FIELD_COMM:
	case FIELD_EFFECTIVE_COMM:
	case FIELD_NTOP_SOURCE_COMM:
	case FIELD_HISTORY:
	case FIELD_ALPN:
	case FIELD_SERVER_SOURCE:
	case FIELD_COMMUNITY_ID:
		return 33;
	default:
		return 65;
	}
}

uint32_t ipfix_record_most(const struct ipfix_config *config)
{
	const uint32_t biflow = config->is_biflow ? SHAPE_BIFLOW : 0;
	const uint32_t shape = SHAPE_IP6 | SHAPE_ICMP | SHAPE_VLAN | biflow;
	struct ipfix_layout layout;
	uint32_t bytes = 0;

	if (!ipfix_layout_get(&layout, config, shape))
		return 0;
	for (uint32_t i = 0; i < layout.count; i++) {
		const uint32_t length = ipfix_field_length(config, layout.fields[i]);

		if (length != IPFIX_VARIABLE)
			bytes += length;
		else
			bytes += limit_text(layout.fields[i]);
	}
	return bytes;
}
