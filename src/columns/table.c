/* SPDX-License-Identifier: MIT */
/* The columns of flow records: names, formats of Arrow, and the places in a record.  The order is
 * that of CSV, and later versions append columns. */
#include "columns/columns.h"

#define BYTES(member) sizeof(((struct bpe_flow *)NULL)->member)
#define NUMBER(column, arrow, group, member, text)                                                 \
	{ column, arrow, text, BPEI_COLUMN_NUMBER, BPEI_KNOWN_##group, false,                      \
		BPEI_STAGED_AT(offsetof(struct bpe_flow, member)), BYTES(member), 0, NULL }
#define FLAG(column, group, member, bit, text)                                                     \
	{ column, "b", text, BPEI_COLUMN_FLAG, BPEI_KNOWN_##group, false,                          \
		BPEI_STAGED_AT(offsetof(struct bpe_flow, member)), BYTES(member), bit, NULL }
#define WORD(column, worded, text)                                                                 \
	{ column, "u", text, BPEI_COLUMN_WORD, BPEI_KNOWN_ALWAYS, false, BPEI_WORDED_##worded, 0,  \
		0, NULL }
#define TEXT(column, group, member, keeps, text)                                                   \
	{ column, "u", text, BPEI_COLUMN_TEXT, BPEI_KNOWN_##group, keeps,                          \
		offsetof(struct bpe_flow, member), BYTES(member), 0, NULL }
