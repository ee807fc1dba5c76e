/* SPDX-License-Identifier: MIT */
/* Information elements and templates, as data.
 *
 * Numbers of IANA's elements: the registry "IPFIX Information Elements".  ntop's: nProbe,
 * doc/src/flow_information_elements.rst.  CESNET's: libfds, config/system/elements/cesnet.xml. */
#include "elements.h"

#include <string.h>

#define IANA(id, length, type, semantics, units, name)                                             \
	{ id, length, IPFIX_PEN_IANA, type, semantics, units, name }
#define REVERSE(id, length, type, semantics, units, name)                                          \
	{ id, length, IPFIX_PEN_REVERSE, type, semantics, units, name }
#define NTOP(id, length, type, name)                                                               \
	{ id, length, IPFIX_PEN_NTOP, type, IPFIX_DEFAULT, IPFIX_NONE, name }
#define CESNET(id, length, type, name)                                                             \
	{ id, length, IPFIX_PEN_CESNET, type, IPFIX_DEFAULT, IPFIX_NONE, name }
#define OWN(id, length, type, semantics, units, name)                                              \
	{ id, length, IPFIX_PEN_OWN, type, semantics, units, name }
#define OWN_TEXT(id, name)                                                                         \
	{ id, IPFIX_VARIABLE, IPFIX_PEN_OWN, IPFIX_STRING, IPFIX_DEFAULT, IPFIX_NONE, name }
#define OWN_COUNT(id, name) OWN(id, 4, IPFIX_U32, IPFIX_DELTA, IPFIX_UNIT_PACKETS, name)
#define OWN_TIME(id, name) OWN(id, 4, IPFIX_U32, IPFIX_QUANTITY, IPFIX_UNIT_US, name)

