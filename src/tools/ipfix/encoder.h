/* SPDX-License-Identifier: MIT */
/* Flow records as messages of IPFIX (RFC 7011), NetFlow v9 (RFC 3954) and NetFlow v5.
 *
 * The encoder writes into the caller's buffer, makes no system call and allocates nothing.  A
 * message is begun, takes records until it is full, and is finished:
 *
 *     ipfix_open(&encoder, &config, why, sizeof why);
 *     ipfix_begin(&encoder, buffer, 1400);
 *     while ((n = ipfix_add(&encoder, flow)) == IPFIX_FULL) {
 *             length = ipfix_finish(&encoder, now_ns, &message);
 *             ... send the length bytes of buffer ...
 *             ipfix_begin(&encoder, buffer, 1400);
 *     }
 *
 * Templates, options templates and options records wait inside the encoder (ipfix_templates_due,
 * ipfix_options_due).  They go first: ipfix_begin writes as many as fit, and ipfix_add answers
 * IPFIX_FULL while some are left.  With ipfix_is_due a caller without records begins and finishes
 * messages until none is left.
 *
 * A flow becomes two records, a record for each direction with packets.  With config.is_biflow, a
 * flow becomes a record of RFC 5103.  The records of a flow go to the same message if an empty
 * message has room for them.  Only two records with very long names need two messages, and a flow
 * of NetFlow v5 with more than 30 times 2^32 bytes: ipfix_add remembers what is left of the flow.
 */
#ifndef IPFIX_ENCODER_H
#define IPFIX_ENCODER_H

#include "bpfengine.h"

enum ipfix_version { IPFIX_NETFLOW5 = 5, IPFIX_NETFLOW9 = 9, IPFIX_IPFIX = 10 };

/* Elements beside those of the IANA registry. */
enum ipfix_profile {
	IPFIX_PLAIN,  /* none */
	IPFIX_NTOP,   /* of ntop, enterprise 35632 */
	IPFIX_CESNET, /* of CESNET, enterprise 8057 */
	IPFIX_OWN     /* ours, under config.pen */
};

/* Answers of ipfix_add below 1. */
#define IPFIX_FULL 0     /* finish the message, begin the next, and add the same flow again */
#define IPFIX_UNFIT (-1) /* the format cannot say the record: IPv6 in NetFlow v5, no IP, no end */

#define IPFIX_ROOM_LEAST 1200 /* bytes of the smallest buffer */
#define IPFIX_ROOM_MOST 65535
#define IPFIX_ROOM_PATH 1400 /* fits the MTU of common paths, IPv4 and IPv6 */
#define IPFIX_INTERFACES_MOST 64
#define IPFIX_TEMPLATES 22

struct ipfix_config {
	uint32_t version; /* enum ipfix_version */
	uint32_t profile; /* enum ipfix_profile; other than IPFIX_PLAIN: IPFIX_IPFIX alone */
	uint32_t domain;  /* observation domain; NetFlow v9: source id; v5: the low byte, engine */
	uint32_t pen;     /* IPFIX_OWN: enterprise number of the own elements; else 0 */
	bool is_biflow;   /* RFC 5103; IPFIX_IPFIX alone */
	bool is_ns;       /* times in ns (156, 157) in place of ms (152, 153); IPFIX_IPFIX alone */
	/* Packets come from an interface.  Else NetFlow messages carry the time of their last
	 * packet in place of the time of export: NetFlow's times reach back 49 days at most. */
	bool is_live;
	uint32_t exporter;    /* number of this exporting process among those of the sensor */
	bool without_options; /* no names of interfaces; ipfix_options_due is not called */
	int64_t started_ns; /* CLOCK_REALTIME when the program started: NetFlow's system uptime 0 */
};

/* Books for the options records.  The numbers count since the start of the program. */
struct ipfix_books {
	uint64_t messages, records, bytes; /* sent to this collector; records: of flows */
	uint64_t ignored_packets;          /* packets that were not processed: dropped anywhere */
	uint64_t not_sent_records; /* flow records that were dropped, failed, unfit or lost */
	uint64_t flows;            /* flows observed */
};

/* A finished message. */
struct ipfix_message {
	uint32_t length;       /* bytes */
	uint32_t sequence;     /* in the header */
	uint32_t records;      /* data records, options records included; v5: records */
	uint32_t flows;        /* calls of ipfix_add that ended in this message */
	uint32_t flow_records; /* of records: those of flows */
};

