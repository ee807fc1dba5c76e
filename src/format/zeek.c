/* SPDX-License-Identifier: MIT */
/* The names and types of Zeek's conn.log as JSON (scripts/base/protocols/conn/main.zeek; vlan and
 * inner_vlan of policy/protocols/conn/vlan-logging, community_id of
 * policy/protocols/conn/community-id-logging).  Pure.
 *
 * Left out, since this engine does not know: local_orig, local_resp, tunnel_parents.  Zeek
 * takes TCP's orig_bytes and resp_bytes from sequence numbers.  They are written where the counted
 * payload is equal to that span: nothing was retransmitted and nothing is missing.  missed_bytes is
 * written if 0.  Records of connections that go on have a _path, as in Zeek's streaming of logs. */
#include "packet/icmp.h"
#include "format/formats.h"
#include "format/parts.h"
#include "names/numbers.h"

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static void write_zeek_uid(struct bpei_writer *w, const struct bpe_flow *f)
{
	struct bpei_flow_id id = bpei_flow_id(f);
	char s[18] = { 'C' };
	for (int i = 1; i < 10; i++, id.a /= 62)
		s[i] = base62[id.a % 62];
	for (int i = 10; i < 18; i++, id.b /= 62)
		s[i] = base62[id.b % 62];
	bpei_write_bytes(w, s, sizeof s);
}

/* Returns whether this end's counted payload is equal to the span of its sequence numbers. */
static bool payload_is_sequence_span(const struct bpe_flow *f, int k)
{
	return f->flags & BPE_FLOW_HEALTH && !(f->flags & (BPE_FLOW_CUT | BPE_FLOW_CONTINUED)) &&
	       !f->retransmissions[k] && !f->lost_segments[k] && !f->keep_alives[k] &&
	       !f->out_of_order[k] && !f->duplicates[k];
}

/* Returns Zeek's name of the protocol in the payload, or NULL.  Zeek names a protocol by its
 * analyzer; protocols without an analyzer in Zeek have the engine's name. */
static const char *zeek_service(const struct bpe_flow *f)
{
	const char *name = bpe_app_name(f->names.app);

	switch (f->names.app) {
	case BPE_APP_TLS:
		return "ssl";
	case BPE_APP_QUIC:
		return bpei_names_have_tls(f) ? "quic,ssl" : "quic";
	case BPE_APP_MDNS:
	case BPE_APP_LLMNR:
		return "dns";
	default:
		return name && name[0] ? name : NULL;
	}
}

static const char *zeek_transport(uint8_t ip_proto)
{
	switch (ip_proto) {
	case IP_TCP:
		return "tcp";
	case IP_UDP:
		return "udp";
	case IP_ICMP:
	case IP_ICMP6:
		return "icmp";
	default:
		return "unknown_transport";
	}
}

void bpei_zeek_write_ends(struct bpei_writer *w, const struct bpe_flow *f)
{
	const bool icmp = f->ip_proto == 1 || f->ip_proto == 58;
	uint64_t port[2] = { f->port[0], f->port[1] };
	bool ports = !icmp || f->flags & BPE_FLOW_ICMP;
	if (icmp) { /* as in Zeek: the type, and its counterpart or the code */
		int other = bpei_icmp_counterpart(f->ip_proto, f->icmp_type);
		port[0] = f->icmp_type;
		port[1] = other >= 0 ? (uint64_t)other : f->icmp_code;
	}
	BPEI_WRITE(w, ",\"uid\":\"");
	write_zeek_uid(w, f);
	BPEI_WRITE(w, "\",\"id.orig_h\":\"");
	bpei_write_address(w, f->addr[0], f->ip_version);
	bpei_write_char(w, '"');
	if (ports)
		bpei_write_member(w, ",\"id.orig_p\":", port[0]);
	BPEI_WRITE(w, ",\"id.resp_h\":\"");
	bpei_write_address(w, f->addr[1], f->ip_version);
	bpei_write_char(w, '"');
	if (ports)
		bpei_write_member(w, ",\"id.resp_p\":", port[1]);
	bpei_write_quoted(w, ",\"proto\":\"", zeek_transport(f->ip_proto));
}