const struct ipfix_element ipfix_elements[FIELD_COUNT] = {
	IANA(8, 4, IPFIX_IP4, IPFIX_DEFAULT, IPFIX_NONE, "sourceIPv4Address"),
	IANA(12, 4, IPFIX_IP4, IPFIX_DEFAULT, IPFIX_NONE, "destinationIPv4Address"),
	IANA(27, 16, IPFIX_IP6, IPFIX_DEFAULT, IPFIX_NONE, "sourceIPv6Address"),
	IANA(28, 16, IPFIX_IP6, IPFIX_DEFAULT, IPFIX_NONE, "destinationIPv6Address"),
	IANA(7, 2, IPFIX_U16, IPFIX_IDENTIFIER, IPFIX_NONE, "sourceTransportPort"),
	IANA(11, 2, IPFIX_U16, IPFIX_IDENTIFIER, IPFIX_NONE, "destinationTransportPort"),
	IANA(4, 1, IPFIX_U8, IPFIX_IDENTIFIER, IPFIX_NONE, "protocolIdentifier"),
	/* IANA: 16 bits.  nfacctd 1.7.7 reads 0 from 16 bits; RFC 7011, 6.2 allows fewer. */
	IANA(6, 1, IPFIX_U16, IPFIX_FLAGS, IPFIX_NONE, "tcpControlBits"),
	IANA(136, 1, IPFIX_U8, IPFIX_IDENTIFIER, IPFIX_NONE, "flowEndReason"),
	IANA(61, 1, IPFIX_U8, IPFIX_IDENTIFIER, IPFIX_NONE, "flowDirection"),
	IANA(239, 1, IPFIX_U8, IPFIX_IDENTIFIER, IPFIX_NONE, "biflowDirection"),
	IANA(32, 2, IPFIX_U16, IPFIX_IDENTIFIER, IPFIX_NONE, "icmpTypeCodeIPv4"),
	IANA(139, 2, IPFIX_U16, IPFIX_IDENTIFIER, IPFIX_NONE, "icmpTypeCodeIPv6"),
	IANA(10, 4, IPFIX_U32, IPFIX_IDENTIFIER, IPFIX_NONE, "ingressInterface"),
	IANA(148, 8, IPFIX_U64, IPFIX_IDENTIFIER, IPFIX_NONE, "flowId"),
	IANA(152, 8, IPFIX_MS, IPFIX_DEFAULT, IPFIX_UNIT_MS, "flowStartMilliseconds"),
	IANA(153, 8, IPFIX_MS, IPFIX_DEFAULT, IPFIX_UNIT_MS, "flowEndMilliseconds"),
	IANA(156, 8, IPFIX_NS, IPFIX_DEFAULT, IPFIX_UNIT_NS, "flowStartNanoseconds"),
	IANA(157, 8, IPFIX_NS, IPFIX_DEFAULT, IPFIX_UNIT_NS, "flowEndNanoseconds"),
	IANA(22, 4, IPFIX_U32, IPFIX_DEFAULT, IPFIX_UNIT_MS, "flowStartSysUpTime"),
	IANA(21, 4, IPFIX_U32, IPFIX_DEFAULT, IPFIX_UNIT_MS, "flowEndSysUpTime"),
	IANA(1, 8, IPFIX_U64, IPFIX_DELTA, IPFIX_UNIT_OCTETS, "octetDeltaCount"),
	IANA(2, 8, IPFIX_U64, IPFIX_DELTA, IPFIX_UNIT_PACKETS, "packetDeltaCount"),
	IANA(58, 2, IPFIX_U16, IPFIX_IDENTIFIER, IPFIX_NONE, "vlanId"),
	IANA(243, 2, IPFIX_U16, IPFIX_IDENTIFIER, IPFIX_NONE, "dot1qVlanId"),
	IANA(245, 2, IPFIX_U16, IPFIX_IDENTIFIER, IPFIX_NONE, "dot1qCustomerVlanId"),
	REVERSE(1, 8, IPFIX_U64, IPFIX_DELTA, IPFIX_UNIT_OCTETS, "reverseOctetDeltaCount"),
	REVERSE(2, 8, IPFIX_U64, IPFIX_DELTA, IPFIX_UNIT_PACKETS, "reversePacketDeltaCount"),
	REVERSE(6, 1, IPFIX_U16, IPFIX_FLAGS, IPFIX_NONE, "reverseTcpControlBits"),
	NTOP(78, 1, IPFIX_U8, "CLIENT_TCP_FLAGS"),
	NTOP(79, 1, IPFIX_U8, "SERVER_TCP_FLAGS"),
	NTOP(123, 4, IPFIX_U32, "CLIENT_NW_LATENCY_MS"),
	NTOP(124, 4, IPFIX_U32, "SERVER_NW_LATENCY_MS"),
	NTOP(109, 4, IPFIX_U32, "RETRANSMITTED_IN_PKTS"),
	NTOP(110, 4, IPFIX_U32, "RETRANSMITTED_OUT_PKTS"),
	NTOP(119, IPFIX_VARIABLE, IPFIX_STRING, "L7_PROTO_NAME"),
	NTOP(188, IPFIX_VARIABLE, IPFIX_STRING, "TLS_SERVER_NAME"),
	NTOP(187, IPFIX_VARIABLE, IPFIX_STRING, "HTTP_HOST"),
	NTOP(205, IPFIX_VARIABLE, IPFIX_STRING, "DNS_QUERY"),
	NTOP(360, IPFIX_VARIABLE, IPFIX_STRING, "HTTP_METHOD"),
	NTOP(181, 2, IPFIX_U16, "HTTP_RET_CODE"),
	NTOP(168, 4, IPFIX_U32, "SRC_PROC_PID"),
	NTOP(169, IPFIX_VARIABLE, IPFIX_STRING, "SRC_PROC_NAME"),
	CESNET(808, IPFIX_VARIABLE, IPFIX_STRING, "TLSSNI"),
	CESNET(890, IPFIX_VARIABLE, IPFIX_STRING, "quicSNI"),
	CESNET(2, IPFIX_VARIABLE, IPFIX_STRING, "DNSName"),
	CESNET(200, IPFIX_VARIABLE, IPFIX_STRING, "httpMethod"),
	CESNET(830, IPFIX_VARIABLE, IPFIX_OCTETS, "tlsJa3Fingerprint"),
	CESNET(900, 4, IPFIX_U32, "tcpMss"),
	CESNET(901, 4, IPFIX_U32, "tcpMssRev"),
	OWN(1, 4, IPFIX_U32, IPFIX_IDENTIFIER, IPFIX_NONE, "processId"),
	OWN_TEXT(2, "processName"),
	OWN(3, 4, IPFIX_U32, IPFIX_IDENTIFIER, IPFIX_NONE, "responsibleProcessId"),
	OWN_TEXT(4, "responsibleProcessName"),
	OWN(5, 4, IPFIX_S32, IPFIX_IDENTIFIER, IPFIX_NONE, "processUserId"),
	OWN_TEXT(6, "containerName"),
	OWN_TIME(7, "sourceRoundTripMicroseconds"),
	OWN_TIME(8, "destinationRoundTripMicroseconds"),
	OWN_TIME(9, "sourceHandshakeMicroseconds"),
	OWN_TIME(10, "destinationHandshakeMicroseconds"),
	OWN_COUNT(11, "sourceRetransmissions"),
	OWN_COUNT(12, "destinationRetransmissions"),
	OWN_COUNT(13, "sourceFastRetransmissions"),
	OWN_COUNT(14, "destinationFastRetransmissions"),
	OWN_COUNT(15, "sourceSpuriousRetransmissions"),
	OWN_COUNT(16, "destinationSpuriousRetransmissions"),
	OWN_COUNT(17, "sourceLostSegments"),
	OWN_COUNT(18, "destinationLostSegments"),
	OWN_COUNT(19, "sourceOutOfOrderSegments"),
	OWN_COUNT(20, "destinationOutOfOrderSegments"),
	OWN_COUNT(21, "sourceZeroWindows"),
	OWN_COUNT(22, "destinationZeroWindows"),
	OWN_COUNT(23, "sourceIcmpErrors"),
	OWN_COUNT(24, "destinationIcmpErrors"),
	OWN(25, 2, IPFIX_U16, IPFIX_QUANTITY, IPFIX_UNIT_OCTETS, "sourceMaximumSegmentSize"),
	OWN(26, 2, IPFIX_U16, IPFIX_QUANTITY, IPFIX_UNIT_OCTETS, "destinationMaximumSegmentSize"),
	OWN_TEXT(27, "connectionHistory"),
	OWN_TEXT(28, "applicationLabel"),
	OWN_TEXT(29, "serverName"),
	OWN_TEXT(30, "serverNameSource"),
	OWN_TEXT(31, "clientName"),
	OWN_TEXT(32, "alpn"),
	OWN(33, 2, IPFIX_U16, IPFIX_IDENTIFIER, IPFIX_NONE, "tlsVersion"),
	OWN_TEXT(34, "ja4"),
	OWN_TEXT(35, "communityId"),
	OWN(36, 4, IPFIX_U32, IPFIX_FLAGS, IPFIX_NONE, "flowFlags"),
	IANA(149, 4, IPFIX_U32, IPFIX_IDENTIFIER, IPFIX_NONE, "observationDomainId"),
	IANA(144, 4, IPFIX_U32, IPFIX_IDENTIFIER, IPFIX_NONE, "exportingProcessId"),
	IANA(41, 8, IPFIX_U64, IPFIX_TOTAL, IPFIX_UNIT_MESSAGES, "exportedMessageTotalCount"),
	IANA(42, 8, IPFIX_U64, IPFIX_TOTAL, IPFIX_UNIT_FLOWS, "exportedFlowRecordTotalCount"),
	IANA(40, 8, IPFIX_U64, IPFIX_TOTAL, IPFIX_UNIT_OCTETS, "exportedOctetTotalCount"),
	IANA(163, 8, IPFIX_U64, IPFIX_TOTAL, IPFIX_UNIT_FLOWS, "observedFlowTotalCount"),
	IANA(164, 8, IPFIX_U64, IPFIX_TOTAL, IPFIX_UNIT_PACKETS, "ignoredPacketTotalCount"),
	IANA(166, 8, IPFIX_U64, IPFIX_TOTAL, IPFIX_UNIT_FLOWS, "notSentFlowTotalCount"),
	IANA(145, 2, IPFIX_U16, IPFIX_IDENTIFIER, IPFIX_NONE, "templateId"),
	IANA(173, 8, IPFIX_U64, IPFIX_FLAGS, IPFIX_NONE, "flowKeyIndicator"),
	IANA(82, IPFIX_VARIABLE, IPFIX_STRING, IPFIX_DEFAULT, IPFIX_NONE, "interfaceName"),
	IANA(346, 4, IPFIX_U32, IPFIX_IDENTIFIER, IPFIX_NONE, "privateEnterpriseNumber"),
	IANA(303, 2, IPFIX_U16, IPFIX_IDENTIFIER, IPFIX_NONE, "informationElementId"),
	IANA(339, 1, IPFIX_U8, IPFIX_DEFAULT, IPFIX_NONE, "informationElementDataType"),
	IANA(344, 1, IPFIX_U8, IPFIX_DEFAULT, IPFIX_NONE, "informationElementSemantics"),
	IANA(345, 2, IPFIX_U16, IPFIX_DEFAULT, IPFIX_NONE, "informationElementUnits"),
	IANA(341, IPFIX_VARIABLE, IPFIX_STRING, IPFIX_DEFAULT, IPFIX_NONE,
		"informationElementName"),
};

