/* SPDX-License-Identifier: MIT */
/* Information elements, and the templates that are made of them. */
#ifndef IPFIX_ELEMENTS_H
#define IPFIX_ELEMENTS_H

#include "encoder.h"

#define IPFIX_VARIABLE 65535u    /* length of a text, which carries its length */
#define IPFIX_PEN_IANA 0u        /* no enterprise number */
#define IPFIX_PEN_REVERSE 29305u /* RFC 5103: the other direction's value */
#define IPFIX_PEN_NTOP 35632u
#define IPFIX_PEN_CESNET 8057u
#define IPFIX_PEN_OWN UINT32_MAX /* stands for config.pen */
#define IPFIX_FIELDS_MOST 80     /* fields of a template */
#define IPFIX_NAME_NETFLOW9 32u  /* bytes of an interface's name in NetFlow v9 */

/* RFC 5610, registries of IANA. */
enum ipfix_type {
	IPFIX_OCTETS = 0,
	IPFIX_U8 = 1,
	IPFIX_U16 = 2,
	IPFIX_U32 = 3,
	IPFIX_U64 = 4,
	IPFIX_S32 = 7,
	IPFIX_STRING = 13,
	IPFIX_MS = 15,
	IPFIX_NS = 17,
	IPFIX_IP4 = 18,
	IPFIX_IP6 = 19
};
enum ipfix_semantics {
	IPFIX_DEFAULT = 0,
	IPFIX_QUANTITY = 1,
	IPFIX_TOTAL = 2,
	IPFIX_DELTA = 3,
	IPFIX_IDENTIFIER = 4,
	IPFIX_FLAGS = 5
};
enum ipfix_units {
	IPFIX_NONE = 0,
	IPFIX_UNIT_OCTETS = 2,
	IPFIX_UNIT_PACKETS = 3,
	IPFIX_UNIT_FLOWS = 4,
	IPFIX_UNIT_MS = 6,
	IPFIX_UNIT_US = 7,
	IPFIX_UNIT_NS = 8,
	IPFIX_UNIT_MESSAGES = 10
};

struct ipfix_element {
	uint16_t id;
	uint16_t length; /* bytes, or IPFIX_VARIABLE */
	uint32_t pen;
	uint8_t type, semantics, units;
	const char *name;
};

/* Fields, in the order of ipfix_elements.  SOURCE is the end that sent the record's packets,
 * TARGET the other end. */
