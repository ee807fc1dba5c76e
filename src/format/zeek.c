/* SPDX-License-Identifier: MIT */
/* The names and types of Zeek's conn.log as JSON (scripts/base/protocols/conn/main.zeek; vlan and
 * inner_vlan of policy/protocols/conn/vlan-logging, community_id of
 * policy/protocols/conn/community-id-logging).  Pure.
 *
 * Left out, since this engine does not know: service, local_orig, local_resp, tunnel_parents.  Of
 * TCP orig_bytes and resp_bytes are what Zeek takes from sequence numbers: they are given where
 * that is the payload that was counted, that is if nothing was sent again and nothing is missing.
 * missed_bytes is given if it is 0.  What is no end of a connection says so in _path, which Zeek's
 * streaming of logs has. */
#include "packet/icmp.h"
#include "format/text.h"

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static void uid(struct bpei_text *t, const struct bpe_flow *f)
{
	struct bpei_flow_id id = bpei_flow_id(f);
	char s[18] = { 'C' };
	for (int i = 1; i < 10; i++, id.a /= 62)
		s[i] = base62[id.a % 62];
	for (int i = 10; i < 18; i++, id.b /= 62)
		s[i] = base62[id.b % 62];
	bpei_text_bytes(t, s, sizeof s);
}

/* Whether what this end's payload adds up to is the span of its sequence numbers. */
static bool is_span(const struct bpe_flow *f, int k)
{
	return f->flags & BPE_FLOW_HEALTH && !(f->flags & (BPE_FLOW_CUT | BPE_FLOW_CONTINUED)) &&
	       !f->retransmissions[k] && !f->lost_segments[k] && !f->keep_alives[k] &&
	       !f->out_of_order[k] && !f->duplicates[k];
}

void bpei_format_zeek(struct bpei_text *t, const struct bpe_flow *f)
{
	const bool tcp = f->ip_proto == 6, icmp = f->ip_proto == 1 || f->ip_proto == 58;
	char community[BPE_COMMUNITY_ID_BYTES];
	uint64_t port[2] = { f->port[0], f->port[1] };
	bool ports = !icmp || f->flags & BPE_FLOW_ICMP;
	if (icmp) { /* Zeek's way: the type, and the type that answers it, or the code */
		int other = bpei_icmp_counterpart(f->ip_proto, f->icmp_type);
		port[0] = f->icmp_type;
		port[1] = other >= 0 ? (uint64_t)other : f->icmp_code;
	}
	bpei_text_char(t, '{');
	if (f->end == BPE_END_ACTIVE)
		BPEI_TEXT(t, "\"_path\":\"conn_active\",");
	if (f->end == BPE_END_SNAPSHOT || f->end == BPE_END_NONE)
		BPEI_TEXT(t, "\"_path\":\"conn_snapshot\",");
	BPEI_TEXT(t, "\"ts\":");
	bpei_text_seconds(t, f->first_ns, 6);
	BPEI_TEXT(t, ",\"uid\":\"");
	uid(t, f);
	BPEI_TEXT(t, "\",\"id.orig_h\":\"");
	bpei_text_address(t, f->addr[0], f->ip_version);
	bpei_text_char(t, '"');
	if (ports)
		bpei_text_member(t, ",\"id.orig_p\":", port[0]);
	BPEI_TEXT(t, ",\"id.resp_h\":\"");
	bpei_text_address(t, f->addr[1], f->ip_version);
	bpei_text_char(t, '"');
	if (ports)
		bpei_text_member(t, ",\"id.resp_p\":", port[1]);
	BPEI_TEXT(t, ",\"proto\":\"");
	bpei_text_string(t, tcp                 ? "tcp"
			    : f->ip_proto == 17 ? "udp"
			    : icmp              ? "icmp"
						: "unknown_transport");
	BPEI_TEXT(t, "\",\"duration\":");
	bpei_text_span(t, f->first_ns, f->last_ns, 6);
	if (f->flags & BPE_FLOW_LENGTHS) {
		if (!tcp || is_span(f, 0))
			bpei_text_member(t, ",\"orig_bytes\":", f->payload_bytes[0]);
		if (!tcp || is_span(f, 1))
			bpei_text_member(t, ",\"resp_bytes\":", f->payload_bytes[1]);
	}
	BPEI_TEXT(t, ",\"conn_state\":\"");
	bpei_text_string(t, bpe_flow_conn_state(f));
	bpei_text_char(t, '"');
	if (!tcp || (f->flags & BPE_FLOW_HEALTH && !(f->lost_segments[0] | f->lost_segments[1] |
							   f->unseen_acks[0] | f->unseen_acks[1])))
		BPEI_TEXT(t, ",\"missed_bytes\":0");
	if (f->history[0]) {
		BPEI_TEXT(t, ",\"history\":");
		bpei_text_json(t, f->history, sizeof f->history);
	}
	bpei_text_member(t, ",\"orig_pkts\":", f->packets[0]);
	if (f->flags & BPE_FLOW_LENGTHS)
		bpei_text_member(t, ",\"orig_ip_bytes\":", f->ip_bytes[0]);
	bpei_text_member(t, ",\"resp_pkts\":", f->packets[1]);
	if (f->flags & BPE_FLOW_LENGTHS)
		bpei_text_member(t, ",\"resp_ip_bytes\":", f->ip_bytes[1]);
	bpei_text_member(t, ",\"ip_proto\":", f->ip_proto);
	if (f->vlan[0])
		bpei_text_member(t, ",\"vlan\":", f->vlan[0]);
	if (f->vlan[1])
		bpei_text_member(t, ",\"inner_vlan\":", f->vlan[1]);
	if (bpe_flow_community_id(f, 0, community)) {
		BPEI_TEXT(t, ",\"community_id\":\"");
		bpei_text_string(t, community);
		bpei_text_char(t, '"');
	}
	bpei_text_counts(
		t, ",\"icmp_errors\":[", f->icmp_errors); /* these, and all below, are not Zeek's */
	bpei_text_counts(t, ",\"duplicates\":[", f->duplicates);
	bpei_text_tunnel(t, f);
	if (f->pid > 0) {
		bpei_text_member(t, ",\"pid\":", (uint64_t)f->pid);
		BPEI_TEXT(t, ",\"process\":");
		bpei_text_json(t, f->comm, sizeof f->comm);
	}
	bpei_text_char(t, '}');
}