#define MADE(column, group, make, text)                                                            \
	{ column, "u", text, BPEI_COLUMN_MADE, BPEI_KNOWN_##group, false, 0, 0, 0, make }
#define COMMUNITY(column, text)                                                                    \
	{ column, "u", text, BPEI_COLUMN_COMMUNITY, BPEI_KNOWN_ALWAYS, false, 0, 0, 0, NULL }

const struct bpei_column_plan bpei_column_plans[BPEI_COLUMN_COUNT] = {
	/* clang-format off */
	NUMBER("first", "tsn:UTC", ALWAYS, first_ns, "time of the first packet"),
	NUMBER("last", "tsn:UTC", ALWAYS, last_ns, "time of the last packet"),
	MADE("src", ALWAYS, bpei_make_src, "address of the originator"),
	NUMBER("sport", "S", ALWAYS, port[0], "port; ICMP echo: the identifier; 0: none"),
	MADE("dst", ALWAYS, bpei_make_dst, "address of the responder"),
	NUMBER("dport", "S", ALWAYS, port[1], "port of the responder"),
	WORD("proto", PROTO, "protocol above IP: tcp, udp, ip-proto-254"),
	NUMBER("ip_proto", "C", ALWAYS, ip_proto, "number of the protocol, by IANA"),
	NUMBER("ip", "C", ALWAYS, ip_version, "version of IP: 4 or 6"),
	NUMBER("vlan", "S", VLAN, vlan[0], "outermost VLAN identifier"),
	NUMBER("inner_vlan", "S", INNER_VLAN, vlan[1], "next VLAN identifier"),
	NUMBER("orig_packets", "L", ALWAYS, packets[0], "packets sent by the originator"),
	NUMBER("resp_packets", "L", ALWAYS, packets[1], "packets sent by the responder"),
	NUMBER("orig_wire_bytes", "L", ALWAYS, wire_bytes[0], "bytes on the wire sent by the originator"),
	NUMBER("resp_wire_bytes", "L", ALWAYS, wire_bytes[1], "bytes on the wire sent by the responder"),
	NUMBER("orig_captured_bytes", "L", ALWAYS, captured_bytes[0], "bytes captured of the packets of the originator"),
	NUMBER("resp_captured_bytes", "L", ALWAYS, captured_bytes[1], "bytes captured of the packets of the responder"),
	NUMBER("orig_ip_bytes", "L", LENGTHS, ip_bytes[0], "bytes of the originator by IP's lengths, with headers"),
	NUMBER("resp_ip_bytes", "L", LENGTHS, ip_bytes[1], "bytes of the responder by IP's lengths, with headers"),
	NUMBER("orig_payload_bytes", "L", LENGTHS, payload_bytes[0], "bytes of the originator behind the last header"),
	NUMBER("resp_payload_bytes", "L", LENGTHS, payload_bytes[1], "bytes of the responder behind the last header"),
	NUMBER("icmp_type", "C", ICMP, icmp_type, "ICMP type of the first packet"),
	NUMBER("icmp_code", "C", ICMP, icmp_code, "ICMP code of the first packet"),
	WORD("tcp_state", TCP_STATE, "state of the connection: established, closed"),
	WORD("orig_tcp_flags", ORIG_FLAGS, "all TCP flags that the originator has sent: FSRP.UEW"),
	WORD("resp_tcp_flags", RESP_FLAGS, "all TCP flags that the responder has sent: FSRP.UEW"),
	FLAG("midstream", TCP, flags, BPE_FLOW_MIDSTREAM, "TCP without a SYN: the direction is inferred"),
	TEXT("history", TCP, history, false, "events of the connection by the letters of Zeek"),
	NUMBER("client_rtt_ns", "l", CLIENT_RTT, handshake_ns[0], "nanoseconds from SYN-ACK to ACK"),
	NUMBER("server_rtt_ns", "l", SERVER_RTT, handshake_ns[1], "nanoseconds from SYN to SYN-ACK"),
	NUMBER("client_ack_rtt_ns", "l", CLIENT_ACK_RTT, rtt_ns[0], "smoothed round trip to the originator"),
	NUMBER("server_ack_rtt_ns", "l", SERVER_ACK_RTT, rtt_ns[1], "smoothed round trip to the responder"),
	NUMBER("orig_mss", "S", ORIG_MSS, mss[0], "maximum segment size that the originator told"),
	NUMBER("resp_mss", "S", RESP_MSS, mss[1], "maximum segment size that the responder told"),
	NUMBER("orig_window_scale", "C", ORIG_SCALE, window_scale[0], "window scale that the originator told, in bits"),
	NUMBER("resp_window_scale", "C", RESP_SCALE, window_scale[1], "window scale that the responder told, in bits"),
	NUMBER("orig_retransmissions", "I", HEALTH, retransmissions[0], "segments that the originator sent again"),
	NUMBER("resp_retransmissions", "I", HEALTH, retransmissions[1], "segments that the responder sent again"),
	NUMBER("orig_fast_retransmissions", "I", HEALTH, fast_retransmissions[0], "sent again by the originator after duplicate ACKs"),
	NUMBER("resp_fast_retransmissions", "I", HEALTH, fast_retransmissions[1], "sent again by the responder after duplicate ACKs"),
	NUMBER("orig_spurious_retransmissions", "I", HEALTH, spurious_retransmissions[0], "sent again though acknowledged"),
	NUMBER("resp_spurious_retransmissions", "I", HEALTH, spurious_retransmissions[1], "sent again though acknowledged"),
	NUMBER("orig_out_of_order", "I", HEALTH, out_of_order[0], "segments of the originator that filled a hole"),
	NUMBER("resp_out_of_order", "I", HEALTH, out_of_order[1], "segments of the responder that filled a hole"),
	NUMBER("orig_repeated_acks", "I", HEALTH, repeated_acks[0], "duplicate ACKs of the originator"),
	NUMBER("resp_repeated_acks", "I", HEALTH, repeated_acks[1], "duplicate ACKs of the responder"),
	NUMBER("orig_zero_windows", "I", HEALTH, zero_windows[0], "segments of the originator with a closed window"),
	NUMBER("resp_zero_windows", "I", HEALTH, zero_windows[1], "segments of the responder with a closed window"),
	NUMBER("orig_lost_segments", "I", HEALTH, lost_segments[0], "holes before segments of the originator"),
	NUMBER("resp_lost_segments", "I", HEALTH, lost_segments[1], "holes before segments of the responder"),
	NUMBER("orig_unseen_acks", "I", HEALTH, unseen_acks[0], "ACKs of the originator for data that was not seen"),
	NUMBER("resp_unseen_acks", "I", HEALTH, unseen_acks[1], "ACKs of the responder for data that was not seen"),
	NUMBER("orig_keep_alives", "I", HEALTH, keep_alives[0], "keep-alives of the originator"),
	NUMBER("resp_keep_alives", "I", HEALTH, keep_alives[1], "keep-alives of the responder"),
	MADE("conn_state", ALWAYS, bpei_make_conn_state, "state of the connection by the names of Zeek: SF, S0, REJ"),
	COMMUNITY("community_id", "Community ID, version 1, seed 0"),
	TEXT("interface", ALWAYS, interface_name, false, "name of the interface of the first packet"),
	NUMBER("interface_index", "I", INTERFACE_INDEX, interface_index, "index of the interface in the system"),
	NUMBER("interface_id", "I", INTERFACE_ID, interface_id, "number of the interface in the savefile or capture"),
	FLAG("tunnel", ALWAYS, flags, BPE_FLOW_TUNNEL, "the first packet was in a tunnel"),
	WORD("direction", DIRECTION, "port: the direction comes from the ports"),
	FLAG("continued", ALWAYS, flags, BPE_FLOW_CONTINUED, "counts are those since the last record of the flow"),
	FLAG("cut", ALWAYS, flags, BPE_FLOW_CUT, "history or health is incomplete"),
	NUMBER("pid", "i", PID, pid, "process of this host"),
	TEXT("process", PID, comm, true, "name of the process"),
	NUMBER("effective_pid", "i", EFFECTIVE_PID, effective_pid, "process on whose behalf the process acts"),
	TEXT("effective_process", EFFECTIVE_PID, effective_comm, true, "name of that process"),
	WORD("end", END, "cause of the record: idle, closed, evicted, stop, active"),
	NUMBER("hash", "I", ALWAYS, hash, "hash of the flow key"),
	NUMBER("worker", "S", ALWAYS, worker, "number of the worker that kept the flow"),
	NUMBER("orig_icmp_errors", "I", ALWAYS, icmp_errors[0], "ICMP errors from the originator's side"),
	NUMBER("resp_icmp_errors", "I", ALWAYS, icmp_errors[1], "ICMP errors from the responder's side"),
	NUMBER("orig_duplicates", "I", ALWAYS, duplicates[0], "TCP packets of the originator that were seen twice"),
	NUMBER("resp_duplicates", "I", ALWAYS, duplicates[1], "TCP packets of the responder that were seen twice"),
	WORD("tunnel_kind", TUNNEL, "kind of the tunnel: vxlan, gre"),
	NUMBER("tunnel_id", "I", TUNNEL_ID, tunnel.id, "number of the tunnel: VNI, TEID, key"),
	NUMBER("tunnel_depth", "C", TUNNEL, tunnel.depth, "packets around the packet"),
	MADE("tunnel_src", TUNNEL_ADDRESS, bpei_make_tunnel_src, "from, of the packet around"),
	MADE("tunnel_dst", TUNNEL_ADDRESS, bpei_make_tunnel_dst, "to, of the packet around"),
	NUMBER("orig_unwritten_packets", "L", CUTOFF, unwritten_packets[0], "packets of the originator, cut off"),
	NUMBER("resp_unwritten_packets", "L", CUTOFF, unwritten_packets[1], "packets of the responder, cut off"),
	NUMBER("orig_unwritten_bytes", "L", CUTOFF, unwritten_bytes[0], "bytes of the originator, cut off"),
	NUMBER("resp_unwritten_bytes", "L", CUTOFF, unwritten_bytes[1], "bytes of the responder, cut off"),
	WORD("app", APP, "protocol of the application: tls, dns"),
	TEXT("name", ALWAYS, names.server, false, "name of the responder"),
	WORD("name_source", SOURCE, "where the name comes from: sni, dns"),
	TEXT("name_others", ALWAYS, names.others, false, "other names of the address by DNS, by commas"),
	NUMBER("name_others_count", "C", OTHERS_COUNT, names.others_count, "number of other names"),
	NUMBER("name_age_ns", "l", NAME_AGE, names.age_ns, "from the DNS answer to the first packet"),
	NUMBER("name_ttl_ns", "l", NAME_TTL, names.ttl_ns, "lifetime of the DNS answer in nanoseconds"),
	TEXT("client_name", ALWAYS, names.client, false, "host name of the originator, by DHCP or mDNS"),
	TEXT("alpn", ALWAYS, names.alpn, false, "protocol chosen by ALPN, or offered"),
	MADE("tls_version", TLS_VERSION, bpei_make_tls_version, "version of TLS"),
	MADE("tls_cipher", TLS_CIPHER, bpei_make_tls_cipher, "cipher suite that the server chose"),
	FLAG("server_hello", ALWAYS, names.flags, BPE_NAMED_SERVER, "the hello of the server was seen"),
	WORD("ech", ECH, "encrypted client hello: offered or outer"),
	TEXT("ja4", ALWAYS, names.ja4, false, "JA4 fingerprint of the client"),
	TEXT("ja3", ALWAYS, names.ja3, false, "JA3 fingerprint of the client"),
	TEXT("subject", ALWAYS, names.subject, false, "subject of the certificate of the server"),
	TEXT("issuer", ALWAYS, names.issuer, false, "issuer of the certificate of the server"),
	MADE("quic_version", QUIC_VERSION, bpei_make_quic_version, "version of QUIC"),
	TEXT("http_method", ALWAYS, names.method, false, "method of the first HTTP request"),
	NUMBER("http_status", "S", HTTP_STATUS, names.http_status, "status of the first HTTP response"),
	TEXT("hassh", ALWAYS, names.hassh[0], false, "HASSH fingerprint of the SSH client"),
	TEXT("hassh_server", ALWAYS, names.hassh[1], false, "HASSH fingerprint of the SSH server"),
	TEXT("ssh_client", ALWAYS, names.banner[0], false, "version string of the SSH client"),
	TEXT("ssh_server", ALWAYS, names.banner[1], false, "version string of the SSH server"),
	WORD("owner", OWNER, "whether the process was found: known, none, unknown"),
	NUMBER("uid", "i", UID, names.uid, "user of the process"),
	TEXT("container", ALWAYS, names.container, false, "container of the process"),
	FLAG("app_inner", ALWAYS, names.flags, BPE_NAMED_INNER, "the application was found inside another protocol"),
	FLAG("names_cut", ALWAYS, names.flags, BPE_NAMED_CUT, "a name did not fit"),
	/* clang-format on */
};