/* Behind the addresses; records.c writes the same order. */
static const uint8_t common_fields[] = { FIELD_SOURCE_PORT, FIELD_TARGET_PORT, FIELD_PROTOCOL,
	FIELD_TCP_FLAGS, FIELD_END_REASON, FIELD_DIRECTION, FIELD_BIFLOW_DIRECTION, FIELD_INTERFACE,
	FIELD_FLOW_ID, FIELD_START_MS, FIELD_END_MS, FIELD_OCTETS, FIELD_PACKETS };
static const uint8_t ntop_fields[] = { FIELD_NTOP_CLIENT_FLAGS, FIELD_NTOP_SERVER_FLAGS,
	FIELD_NTOP_CLIENT_LATENCY, FIELD_NTOP_SERVER_LATENCY, FIELD_NTOP_RETRANSMITTED_IN,
	FIELD_NTOP_RETRANSMITTED_OUT, FIELD_NTOP_APP, FIELD_NTOP_TLS_NAME, FIELD_NTOP_HTTP_HOST,
	FIELD_NTOP_DNS_QUERY, FIELD_NTOP_HTTP_METHOD, FIELD_NTOP_HTTP_STATUS, FIELD_NTOP_SOURCE_PID,
	FIELD_NTOP_SOURCE_COMM };