void bpei_zeek_write_process(struct bpei_writer *w, const struct bpe_flow *f)
{
	if (f->pid <= 0)
		return;
	bpei_write_member(w, ",\"pid\":", (uint64_t)f->pid);
	BPEI_WRITE(w, ",\"process\":");
	bpei_write_json(w, f->comm, sizeof f->comm);
}

/* Writes the members in front of "duration": path, time, uid, both ends, protocol and service. */
static void write_zeek_head(struct bpei_writer *w, const struct bpe_flow *f)
{
	const char *service = zeek_service(f);

	bpei_write_char(w, '{');
	if (f->end == BPE_END_ACTIVE)
		BPEI_WRITE(w, "\"_path\":\"conn_active\",");
	if (f->end == BPE_END_BEGUN)
		BPEI_WRITE(w, "\"_path\":\"conn_begin\",");
	if (f->end == BPE_END_DUMPED || f->end == BPE_END_NONE)
		BPEI_WRITE(w, "\"_path\":\"conn_snapshot\",");
	BPEI_WRITE(w, "\"ts\":");
	bpei_write_seconds(w, f->first_ns, 6);
	bpei_zeek_write_ends(w, f);
	if (service)
		bpei_write_quoted(w, ",\"service\":\"", service);
}

/* Writes the members from "orig_pkts" to "inner_vlan". */
static void write_zeek_packets(struct bpei_writer *w, const struct bpe_flow *f)
{
	bpei_write_member(w, ",\"orig_pkts\":", f->packets[0]);
	if (f->flags & BPE_FLOW_LENGTHS)
		bpei_write_member(w, ",\"orig_ip_bytes\":", f->ip_bytes[0]);
	bpei_write_member(w, ",\"resp_pkts\":", f->packets[1]);
	if (f->flags & BPE_FLOW_LENGTHS)
		bpei_write_member(w, ",\"resp_ip_bytes\":", f->ip_bytes[1]);
	bpei_write_member(w, ",\"ip_proto\":", f->ip_proto);
	if (f->vlan[0])
		bpei_write_member(w, ",\"vlan\":", f->vlan[0]);
	if (f->vlan[1])
		bpei_write_member(w, ",\"inner_vlan\":", f->vlan[1]);
}

void bpei_format_zeek(struct bpei_writer *w, const struct bpe_flow *f)
{
	const bool tcp = f->ip_proto == 6;
	char community[BPE_COMMUNITY_ID_BYTES];
	write_zeek_head(w, f);
	BPEI_WRITE(w, ",\"duration\":");
	bpei_write_span(w, f->first_ns, f->last_ns, 6);
	if (f->flags & BPE_FLOW_LENGTHS) {
		if (!tcp || payload_is_sequence_span(f, 0))
			bpei_write_member(w, ",\"orig_bytes\":", f->payload_bytes[0]);
		if (!tcp || payload_is_sequence_span(f, 1))
			bpei_write_member(w, ",\"resp_bytes\":", f->payload_bytes[1]);
	}
	BPEI_WRITE(w, ",\"conn_state\":\"");
	bpei_write_string(w, bpe_flow_conn_state(f));
	bpei_write_char(w, '"');
	if (!tcp || (f->flags & BPE_FLOW_HEALTH && !(f->lost_segments[0] | f->lost_segments[1] |
							   f->unseen_acks[0] | f->unseen_acks[1])))
		BPEI_WRITE(w, ",\"missed_bytes\":0");
	if (f->history[0]) {
		BPEI_WRITE(w, ",\"history\":");
		bpei_write_json(w, f->history, sizeof f->history);
	}
	write_zeek_packets(w, f);
	if (bpe_flow_community_id(f, 0, community)) {
		BPEI_WRITE(w, ",\"community_id\":\"");
		bpei_write_string(w, community);
		bpei_write_char(w, '"');
	}
	/* from here on the members are not Zeek's */
	bpei_flow_write_counts(w, ",\"icmp_errors\":[", f->icmp_errors);
	bpei_flow_write_counts(w, ",\"duplicates\":[", f->duplicates);
	bpei_flow_write_unwritten(w, f, false);
	bpei_flow_write_tunnel(w, f);
	bpei_zeek_write_process(w, f);
	bpei_names_write(w, f, BPEI_NAMED_BIT(APP));
	bpei_write_char(w, '}');
}