enum ipfix_field {
	/* of a flow; IANA's */
	FIELD_SOURCE_IP4,
	FIELD_TARGET_IP4,
	FIELD_SOURCE_IP6,
	FIELD_TARGET_IP6,
	FIELD_SOURCE_PORT,
	FIELD_TARGET_PORT,
	FIELD_PROTOCOL,
	FIELD_TCP_FLAGS,
	FIELD_END_REASON,
	FIELD_DIRECTION,
	FIELD_BIFLOW_DIRECTION,
	FIELD_ICMP4,
	FIELD_ICMP6,
	FIELD_INTERFACE,
	FIELD_FLOW_ID,
	FIELD_START_MS,
	FIELD_END_MS,
	FIELD_START_NS,
	FIELD_END_NS,
	FIELD_START_UPTIME,
	FIELD_END_UPTIME,
	FIELD_OCTETS,
	FIELD_PACKETS,
	FIELD_VLAN,
	FIELD_OUTER_VLAN,
	FIELD_INNER_VLAN,
	FIELD_REVERSE_OCTETS,
	FIELD_REVERSE_PACKETS,
	FIELD_REVERSE_TCP_FLAGS,
	/* of a flow; ntop's */
	FIELD_NTOP_CLIENT_FLAGS,
	FIELD_NTOP_SERVER_FLAGS,
	FIELD_NTOP_CLIENT_LATENCY,
	FIELD_NTOP_SERVER_LATENCY,
	FIELD_NTOP_RETRANSMITTED_IN,
	FIELD_NTOP_RETRANSMITTED_OUT,
	FIELD_NTOP_APP,
	FIELD_NTOP_TLS_NAME,
	FIELD_NTOP_HTTP_HOST,
	FIELD_NTOP_DNS_QUERY,
	FIELD_NTOP_HTTP_METHOD,
	FIELD_NTOP_HTTP_STATUS,
	FIELD_NTOP_SOURCE_PID,
	FIELD_NTOP_SOURCE_COMM,
	/* of a flow; CESNET's */
	FIELD_CESNET_TLS_NAME,
	FIELD_CESNET_QUIC_NAME,
	FIELD_CESNET_DNS_NAME,
	FIELD_CESNET_HTTP_METHOD,
	FIELD_CESNET_JA3,
	FIELD_CESNET_MSS,
	FIELD_CESNET_MSS_REVERSE,
	/* of a flow; ours */
	FIELD_PID,
	FIELD_COMM,
	FIELD_EFFECTIVE_PID,
	FIELD_EFFECTIVE_COMM,
	FIELD_UID,
	FIELD_CONTAINER,
	FIELD_SOURCE_RTT,
	FIELD_TARGET_RTT,
	FIELD_SOURCE_HANDSHAKE,
	FIELD_TARGET_HANDSHAKE,
	FIELD_SOURCE_RETRANSMISSIONS,
	FIELD_TARGET_RETRANSMISSIONS,
	FIELD_SOURCE_FAST,
	FIELD_TARGET_FAST,
	FIELD_SOURCE_SPURIOUS,
	FIELD_TARGET_SPURIOUS,
	FIELD_SOURCE_LOST,
	FIELD_TARGET_LOST,
	FIELD_SOURCE_DISORDER,
	FIELD_TARGET_DISORDER,
	FIELD_SOURCE_ZERO_WINDOWS,
	FIELD_TARGET_ZERO_WINDOWS,
	FIELD_SOURCE_ICMP_ERRORS,
	FIELD_TARGET_ICMP_ERRORS,
	FIELD_SOURCE_MSS,
	FIELD_TARGET_MSS,
	FIELD_HISTORY,
	FIELD_APP,
	FIELD_SERVER,
	FIELD_SERVER_SOURCE,
	FIELD_CLIENT,
	FIELD_ALPN,
	FIELD_TLS_VERSION,
	FIELD_JA4,
	FIELD_COMMUNITY_ID,
	FIELD_FLAGS,
	/* of options records */
	FIELD_DOMAIN,
	FIELD_EXPORTER,
	FIELD_MESSAGES_SENT,
	FIELD_RECORDS_SENT,
	FIELD_OCTETS_SENT,
	FIELD_FLOWS_SEEN,
	FIELD_PACKETS_IGNORED,
	FIELD_RECORDS_NOT_SENT,
	FIELD_TEMPLATE,
	FIELD_KEYS,
	FIELD_INTERFACE_NAME,
	FIELD_TYPE_PEN,
	FIELD_TYPE_ID,
	FIELD_TYPE_DATA,
	FIELD_TYPE_SEMANTICS,
	FIELD_TYPE_UNITS,
	FIELD_TYPE_NAME,
	FIELD_COUNT
};
#define FIELD_OWN_FIRST FIELD_PID
#define FIELD_OWN_LAST FIELD_FLAGS

extern const struct ipfix_element ipfix_elements[FIELD_COUNT];

/* Templates.  A shape has a template for flows, and SHAPE_* are bits. */
#define SHAPE_IP6 1u
#define SHAPE_VLAN 2u
#define SHAPE_ICMP 4u
#define SHAPE_BIFLOW 8u
#define TEMPLATE_FIRST_ID 256u
enum ipfix_template {
	TEMPLATE_SHAPES = 16,   /* 0 to 15: flows, by shape */
	TEMPLATE_EXPORTED = 16, /* RFC 7011, 4.1 */
	TEMPLATE_IGNORED = 17,  /* 4.2 */
	TEMPLATE_NOT_SENT = 18, /* 4.3 */
	TEMPLATE_KEYS = 19,     /* 4.4 */
	TEMPLATE_INTERFACES = 20,
	TEMPLATE_TYPES = 21 /* RFC 5610 */
};

/* A template's fields, of which the first scopes are the scope of options. */
struct ipfix_layout {
	uint32_t count, scopes;
	uint8_t fields[IPFIX_FIELDS_MOST];
};

/* Fills layout.  Returns false if the config has no such template. */
bool ipfix_layout_get(
	struct ipfix_layout *layout, const struct ipfix_config *config, uint32_t template);
/* Returns the fields of a profile behind the common fields, and their number. */
const uint8_t *ipfix_profile_fields(uint32_t profile, uint32_t *count);
/* Returns whether the field is part of a flow's key (RFC 7011, 4.4). */
bool ipfix_field_is_key(uint32_t field);
/* Returns the length of a field in a template. */
uint32_t ipfix_field_length(const struct ipfix_config *config, uint32_t field);

#endif