static const uint8_t cesnet_fields[] = { FIELD_CESNET_TLS_NAME, FIELD_CESNET_QUIC_NAME,
	FIELD_CESNET_DNS_NAME, FIELD_CESNET_HTTP_METHOD, FIELD_CESNET_JA3, FIELD_CESNET_MSS,
	FIELD_CESNET_MSS_REVERSE };
static const uint8_t own_fields[] = { FIELD_PID, FIELD_COMM, FIELD_EFFECTIVE_PID,
	FIELD_EFFECTIVE_COMM, FIELD_UID, FIELD_CONTAINER, FIELD_SOURCE_RTT, FIELD_TARGET_RTT,
	FIELD_SOURCE_HANDSHAKE, FIELD_TARGET_HANDSHAKE, FIELD_SOURCE_RETRANSMISSIONS,
	FIELD_TARGET_RETRANSMISSIONS, FIELD_SOURCE_FAST, FIELD_TARGET_FAST, FIELD_SOURCE_SPURIOUS,
	FIELD_TARGET_SPURIOUS, FIELD_SOURCE_LOST, FIELD_TARGET_LOST, FIELD_SOURCE_DISORDER,
	FIELD_TARGET_DISORDER, FIELD_SOURCE_ZERO_WINDOWS, FIELD_TARGET_ZERO_WINDOWS,
	FIELD_SOURCE_ICMP_ERRORS, FIELD_TARGET_ICMP_ERRORS, FIELD_SOURCE_MSS, FIELD_TARGET_MSS,
	FIELD_HISTORY, FIELD_APP, FIELD_SERVER, FIELD_SERVER_SOURCE, FIELD_CLIENT, FIELD_ALPN,
	FIELD_TLS_VERSION, FIELD_JA4, FIELD_COMMUNITY_ID, FIELD_FLAGS };

/* Options templates of IPFIX, from TEMPLATE_EXPORTED on.  IPFIX_FIELDS_MOST ends none of them. */
static const struct ipfix_layout option_layouts[] = {
	{ 4, 1, { FIELD_DOMAIN, FIELD_MESSAGES_SENT, FIELD_RECORDS_SENT, FIELD_OCTETS_SENT } },
	{ 3, 1, { FIELD_DOMAIN, FIELD_FLOWS_SEEN, FIELD_PACKETS_IGNORED } },
	{ 2, 1, { FIELD_EXPORTER, FIELD_RECORDS_NOT_SENT } },
	{ 2, 1, { FIELD_TEMPLATE, FIELD_KEYS } },
	{ 2, 1, { FIELD_INTERFACE, FIELD_INTERFACE_NAME } },
	{ 6, 2,
		{ FIELD_TYPE_PEN, FIELD_TYPE_ID, FIELD_TYPE_DATA, FIELD_TYPE_SEMANTICS,
			FIELD_TYPE_UNITS, FIELD_TYPE_NAME } },
};