struct ipfix_seen {
	uint32_t number;
	char name[256];
};

/* Where a message ends, so that a record without room can be taken back. */
struct ipfix_place {
	uint32_t length;
	uint32_t set_at; /* offset of the open set; 0: none is open */
	uint32_t set_id;
	uint32_t records;      /* data records, options records included */
	uint32_t flow_records; /* data records of flows */
};

/* What a Community ID is made of. */
struct ipfix_own_key {
	uint8_t addr[2][16];
	uint16_t port[2];
	uint8_t ip_proto, ip_version, icmp_type;
	bool is_icmp; /* the flow has types */
};

/* IPFIX_OWN: the fields that both directions of a flow share. */
#define IPFIX_OWN_HEAD 192u
#define IPFIX_OWN_TAIL 768u
struct ipfix_own {
	struct ipfix_own_key key; /* of community_id */
	bool has_key;
	char community_id[BPE_COMMUNITY_ID_BYTES]; /* "": none */
	uint32_t head_bytes, tail_bytes;
	uint8_t head[IPFIX_OWN_HEAD]; /* in front of the counts */
	uint8_t tail[IPFIX_OWN_TAIL]; /* behind them */
};

/* Members are the encoder's own, except sequence. */
struct ipfix_encoder {
	struct ipfix_config config;
	/* Of the next message.  IPFIX: data records before; v9: messages; v5: flow records.  The
	 * caller may set sequence between messages: 0 for a new connection, or the number of a
	 * sender that died. */
	uint32_t sequence;
	uint8_t *buffer;
	uint32_t room;
	struct ipfix_place place;
	uint32_t templates;                 /* template records of this message */
	uint32_t flows;                     /* whole flows of this message */
	uint32_t template_next;             /* first template that is due; IPFIX_TEMPLATES: none */
	uint32_t option_next, option_count; /* options records that are due: from next to count */
	struct ipfix_books books;
	uint32_t seen_next; /* first interface with a name to be told */
	uint32_t seen_count;
	uint32_t seen_last; /* index of the interface of the last record */
	struct ipfix_seen seen[IPFIX_INTERFACES_MOST];
	const uint8_t *extra; /* fields of the profile */
	uint32_t extra_count;
	uint32_t record_most; /* bytes of the longest record */
	struct ipfix_own own;
	/* Of a flow that is half done: directions below left_direction are written; v5: of the
	 * direction itself the rest, unless both are 0. */
	uint32_t left_direction;
	uint64_t left_packets, left_bytes;
	/* NetFlow */
	int64_t boot_ms; /* of the uptimes in this message, since 1970; whole seconds */
	int64_t last_ms; /* latest time of the message's flows */
};

/* Begins.  All templates are due.  Returns 0, or -1 with the reason and advice in why, if the parts
 * of the config do not fit each other. */
int ipfix_open(
	struct ipfix_encoder *encoder, const struct ipfix_config *config, char *why, size_t room);
/* Begins a message of at most room bytes (IPFIX_ROOM_LEAST to IPFIX_ROOM_MOST) with the templates
 * and options that are due.  The buffer is borrowed until ipfix_finish. */
void ipfix_begin(struct ipfix_encoder *encoder, uint8_t *buffer, size_t room);
/* Adds a flow record.  Returns the number of data records (1 and more), IPFIX_FULL or IPFIX_UNFIT.
 * Ends other than BPE_END_IDLE, CLOSED, EVICTED, STOP and ACTIVE are unfit. */
int ipfix_add(struct ipfix_encoder *encoder, const struct bpe_flow *flow);
/* Finishes the message and counts the sequence on.  now_ns: CLOCK_REALTIME.  Returns the bytes of
 * the message; 0 if the message is empty and need not be sent. */
size_t ipfix_finish(struct ipfix_encoder *encoder, int64_t now_ns, struct ipfix_message *message);
/* Makes all templates due: for a new connection, and on UDP again and again (a minute is usual). */
void ipfix_templates_due(struct ipfix_encoder *encoder);
/* Makes all options records due, about every minute and at the end: books, flow keys, names of
 * interfaces, types of own elements.  NetFlow v5 has none. */
void ipfix_options_due(struct ipfix_encoder *encoder, const struct ipfix_books *books);
/* Returns whether templates or options records wait for a message. */
bool ipfix_is_due(const struct ipfix_encoder *encoder);

/* Returns the profile of a word ("plain", "ntop", "cesnet", "own"), or -1. */
int ipfix_profile_find(const char *word);

#endif
