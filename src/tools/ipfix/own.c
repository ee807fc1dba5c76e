/* SPDX-License-Identifier: MIT */
/* The fields of our own profile, in the order of own_fields in elements.c.  Both directions of a
 * flow have the same texts.  The encoder writes them once a flow, and copies them to each record.
 */
#include "writing.h"
#include "put.h"

#include <string.h>

#define SIZE_OF(member) sizeof(((struct bpe_flow *)0)->member)
#define WORD_MOST 64 /* of the name of an application */
#define SOURCE_MOST 16
#define LENGTHS 3 /* bytes in front of a text, at most */

_Static_assert(
	12 + 3 * LENGTHS + SIZE_OF(comm) + SIZE_OF(effective_comm) + SIZE_OF(names.container) <=
		IPFIX_OWN_HEAD,
	"the longest fields in front of the counts");
_Static_assert(6 + 8 * LENGTHS + SIZE_OF(history) + WORD_MOST + SOURCE_MOST +
			       SIZE_OF(names.server) + SIZE_OF(names.client) + SIZE_OF(names.alpn) +
			       SIZE_OF(names.ja4) + BPE_COMMUNITY_ID_BYTES <=
		       IPFIX_OWN_TAIL,
	"the longest fields behind the counts");

uint32_t ipfix_pid(int32_t pid)
{
	return pid > 0 ? (uint32_t)pid : 0;
}

/* Makes the flow's Community ID.  A flow without room comes again in the next message. */
static void make_community(struct ipfix_own *own, const struct bpe_flow *f)
{
	struct ipfix_own_key key = { .is_icmp = f->flags & BPE_FLOW_ICMP,
		.icmp_type = f->icmp_type,
		.ip_proto = f->ip_proto,
		.ip_version = f->ip_version };

	memcpy(key.addr, f->addr, sizeof key.addr);
	memcpy(key.port, f->port, sizeof key.port);
	if (own->has_key && memcmp(&own->key, &key, sizeof key) == 0)
		return;
	own->key = key;
	own->has_key = true;
	if (!bpe_flow_community_id(f, 0, own->community_id))
		own->community_id[0] = 0;
}

#define TEXT(at, member) ipfix_text_put(at, member, sizeof(member))

void ipfix_own_begin(struct ipfix_own *own, const struct bpe_flow *f)
{
	const struct bpe_flow_names *names = &f->names;
	uint8_t *at = own->head;

	make_community(own, f);
	at = put_net32(at, ipfix_pid(f->pid));
	at = TEXT(at, f->comm);
	at = put_net32(at, ipfix_pid(f->effective_pid));
	at = TEXT(at, f->effective_comm);
	at = put_net32(at, (uint32_t)names->uid);
	at = TEXT(at, names->container);
	own->head_bytes = (uint32_t)(at - own->head);
	at = TEXT(own->tail, f->history);
	at = ipfix_text_put(at, bpe_app_name(names->app), WORD_MOST);
	at = TEXT(at, names->server);
	at = ipfix_text_put(at, bpe_name_source_name(names->source), SOURCE_MOST);
	at = TEXT(at, names->client);
	at = TEXT(at, names->alpn);
	at = put_net16(at, names->tls_version);
	at = TEXT(at, names->ja4);
	at = TEXT(at, own->community_id);
	at = put_net32(at, f->flags);
	own->tail_bytes = (uint32_t)(at - own->tail);
}

/* Returns microseconds, rounded up; 0: not seen. */
static uint32_t count_us(int64_t ns)
{
	if (ns < 0)
		return 0;
	if (ns == 0)
		return 1;
	return ns > INT64_C(4294967295000) ? UINT32_MAX : (uint32_t)((ns + 999) / 1000);
}

/* Writes the count of the source's end, and that of the other end. */
static inline uint8_t *put_both_ends(uint8_t *at, const uint32_t counts[2], uint32_t d)
{
	at = put_net32(at, counts[d]);
	return put_net32(at, counts[1 - d]);
}

uint8_t *ipfix_own_put(
	uint8_t *at, const struct ipfix_own *own, const struct bpe_flow *f, uint32_t d)
{
	const uint32_t rtt[2] = { count_us(f->rtt_ns[0]), count_us(f->rtt_ns[1]) };
	const uint32_t handshake[2] = { count_us(f->handshake_ns[0]),
		count_us(f->handshake_ns[1]) };

	at = put_octets(at, own->head, own->head_bytes);
	at = put_both_ends(at, rtt, d);
	at = put_both_ends(at, handshake, d);
	at = put_both_ends(at, f->retransmissions, d);
	at = put_both_ends(at, f->fast_retransmissions, d);
	at = put_both_ends(at, f->spurious_retransmissions, d);
	at = put_both_ends(at, f->lost_segments, d);
	at = put_both_ends(at, f->out_of_order, d);
	at = put_both_ends(at, f->zero_windows, d);
	at = put_both_ends(at, f->icmp_errors, d);
	at = put_net16(at, f->mss[d]);
	at = put_net16(at, f->mss[1 - d]);
	return put_octets(at, own->tail, own->tail_bytes);
}