const uint8_t *ipfix_profile_fields(uint32_t profile, uint32_t *count)
{
	switch (profile) {
	case IPFIX_NTOP:
		*count = sizeof ntop_fields;
		return ntop_fields;
	case IPFIX_CESNET:
		*count = sizeof cesnet_fields;
		return cesnet_fields;
	case IPFIX_OWN:
		*count = sizeof own_fields;
		return own_fields;
	default:
		*count = 0;
		return NULL;
	}
}

/* Adds n fields to a layout. */
static void add_fields(struct ipfix_layout *layout, const uint8_t *fields, uint32_t n)
{
	if (n > 0)
		memcpy(layout->fields + layout->count, fields, n);
	layout->count += n;
}

/* Puts the fields in the place of others that the config asks for. */
static void replace_fields(
	struct ipfix_layout *layout, const struct ipfix_config *config, bool is_ip6)
{
	for (uint32_t i = 0; i < layout->count; i++) {
		uint8_t *field = &layout->fields[i];

		if (*field == FIELD_ICMP4 && is_ip6)
			*field = FIELD_ICMP6;
		if (*field != FIELD_START_MS && *field != FIELD_END_MS)
			continue;
		if (config->version == IPFIX_NETFLOW9)
			*field = (uint8_t)(*field - FIELD_START_MS + FIELD_START_UPTIME);
		else if (config->is_ns)
			*field = (uint8_t)(*field - FIELD_START_MS + FIELD_START_NS);
	}
}

/* Fills the layout of a template of flows. */
static void make_flow_layout(
	struct ipfix_layout *layout, const struct ipfix_config *config, uint32_t shape)
{
	static const uint8_t ip4[] = { FIELD_SOURCE_IP4, FIELD_TARGET_IP4 };
	static const uint8_t ip6[] = { FIELD_SOURCE_IP6, FIELD_TARGET_IP6 };
	static const uint8_t icmp[] = { FIELD_ICMP4 };
	static const uint8_t vlans[] = { FIELD_VLAN, FIELD_OUTER_VLAN, FIELD_INNER_VLAN };
	static const uint8_t reverse[] = { FIELD_REVERSE_OCTETS, FIELD_REVERSE_PACKETS,
		FIELD_REVERSE_TCP_FLAGS };
	const uint8_t *fields;
	uint32_t n;

	*layout = (struct ipfix_layout){ 0 };
	if (shape & SHAPE_IP6)
		add_fields(layout, ip6, sizeof ip6);
	else
		add_fields(layout, ip4, sizeof ip4);
	add_fields(layout, common_fields, sizeof common_fields);
	if (shape & SHAPE_ICMP)
		add_fields(layout, icmp, sizeof icmp);
	if (shape & SHAPE_VLAN)
		add_fields(layout, vlans, sizeof vlans);
	if (shape & SHAPE_BIFLOW)
		add_fields(layout, reverse, sizeof reverse);
	fields = ipfix_profile_fields(config->profile, &n);
	add_fields(layout, fields, n);
	replace_fields(layout, config, (shape & SHAPE_IP6) != 0);
}

bool ipfix_layout_get(
	struct ipfix_layout *layout, const struct ipfix_config *config, uint32_t template)
{
	const bool is_nine = config->version == IPFIX_NETFLOW9;

	if (config->version == IPFIX_NETFLOW5)
		return false;
	if (template <TEMPLATE_SHAPES) {
		make_flow_layout(layout, config, template);
		return ((template & SHAPE_BIFLOW) != 0) == config->is_biflow;
	}
	*layout = option_layouts[template - TEMPLATE_EXPORTED];
	if (is_nine)
		return template == TEMPLATE_EXPORTED || template == TEMPLATE_INTERFACES;
	return template != TEMPLATE_TYPES || config->profile == IPFIX_OWN;
}

bool ipfix_field_is_key(uint32_t field)
{
	return field <= FIELD_PROTOCOL || (field >= FIELD_VLAN && field <= FIELD_INNER_VLAN);
}

uint32_t ipfix_field_length(const struct ipfix_config *config, uint32_t field)
{
	/* NetFlow v9 has no texts of variable length. */
	if (config->version == IPFIX_NETFLOW9 && field == FIELD_INTERFACE_NAME)
		return IPFIX_NAME_NETFLOW9;
	return ipfix_elements[field].length;
}
