/* SPDX-License-Identifier: MIT */
/* bpfengine: a packet capture engine.  This header is its whole public contract.
 *
 * Two levels:
 *   engine   bpe_engine_*: threads of its own; packets in batches and flows at their end reach your
 * handlers. capture  bpe_capture_*: no threads; the caller asks for the next batch, for programs
 * with an event loop.
 *
 * Packets come parsed, up to BPE_BATCH at a time, in columns (structure of arrays).  Whatever a
 * handler or bpe_capture_next gives is a view: good until the handler returns, or until the next
 * call on that capture.
 *
 * Errors: functions that can fail return an int, 0 (or a count) when good, or a negative enum
 * bpe_status. Those that take a struct bpe_error fill it when they fail; it may be NULL.  Outputs
 * are untouched on failure.
 *
 * Threads: one thread at a time may call the functions of one engine or capture, except those whose
 * comment says "any thread".  Different engines are independent.  Nothing here prints, exits or
 * installs a signal handler.
 *
 * Units: times are nanoseconds since 1970-01-01 UTC (packets) or plain nanoseconds (durations,
 * names end in _ns); lengths are bytes; multi-byte fields are in host byte order unless said
 * otherwise.
 */
#ifndef BPFENGINE_H
#define BPFENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPE_VERSION_MAJOR 0
#define BPE_VERSION_MINOR 1
#define BPE_VERSION_PATCH 0
#define BPE_VERSION "0.1.0"

#if defined(__GNUC__) || defined(__clang__)
#define BPE_API __attribute__((visibility("default")))
#else
#define BPE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define BPE_BATCH 64 /* packets in a batch, at most */
#define BPE_MAX_WORKERS 64
#define BPE_MAX_SNAPLEN 262144 /* as tcpdump's default */

/* ---- Errors ---- */

enum bpe_status {
	BPE_OK = 0,
	BPE_E_ARGUMENT = -1, /* an argument or option is wrong */
	BPE_E_MEMORY = -2,   /* no memory */
	BPE_E_RIGHTS = -3,   /* the system denies it; the text says how to get the right */
	BPE_E_ABSENT = -4,   /* no such interface, file or device */
	BPE_E_BUSY = -5,     /* somebody else holds it */
	BPE_E_IO = -6,       /* the system's read or write failed */
	BPE_E_FORMAT = -7,   /* not a savefile, or a damaged one */
	BPE_E_TORN = -8, /* the savefile ends inside a record; every whole record was delivered */
	BPE_E_GONE = -9, /* the interface went away while capturing */
	BPE_E_UNSUPPORTED = -10, /* this system or build cannot do it */
	BPE_E_STATE = -11,       /* not now: the call does not fit the engine's state */
	BPE_E_END = -12 /* the source has no more packets (not an error; bpe_capture_next only) */
};

struct bpe_error {
	int status;     /* enum bpe_status */
	int sys_errno;  /* errno of the failing system call, or 0 */
	char step[32];  /* what was being done, e.g. "open", "PACKET_RX_RING" */
	char text[256]; /* one sentence for a person, with what to do next */
};

/* "permission denied" and so on.  Never NULL.  Any thread. */
BPE_API const char *bpe_status_text(int status);

/* The library's version as "MAJOR.MINOR.PATCH", and what it was built with (arch backend, devices).
 * Any thread. */
BPE_API const char *bpe_version(void);
BPE_API const char *bpe_build_info(void);
/* The size of a public structure as the library has it: "bpe_batch"; 0: it has none of that name.
 * For those that do not compile this header. Any thread. */
BPE_API size_t bpe_struct_size(const char *name);

/* ---- Packets ---- */

/* What the parser calls a packet by: its last layer that the flow key knows, or why there is none.
 */
enum bpe_proto {
	BPE_PROTO_NONE = 0, /* too short or too damaged to say */
	BPE_PROTO_ARP,
	BPE_PROTO_TCP,
	BPE_PROTO_UDP,
	BPE_PROTO_ICMP,
	BPE_PROTO_ICMP6,
	BPE_PROTO_IGMP,
	BPE_PROTO_SCTP,
	BPE_PROTO_IP_OTHER,  /* IPv4 or IPv6 with another protocol: ip_proto tells */
	BPE_PROTO_ETHERTYPE, /* not IP, not ARP: ethertype tells */
	BPE_PROTO_LLC,       /* IEEE 802.3 frame with a length and an LLC header */
	BPE_PROTO_LINKTYPE,  /* link type that is not parsed: link_type tells */
	BPE_PROTO_UDPLITE,
	BPE_PROTO_DCCP,
	BPE_PROTO_CARP,      /* of the BSDs; has VRRP's protocol number */
	BPE_PROTO_WIREGUARD, /* UDP to or from port 51820 that has one of its four messages */
	BPE_PROTO_STP,       /* IEEE 802.1D in LLC */
	BPE_PROTO_GTP_PRIME, /* UDP to or from port 3386 that has a message of GTP' (3GPP
				TS 32.295): charging records, no users' packets */
	BPE_PROTO_COUNT
};

/* Flags of a packet (struct bpe_layers.flags). */
#define BPE_PKT_IP4 0x0001u
#define BPE_PKT_IP6 0x0002u
#define BPE_PKT_FRAGMENT                                                                           \
	0x0004u /* an IP fragment that is not the first: no transport header in it */
#define BPE_PKT_FIRST_FRAGMENT 0x0008u /* the first fragment of several */
#define BPE_PKT_KEY 0x0010u            /* the key column is filled: the packet belongs to a flow */
#define BPE_PKT_REVERSED 0x0020u       /* the sender is endpoint 1 of the key, not endpoint 0 */
#define BPE_PKT_VLAN 0x0040u           /* at least one 802.1Q or 802.1ad tag */
#define BPE_PKT_OUTGOING 0x0080u       /* sent by this host, where the source tells */
/* What was wrong with it. */
#define BPE_PKT_TRUNCATED                                                                          \
	0x0100u /* captured bytes end inside a header that the packet should have */
#define BPE_PKT_BAD_VERSION 0x0200u /* IP version field does not fit */
#define BPE_PKT_BAD_HEADER 0x0400u  /* a header length below its minimum */
#define BPE_PKT_BAD_LENGTH 0x0800u  /* a length field that contradicts its surroundings */
#define BPE_PKT_WRONG 0x0f00u       /* any of the four */
/* What the key is of. */
#define BPE_PKT_TUNNEL                                                                             \
	0x1000u /* the packet lies in another one's payload: layers and key are the innermost's */
#define BPE_PKT_ICMP_ERROR                                                                         \
	0x2000u /* an ICMP error whose key is that of the flow it speaks of; layers are the        \
		   error's own */

/* options.checksums alone: */
#define BPE_PKT_BAD_CHECKSUM 0x4000u /* of the IPv4 header, or of what is in the IP packet */

#define BPE_NO_OFFSET 0xffffu

/* Ways of carrying a packet in another one, or behind a header of its own, that the parser goes
 * into. */
enum bpe_tunnel_kind {
	BPE_TUNNEL_NONE = 0,
	BPE_TUNNEL_IPIP,      /* IPv4 or IPv6 in IPv4 or IPv6: RFC 2003, 4213, 2473 */
	BPE_TUNNEL_GRE,       /* RFC 2784, 2890, 1701; PPTP's with PPP in it: RFC 2637 */
	BPE_TUNNEL_ERSPAN,    /* all three types: draft-foschiano-erspan-03 */
	BPE_TUNNEL_EOIP,      /* MikroTik's Ethernet over IP, in GRE */
	BPE_TUNNEL_WCCP,      /* redirected to a web cache, in GRE: draft-param-wccp-v2rev1 */
	BPE_TUNNEL_ETHERIP,   /* RFC 3378 */
	BPE_TUNNEL_MPLS_IP,   /* MPLS in IP: RFC 4023 */
	BPE_TUNNEL_SRV6,      /* Ethernet as IP protocol 143: RFC 8986 */
	BPE_TUNNEL_VXLAN,     /* RFC 7348 */
	BPE_TUNNEL_VXLAN_GPE, /* draft-ietf-nvo3-vxlan-gpe-13 */
	BPE_TUNNEL_GENEVE,    /* RFC 8926 */
	BPE_TUNNEL_GTPU,      /* 3GPP TS 29.281 */
	BPE_TUNNEL_TEREDO,    /* RFC 4380 */
	BPE_TUNNEL_L2TP,      /* RFC 2661 */
	BPE_TUNNEL_GRE_UDP,   /* RFC 8086 */
	BPE_TUNNEL_MPLS_UDP,  /* RFC 7510 */
	BPE_TUNNEL_TZSP,      /* TaZmen Sniffer Protocol */
	BPE_TUNNEL_CAPWAP,    /* data channel, not encrypted: RFC 5415, 5416 */
	BPE_TUNNEL_EOMPLS, /* Ethernet behind MPLS labels, with a control word or without: RFC 4448,
			      4385 */
	BPE_TUNNEL_PBB,    /* provider backbone bridges: IEEE 802.1ah */
	BPE_TUNNEL_NSH,    /* service function chaining: RFC 8300 */
	BPE_TUNNEL_FABRICPATH, /* Cisco FabricPath */
	/* Not tunnels, but headers that are passed: */
	BPE_TUNNEL_VNTAG,          /* IEEE 802.1Qbh, draft */
	BPE_TUNNEL_ETAG,           /* IEEE 802.1BR */
	BPE_TUNNEL_CISCO_METADATA, /* Cisco TrustSec's CMD header */
	BPE_TUNNEL_HSR,            /* IEC 62439-3 */
	BPE_TUNNEL_ARISTA,         /* Arista's time stamps */
	BPE_TUNNEL_MACSEC,         /* IEEE 802.1AE, not encrypted */
	BPE_TUNNEL_LLC_IP,         /* IPv4 behind LLC 06 06 03: IEEE 802.2, RFC 1060 */
	BPE_TUNNEL_MESH,           /* IEEE 802.11 mesh control */
	BPE_TUNNEL_AMSDU,          /* IEEE 802.11 aggregated MSDUs */
	BPE_TUNNEL_COUNT
};
#define BPE_TUNNEL_BIT(kind) (UINT64_C(1) << (kind))
/* "vxlan"; NULL for BPE_TUNNEL_NONE and past the last.  Any thread. */
BPE_API const char *bpe_tunnel_name(int kind);

/* The innermost tunnel that a packet lies in. */
struct bpe_tunnel {
	uint8_t kind;       /* enum bpe_tunnel_kind */
	uint8_t depth;      /* how many packets it lies in: 1 and more */
	uint8_t ip_version; /* of the packet that carries it: 4 or 6; 0: no IP packet does */
	uint8_t has_id;     /* id is told */
	uint32_t id; /* VNI, TEID, key, session, I-SID, label, SPI, ...; L2TP: the tunnel's in the
			upper half, the session's in the lower one */
	uint8_t addr[2][16]; /* from, to; network byte order; IPv4: first 4 bytes */
};

/* Where the layers of a packet begin: offsets in bytes from its first captured byte. */
struct bpe_layers {
	uint16_t network;   /* IP or ARP header; BPE_NO_OFFSET if none */
	uint16_t transport; /* TCP, UDP, ... header; BPE_NO_OFFSET if none was captured */
	uint16_t payload;   /* first byte behind the last header known; BPE_NO_OFFSET if none */
	uint16_t flags;     /* BPE_PKT_* */
	uint32_t end;       /* one past the packet's last byte by its own length fields, at most its
			       captured length */
	uint16_t ethertype; /* behind all VLAN tags; 0 where the link type has none */
	uint8_t ip_proto;   /* protocol (IPv4), or last next header (IPv6); behind AH, what it
			       protects */
	uint8_t proto;      /* enum bpe_proto */
	uint16_t link_type; /* LINKTYPE_* as in savefiles (1 = Ethernet, 101 = raw IP, ...) */
	uint8_t tcp_flags;  /* byte 13 of the TCP header; 0 if not TCP */
	uint8_t vlan_count;
	uint16_t vlan[2]; /* VLAN ids of the outermost and the next tag; 0 if none */
};

/* A flow's identity, the same for both directions: endpoint 0 is the lower one by address, then
 * port. IPv4 addresses fill the first 4 bytes, the other 12 are 0.  Bytes are compared as one
 * block: no padding is left unset. Of a packet in a tunnel it is the inner one's
 * (options.outermost: the outer one's); of an ICMP error, that of the flow whose packet it quotes,
 * which goes the other way; of a later fragment, its first one's, as far as that was seen: so
 * ip_proto and ip_version may not be the layers'. */
struct bpe_key {
	uint8_t addr[2][16]; /* network byte order */
	uint16_t port[2]; /* host byte order; ICMP echo: the identifier in both; 0 where there are
			     none */
	uint8_t ip_proto;
	uint8_t ip_version; /* 4 or 6 */
	uint16_t vlan[2];   /* VLAN ids, outermost first; 0 if none.  Where one direction
			     * alone has them: with options.flows, those of both */
	uint8_t zero[2];
	uint32_t tunnel; /* a digest of the tunnels that the packet lies in, the same for both
			    directions; 0: none, or options.ignore_tunnel */
};

/* The Toeplitz hash by which network cards choose a queue (RSS), of the addresses and, for TCP and
 * UDP, the ports, from the sender to the receiver; reversed: endpoint 1 of the key is the sender
 * (BPE_PKT_REVERSED).  rss_key: the card's; NULL: 0x6d5a over and over, by which both directions
 * have one hash.  Any thread. */
#define BPE_RSS_KEY_BYTES 40
BPE_API uint32_t bpe_toeplitz(
	const struct bpe_key *key, bool reversed, const uint8_t rss_key[BPE_RSS_KEY_BYTES]);

/* Up to BPE_BATCH packets, side by side: element i of each column is packet i. */
struct bpe_batch {
	uint32_t count;
	uint32_t worker;              /* number of the worker that calls, from 0 */
	const uint8_t *const *data;   /* first captured byte */
	const int64_t *time_ns;       /* time stamp */
	const uint32_t *caplen;       /* bytes captured: data[i][0 .. caplen[i]) may be read */
	const uint32_t *wirelen;      /* bytes on the wire */
	const uint32_t *interface_id; /* pcapng: interface number in the file, over all sections;
					 "any": the system's index of the interface; else 0 */
	const struct bpe_layers *layers;
	const struct bpe_key *key; /* where layers[i].flags has BPE_PKT_KEY */
	const uint32_t *hash;      /* of the key, seeded; 0 where there is none */
	const uint32_t *flow;      /* for bpe_batch_flow; NULL where no flows are kept */
	const void *table;         /* for bpe_batch_flow */
	const uint16_t
		*meta; /* for bpe_batch_meta; NULL where the source tells no more of a packet */
	uint64_t closed_tunnels; /* options.closed_tunnels */
};

/* Packet i parsed again, down to its innermost or no farther than its outermost IP header,
 * whichever of the two its columns are of.  1: *layers is filled and so is *key (NULL allowed), 0:
 * it has no flow, *layers is filled; BPE_E_ARGUMENT.  Later fragments have ports 0.  While the
 * batch is good. Any thread. */
#define BPE_LAYERS_INNERMOST 0u
#define BPE_LAYERS_OUTERMOST 1u
BPE_API int bpe_batch_layers(const struct bpe_batch *batch, uint32_t i, uint32_t which,
	struct bpe_layers *layers, struct bpe_key *key);

/* The innermost tunnel that packet i lies in, found again in its bytes.  1 and *tunnel filled, 0:
 * in none; BPE_E_ARGUMENT.  While the batch is good.  Any thread. */
BPE_API int bpe_batch_tunnel(const struct bpe_batch *batch, uint32_t i, struct bpe_tunnel *tunnel);

/* TCP's options (RFC 9293; window scale, timestamps: RFC 7323; SACK: RFC 2018). */
#define BPE_TCP_MSS 0x01u
#define BPE_TCP_WINDOW_SCALE 0x02u
#define BPE_TCP_SACK_PERMITTED 0x04u
#define BPE_TCP_SACK 0x08u
#define BPE_TCP_TIMESTAMPS 0x10u
#define BPE_TCP_OPTIONS_BAD                                                                        \
	0x80u /* cut, or one of a wrong length; what could be read of them is filled */

struct bpe_tcp_options {
	uint32_t present; /* BPE_TCP_* */
	uint32_t timestamp, timestamp_echo;
	uint32_t sack[4][2];  /* blocks: first sequence number, and the one behind the last */
	uint16_t mss;         /* bytes */
	uint8_t window_scale; /* bits to shift by */
	uint8_t sack_count;
};

/* Those of packet i.  1 and *options filled; 0: not TCP, or not its whole fixed header;
 * BPE_E_ARGUMENT.  While the batch is good.  Any thread. */
BPE_API int bpe_batch_tcp_options(
	const struct bpe_batch *batch, uint32_t i, struct bpe_tcp_options *options);

/* What macOS knows of a packet beside its bytes (struct bpf_hdr_ext and struct pktap_header of
 * xnu's bsd/net). */
#define BPE_META_DIRECTION 0x01u  /* the next flag is told */
#define BPE_META_OUT 0x02u        /* sent by this host */
#define BPE_META_PROCESS 0x04u    /* pid is told; comm where it is not "" */
#define BPE_META_RETRANSMIT 0x08u /* TCP sent it again */
#define BPE_META_START_SEQUENCE 0x10u
#define BPE_META_LAST 0x20u /* last packet of its flow, as the system says */
#define BPE_META_WAKE 0x40u /* it woke the machine */
#define BPE_META_NEW_FLOW 0x80u
#define BPE_META_KEEP_ALIVE 0x100u

struct bpe_meta {
	uint32_t flags;                             /* BPE_META_* */
	int32_t pid, effective_pid;                 /* owner; on whose behalf; -1 if not told */
	char comm[32], effective_comm[32];          /* their names; "" if not told */
	char interface_name[25];                    /* PKTAP: where it was seen; else "" */
	uint32_t service_class;                     /* SO_TC_*; 0 if not told */
	uint32_t unsent_bytes, unsent_socket_bytes; /* queued behind it, outgoing TCP: at the
						       interface, in the socket */
	uint32_t trace_tag;
};

/* What the source tells of packet i.  1 and *meta filled; 0 if nothing.  While the batch is good.
 */
BPE_API int bpe_batch_meta(const struct bpe_batch *batch, uint32_t i, struct bpe_meta *meta);

/* ---- Flows ---- */

enum bpe_tcp_state {
	BPE_TCP_NONE = 0,     /* not TCP */
	BPE_TCP_SYN_SENT,     /* SYN seen */
	BPE_TCP_SYN_RECEIVED, /* SYN and SYN-ACK seen */
	BPE_TCP_ESTABLISHED,  /* handshake seen whole, or joined in the middle (BPE_FLOW_MIDSTREAM)
			       */
	BPE_TCP_CLOSING,      /* one side has sent FIN */
	BPE_TCP_CLOSED,       /* both sides have sent FIN */
	BPE_TCP_RESET         /* RST seen */
};

enum bpe_flow_end {
	BPE_END_NONE = 0, /* still alive (bpe_batch_flow, bpe_engine_top_flows) */
	BPE_END_IDLE,     /* no packet for the idle time-out */
	BPE_END_CLOSED,   /* TCP closed or reset, and the closed time-out passed or its ports were
			     used anew */
	BPE_END_EVICTED,  /* the table was full and this one was the first to go */
	BPE_END_STOP,     /* the engine stopped */
	BPE_END_ACTIVE,   /* no end: a period of flow_active_ns is over, and the flow goes on */
	BPE_END_SNAPSHOT /* no end: somebody asked (bpe_engine_snapshot_flows), and the flow goes on
			  */
};
BPE_API const char *bpe_flow_end_name(
	int end); /* "idle"; "" for BPE_END_NONE; NULL past the last.  Any thread. */

/* What a flow is when it is evicted, in the order in which they go. */
enum bpe_evicted {
	BPE_EVICTED_SINGLE = 0, /* one packet so far, no TCP header in it */
	BPE_EVICTED_HALF_OPEN,  /* TCP that is not established: no handshake, or one packet */
	BPE_EVICTED_CLOSED,     /* TCP closed or reset */
	BPE_EVICTED_ALIVE,      /* any other, the quietest of some: nothing lesser was left */
	BPE_EVICTED_CROWDED, /* not for want of room, but its neighbourhood in the index was full:
				keys that collide */
	BPE_EVICTED_COUNT
};
BPE_API const char *bpe_evicted_name(
	int evicted); /* "half_open"; NULL past the last.  Any thread. */

/* A flow's kind as far as time-outs go. */
enum bpe_timeout {
	BPE_TIMEOUT_TCP_OPENING = 0, /* handshake not complete */
	BPE_TIMEOUT_TCP_ESTABLISHED,
	BPE_TIMEOUT_TCP_CLOSING, /* one FIN */
	BPE_TIMEOUT_TCP_CLOSED,  /* two FINs, or a reset */
	BPE_TIMEOUT_UDP_ONE_WAY, /* also UDP-Lite; one end has sent */
	BPE_TIMEOUT_UDP_TWO_WAY,
	BPE_TIMEOUT_ICMP,
	BPE_TIMEOUT_OTHER,
	BPE_TIMEOUT_COUNT
};
BPE_API const char *bpe_timeout_name(
	int timeout); /* "tcp-opening"; NULL past the last.  Any thread. */

#define BPE_FLOW_MIDSTREAM 0x1u /* TCP whose SYN was not seen: the direction is inferred */
#define BPE_FLOW_CONTINUED                                                                         \
	0x2u /* earlier periods of it were handed over (BPE_END_ACTIVE): counts are since then */
#define BPE_FLOW_CUT                                                                               \
	0x4u /* there was no room to keep all of its history, options and health, or a count ended \
		at 65,535 */
#define BPE_FLOW_BY_PORT                                                                           \
	0x8u /* the direction is by options.direction_by_port, whatever the first packet's was */
#define BPE_FLOW_TUNNEL 0x10u /* its first packet lay in another one's payload */
#define BPE_FLOW_ICMP 0x20u   /* icmp_type and icmp_code are known */
#define BPE_FLOW_LENGTHS                                                                           \
	0x40u /* ip_bytes and payload_bytes were counted (options.flow_lengths)                    \
	       */
#define BPE_FLOW_INTERFACE_ID 0x80u /* interface_id is known */
#define BPE_FLOW_HEALTH                                                                            \
	0x100u /* TCP's sequence numbers were followed: a count of 0 says that there were none */

#define BPE_FLOW_VERSION 1

/* One flow, with its ends told apart: index 0 is the originator (sender of the first SYN, else of
 * the first packet). A later version fills what is reserved and never gives a member another
 * meaning: a reader looks at version before those that came later. */
struct bpe_flow {
	uint16_t version;         /* BPE_FLOW_VERSION of the library */
	uint16_t size;            /* sizeof(struct bpe_flow) there */
	uint32_t interface_index; /* live: the system's number of the interface that its first
				     packet came by (if_nametoindex(3)); 0 not known */
	uint8_t addr[2][16];      /* network byte order; IPv4: first 4 bytes */
	uint16_t port[2];         /* 0 where there are none; ICMP echo: the identifier in both */
	uint8_t ip_proto;
	uint8_t ip_version;
	uint16_t vlan[2];             /* outermost first; 0 none */
	uint8_t tcp_state;            /* enum bpe_tcp_state */
	uint8_t tcp_flags[2];         /* all TCP flags that this end has sent, or-ed */
	uint8_t end;                  /* enum bpe_flow_end */
	uint8_t icmp_type, icmp_code; /* of its first packet, with BPE_FLOW_ICMP */
	uint32_t flags;               /* BPE_FLOW_* */
	uint32_t hash;
	uint32_t interface_id; /* pcapng: number in the file, over all sections, of its first
				  packet's interface, with BPE_FLOW_INTERFACE_ID */
	uint16_t worker;       /* the number of the one that kept it */
	uint16_t zero;
	uint64_t packets[2]; /* sent by this end */
	uint64_t captured_bytes[2];
	uint64_t wire_bytes[2];
	uint64_t ip_bytes[2]; /* with BPE_FLOW_LENGTHS: by IP's own length fields, headers included,
				 at most what the frames held */
	uint64_t payload_bytes[2]; /* behind the transport header (of other protocols: IP's), what
				      was sent again included */
	int64_t first_ns, last_ns;
	char interface_name[256];   /* "" not known; a longer one is cut */
	int32_t pid, effective_pid; /* this host's process, with options.process; -1 if not known */
	char comm[32], effective_comm[32];

	/* TCP, as far as its headers were captured (options.no_tcp_health: none of it).  Index k:
	 * sent by end k. */
	char history[32]; /* Zeek's letters, each at its first time only: S SYN, H SYN-ACK, A bare
			   * ACK, D data, F FIN, R RST, T sent again, W zero window, G gap, Q SYN
			   * with FIN or RST, I FIN with RST, C bad checksum; capital: originator's.
			   * ^ first: direction by the SYN-ACK */
	int64_t handshake_ns[2]; /* ACK behind SYN-ACK (the originator's distance), SYN-ACK behind
				    SYN (the responder's), to one part in 1,024; -1 not seen */
	int64_t rtt_ns[2]; /* from here to end k and back: its ACK behind the other's data, smoothed
			    * as TCP does it (RFC 6298; segments sent again tell none); -1 not seen.
			    * Of many busy connections not every segment is timed. */
	uint16_t mss[2];   /* 0: not told */
	int8_t window_scale[2];      /* bits; -1: not told */
	uint32_t retransmissions[2]; /* segments sent again, those of the next two among them */
	uint32_t fast_retransmissions[2]; /* within 20 ms, or twice their sender's distance, of two
					     repeated ACKs for it */
	uint32_t spurious_retransmissions[2]; /* acknowledged before they were sent again */
	uint32_t out_of_order[2]; /* fills a hole within a round trip (3 ms if that is not known) of
				     what followed it */
	uint32_t repeated_acks[2];
	uint32_t zero_windows[2];
	uint32_t lost_segments[2]; /* holes: segments before this one were not captured, or not yet
				    */
	uint32_t unseen_acks[2];   /* ACKs for what the other end was not seen to send */
	uint32_t keep_alives[2];

	/* Of any protocol.  Index k: of packets[k]. */
	uint32_t icmp_errors[2];  /* ICMP errors that quote a packet of the other end: no packets of
				     the flow's own, and no answer to it */
	uint32_t duplicates[2];   /* TCP: packets that were seen twice (options.duplicates): no
				     retransmissions, no repeated ACKs */
	struct bpe_tunnel tunnel; /* of its first packet; kind BPE_TUNNEL_NONE: not known, or in
				     none (BPE_FLOW_TUNNEL) */
	uint64_t reserved[1];     /* 0 */
};

/* Zeek's conn_state ("SF", "S0", "REJ", ... "OTH"), of the record alone.  Never NULL.  Any thread.
 */
BPE_API const char *bpe_flow_conn_state(const struct bpe_flow *flow);

/* The Community ID, version 1 ("1:..."), for that seed (0 is usual).  1, or 0 where it needs an
 * ICMP type that the record does not tell: of ICMP it is had of questions with answers, as echoes
 * are.  Any thread. */
#define BPE_COMMUNITY_ID_BYTES 32
BPE_API int bpe_flow_community_id(
	const struct bpe_flow *flow, uint16_t seed, char id[BPE_COMMUNITY_ID_BYTES]);

/* What a record looks like as a line of text. */
enum bpe_format {
	BPE_FORMAT_JSON = 0, /* JSON lines, schema bpfengine.flow/1: bpfengine(1) has the names */
	BPE_FORMAT_ZEEK,     /* JSON lines with the names of Zeek's conn.log */
	BPE_FORMAT_EVE,      /* JSON lines as Suricata's EVE has flows */
	BPE_FORMAT_CSV,      /* RFC 4180; the first line names the columns */
	BPE_FORMAT_ECS,      /* JSON lines with the names of the Elastic Common Schema */
	BPE_FORMAT_COUNT
};
BPE_API const char *bpe_format_name(int format); /* "json"; NULL past the last.  Any thread. */

/* The record as a line, its end included ("\n"; CSV: "\r\n"), and a 0 behind it.  What is not known
 * is left out (CSV: empty).  flow NULL: the line that comes before all others, CSV's names; other
 * formats have none, and its length is 0.  Returns the length without the 0; BPE_E_ARGUMENT: no
 * such format, a record of no version that is known, or text, of size bytes, is too small
 * (BPE_FORMAT_BYTES are always enough).  Any thread. */
#define BPE_FORMAT_BYTES 8192
BPE_API int bpe_flow_format(const struct bpe_flow *flow, uint32_t format, char *text, size_t size);

/* The flow that packet i of the batch belongs to, as it stands now.  1 and *flow filled; 0 if it
 * has none. Only within the batch handler that was given the batch, on its thread. */
BPE_API int bpe_batch_flow(const struct bpe_batch *batch, uint32_t i, struct bpe_flow *flow);

/* ---- Options ---- */

/* Called on a worker's thread (with 0 workers: the thread that reads).  The batch is a view, good
 * until the return. */
typedef void (*bpe_batch_fn)(void *user, const struct bpe_batch *batch);
/* Called on the worker's thread when a flow ends; worker is its number.  The flow is a view.  As
 * on_record and of bpe_engine_snapshot_flows, flow may be NULL: see there. */
typedef void (*bpe_flow_fn)(void *user, const struct bpe_flow *flow, uint32_t worker);
/* Called when something was refused or happened that is no error: one sentence.  From the thread
 * that opens, or the reader. */
typedef void (*bpe_notice_fn)(void *user, const char *text);

enum bpe_overload {
	BPE_OVERLOAD_WAIT = 0, /* a full ring stops reading: the kernel counts the loss */
	BPE_OVERLOAD_DROP      /* a full ring drops packets: we count them ("ring_full") */
};

/* What a worker does whose ring of records is full.  At the end of a run, when nothing is read any
 * more, it waits in any case, until on_record has not returned for 2 seconds. */
enum bpe_record_overload {
	BPE_RECORD_AUTO = 0, /* live (by the clock): drop, so that no packet is lost to a slow
				on_record; savefiles: wait */
	BPE_RECORD_DROP,     /* the record: counted (records_dropped) */
	BPE_RECORD_WAIT
};

enum bpe_priority {
	BPE_PRIORITY_NORMAL = 0,
	BPE_PRIORITY_HIGH,    /* macOS: QoS user-interactive; Linux: nice -10 */
	BPE_PRIORITY_REALTIME /* Linux: SCHED_FIFO; macOS: user-interactive */
};

#define BPE_WORKERS_AUTO (-1)

/* An instruction of classic BPF (bpf(4)); a program's last ones return how many bytes to keep, 0:
 * none. */
struct bpe_insn {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};
#define BPE_MAX_INSNS 512 /* what a kernel takes (BPF_MAXINSNS) */

/* How the BPF device is read. */
enum bpe_read_mode {
	BPE_READ_AUTO = 0,   /* wakes at once on an idle link, paces itself on a busy one */
	BPE_READ_THROUGHPUT, /* blocking reads of whole buffers, at the latest every 50 ms */
	BPE_READ_LATENCY,    /* BIOCIMMEDIATE: wakes for each packet */
	BPE_READ_PACED       /* looks every read_interval_ns and takes what there is */
};

/* TCP packets that a mirror port, or a capture on several interfaces, shows twice within a
 * millisecond, with the same IP identification and checksums. */
enum bpe_duplicates {
	BPE_DUPLICATES_TELL = 0, /* counted as packets and as duplicates, and as nothing else */
	BPE_DUPLICATES_IGNORE    /* not told apart: they are retransmissions, or repeated ACKs */
};

enum bpe_direction {
	BPE_DIRECTION_BOTH = 0,
	BPE_DIRECTION_IN, /* what this host receives */
	BPE_DIRECTION_OUT /* what it sends */
};

/* Strings and handlers are borrowed until the engine or capture is closed. */
struct bpe_options {
	uint32_t struct_size; /* set by bpe_options_init; lets the structure grow */

	/* Source: exactly one of the two. */
	const char *interface_name; /* "en0", "eth0", "any" (Linux), "bpf:en0", "synth" or
				     * "synth:flows=1000,size=imix,..."; "if:NAME": the interface of
				     * that name in any case, also where NAME is any or synth */
	const char *file;           /* savefile, pcap or pcapng; "-" is the standard input */

	uint32_t snaplen;      /* bytes to keep of each packet; default BPE_MAX_SNAPLEN */
	bool promiscuous;      /* default false */
	uint64_t buffer_bytes; /* kernel's capture buffer; 0 = automatic */
	uint32_t block_bytes;  /* one read; 0 = automatic */
	uint32_t block_count;  /* blocks in flight; 0 = automatic */
	uint64_t max_packets;  /* stop after so many; 0 = no limit */

	int32_t workers; /* 0 = all on the reading thread; BPE_WORKERS_AUTO (default): 0 for files
			    and synth */
	uint32_t ring_slots; /* packets that a worker's ring holds, a power of two; 0 = automatic */
	uint32_t overload;   /* enum bpe_overload */
	bool pin_workers;    /* one core each, where the system allows */
	uint32_t priority;   /* enum bpe_priority */

	bool flows;             /* keep flows; default true */
	uint64_t max_flows;     /* in all workers together; default 1,000,000 */
	int64_t flow_idle_ns;   /* end a flow after so long without a packet; default 300 s */
	int64_t flow_closed_ns; /* end a closed or reset TCP connection after so long; default 10 s
				 */
	bool fixed_seed;        /* false: the hash's seed is random */
	uint64_t hash_seed;     /* used if fixed_seed */

	bool outermost; /* flows by the outermost IP header: no tunnel in IP is gone into */
	bool checksums; /* verify them: BPE_PKT_BAD_CHECKSUM; never those of frames that this host
			   sent */

	bpe_batch_fn on_batch;
	bpe_flow_fn on_flow;
	bpe_notice_fn on_notice;
	void *user; /* handed to the three */

	const struct bpe_insn
		*filter; /* classic BPF for the source's link type; NULL: everything.  Copied. */
	uint32_t filter_length;        /* its instructions */
	const char *filter_expression; /* instead: pcap-filter(7), compiled for each link type that
					  the source has; NULL: none */
	uint32_t filter_through;       /* BPE_THROUGH_*: filter_expression holds behind these
					  encapsulations, too */

	/* The BPF device: interfaces of macOS and the BSDs, and "bpf:NAME" anywhere. */
	const char *bpf_abi;    /* "macos", "freebsd", "netbsd", "openbsd"; NULL: this system's */
	const char *bpf_device; /* the nodes' path, macOS without their number; NULL: "/dev/bpf" */
	uint32_t read_mode;     /* enum bpe_read_mode */
	int64_t read_interval_ns; /* BPE_READ_PACED; 0 = 1 ms */
	uint32_t direction;       /* enum bpe_direction; on Linux's interfaces, too */
	int32_t link_type; /* LINKTYPE_* to choose of those that the interface offers; -1 (default):
			      its own */
	bool wait_interface; /* when the interface goes away, wait for its return and go on */
	bool process;   /* macOS: which process packets belong to, and more (BIOCSEXTHDR, PKTAP) */
	bool head_drop; /* macOS: when full, lose the oldest packets instead of the newest
			   (BIOCSHEADDROP) */
	bool header_compression; /* macOS 13: the kernel leaves out what a packet shares with the
				  * one before (BIOCSHDRCOMP); BPE_E_ARGUMENT on PKTAP, where
				  * process names would be wrong */
	bool truncate_payload;   /* macOS, on pktap: headers only (BIOCSTRUNCATE) */
	bool zero_copy;          /* FreeBSD: buffers shared with the kernel (BPF_BUFMODE_ZBUF) */

	bool count_only; /* engine: packets are counted, and handed to on_batch, as of a link type
			  * that is not parsed (bpe_batch_layers parses one when asked); no flows,
			  * all on the reading thread; default false */
	int64_t flow_timeout_ns[BPE_TIMEOUT_COUNT]; /* by kind; 0 (default): flow_closed_ns for
						       TCP_CLOSED, else flow_idle_ns */
	int64_t flow_active_ns; /* hand a flow over every so long, on its next packet
				   (BPE_END_ACTIVE); 0 (default): at its end only */
	bool no_tcp_health;     /* TCP's sequence numbers are not followed: states and flags only */
	uint64_t max_flow_bytes; /* most memory for flows, in all workers together: lowers max_flows
				    to what fits; 0 (default): no bound but it */

	bool direction_by_port; /* where no SYN told who began: the end with a port below 1024 is
				   the responder, of two such, or none, the lower one */
	bool flow_lengths; /* count ip_bytes and payload_bytes, too: 32 bytes more for a flow */

	/* Records on a thread of their own, where a handler may be slow.  What on_flow is given on
	 * the worker's thread, this is given on the engine's output thread, one at a time, out of a
	 * ring for each worker; beside on_flow or instead.  flow NULL: nothing waits (after
	 * records, and every 10 ms or so; once more at the very end): a time to flush. */
	bpe_flow_fn on_record;
	uint32_t record_ring_bytes; /* of each worker, a power of two from 4096; 0 = automatic (4
				       MiB) */
	uint32_t record_overload;   /* enum bpe_record_overload */
	uint32_t duplicates;        /* enum bpe_duplicates; with TCP health */

	uint64_t closed_tunnels; /* BPE_TUNNEL_BIT of each kind that is not gone into; 0 (default):
				    all are */
	bool ignore_tunnel; /* equal inner addresses are one flow, whatever tunnels they come by */
	bool ignore_vlan; /* VLAN ids do not tell flows apart: those of the key, and of records, are
			     0 */
};

BPE_API void bpe_options_init(struct bpe_options *options);

/* ---- Statistics ---- */

/* Why a packet that was read was not delivered. */
enum bpe_drop {
	BPE_DROP_RING_FULL = 0, /* a worker's ring was full (overload = drop) */
	BPE_DROP_STALLED,   /* a worker did not take its ring's packets before the engine was closed
			     */
	BPE_DROP_DUPLICATE, /* the second sight of a packet on a loopback interface */
	BPE_DROP_COUNT
};
BPE_API const char *bpe_drop_name(int drop); /* "ring_full"; NULL past the last.  Any thread. */

/* Packet sizes on the wire, in the classes of RFC 2819 (etherStats), two more at the end. */
#define BPE_SIZE_CLASSES                                                                           \
	8 /* <=64, 65-127, 128-255, 256-511, 512-1023, 1024-1518, 1519-9216, above */
BPE_API const char *bpe_size_class_name(
	int size_class); /* "65-127"; NULL past the last.  Any thread. */

/* The books: read = delivered + sum of dropped + in_flight.  kernel_* are the source's own counts,
 * as it defines them (Linux: packet(7) PACKET_STATISTICS), 0 for files. */
/* Savefiles tell what their statistics say (pcapng), synth at a rate what it skipped; no BPF device
 * the interface's drops; FreeBSD, OpenBSD and macOS 11 and 12 not what the filter let through. */
#define BPE_KNOWN_RECEIVED 0x1u
#define BPE_KNOWN_DROPPED 0x2u
#define BPE_KNOWN_INTERFACE_DROPPED 0x4u
#define BPE_KNOWN_ACCEPTED 0x8u

struct bpe_stats {
	uint64_t elapsed_ns;                 /* since start, until the end of the run */
	uint64_t read_packets;               /* records taken from the source */
	uint64_t captured_bytes, wire_bytes; /* of those */
	uint64_t delivered_packets;          /* through parser, flow table and handlers */
	uint64_t dropped[BPE_DROP_COUNT];
	uint64_t in_flight; /* on their way; 0 after the end */
	uint64_t kernel_received, kernel_dropped,
		interface_dropped; /* kernel_known says which of them are counts */
	uint64_t kernel_accepted;  /* of kernel_received: let through by its filter */
	uint64_t filtered; /* taken out by us, where the kernel did not filter; not in read_packets
			    */
	uint64_t torn_blocks; /* live: buffers whose records ran past their end */
	uint64_t blocks;      /* buffers read */
	uint64_t waits;       /* times the reader waited for a full ring or a free block */
	uint64_t batches;     /* batches through the workers */
	uint64_t sizes[BPE_SIZE_CLASSES]; /* packets by wire length, delivered ones */
	uint64_t truncated, bad_version, bad_header,
		bad_length; /* delivered packets with that flag */
	uint64_t fragments, vlan_packets, ip4_packets, ip6_packets;
	uint64_t bad_checksum, tunnel_packets, icmp_errors; /* the same, for BPE_PKT_BAD_CHECKSUM,
							       BPE_PKT_TUNNEL, BPE_PKT_ICMP_ERROR */
	uint64_t fragments_followed, fragments_lost; /* later fragments read: on their first one's
							flow; without one, on a flow with ports 0 */
	uint64_t fragments_evicted; /* first fragments that were forgotten too early, for want of
				       room */
	uint64_t flows_opened, flows_active, flows_peak, flows_ended,
		flows_evicted;  /* opened = active + ended + evicted */
	uint64_t flow_packets;  /* delivered packets that belong to a flow */
	uint64_t flows_refused; /* packets whose flow found no room (max_flows = 0) */
	uint64_t packets_per_second, bits_per_second; /* read, over the last whole second */
	/* Packets before the filter by their direction, where a savefile records it. */
	uint64_t inbound_packets, outbound_packets;
	int64_t first_packet_ns, last_packet_ns; /* earliest and latest time stamp of the packets
						    read; 0 before the first.  They may be more than
						    2^63 ns apart: subtract as uint64_t */
	uint64_t source_bytes,
		source_position; /* savefiles: length and how far read; 0 if unknown */
	uint32_t workers;        /* worker threads; 0: run to completion */
	uint64_t empty_reads; /* live: read() calls (BPF devices) or waits (AF_PACKET) that brought
				 nothing; blocks are those that did */
	uint64_t block_bytes, block_capacity; /* bytes that those blocks held, and could have held;
						 0 for savefiles */
	uint64_t evicted[BPE_EVICTED_COUNT];  /* flows_evicted, by what they were */
	uint64_t flows_periods;               /* records of BPE_END_ACTIVE */
	uint64_t flow_bytes;      /* memory that the flow tables take, as far as touched */
	uint64_t time_steps;      /* times at which the packets' clock was seen to jump */
	uint64_t records;         /* that on_record was given; with on_record, at the end: records +
				     records_dropped = flows_opened + flows_periods + flows_shown */
	uint64_t records_dropped; /* for a full ring, or an on_record that stood still at the end */
	uint64_t flows_shown;     /* records of BPE_END_SNAPSHOT for on_record */
	uint64_t interface_down; /* live: 1 while the interface is down, so that nothing can come */
	uint64_t duplicates;     /* TCP packets that were seen twice (options.duplicates) */
	uint64_t kernel_known; /* BPE_KNOWN_*: what the source tells; the rest is 0 and unknown, not
				  none */
};

struct bpe_worker_stats {
	uint64_t packets, captured_bytes, wire_bytes, batches, dropped;
	uint64_t flows_active, flows_peak;
	uint32_t ring_depth, ring_peak, ring_slots;
	uint64_t records, records_dropped; /* as in struct bpe_stats */
	uint32_t record_ring_peak, record_ring_bytes;
};

/* One line of the protocol table. */
struct bpe_protocol {
	char name[32]; /* "tcp", "arp", "ospf", "ip-proto-254", "lldp", "ethertype-0x9000",
			  "FRELAY", "linktype-999", "llc", "damaged" */
	uint64_t packets, bytes; /* delivered; bytes on the wire */
};

/* "ospf" for 89, as IANA's protocol numbers have it, in small letters; NULL for those that we have
 * no name of.  Any thread. */
BPE_API const char *bpe_ip_proto_name(int ip_proto);

/* ---- Filters ---- */

/* Compiles an expression of pcap-filter(7) for packets of that link type (LINKTYPE_*) to classic
 * BPF, whose last instructions return snaplen (0: BPE_MAX_SNAPLEN) or 0.  *program is for
 * bpe_filter_free.  BPE_E_ARGUMENT: the expression is wrong; the text says what, and where: lines
 * two and three are the place and carets below it.  BPE_E_UNSUPPORTED: not for that link type.
 * Names are asked of the system's resolver, which may take its time.  Any thread. */
BPE_API int bpe_filter_compile(const char *expression, int link_type, uint32_t snaplen,
	struct bpe_insn **program, uint32_t *length, struct bpe_error *error);

/* Encapsulations that an expression may be looked for behind: 802.1Q and 802.1ad tags, MPLS labels,
 * PPPoE sessions, GRE (RFC 2784, 2890), IP in IP (RFC 2003, 2473, 4213), VXLAN (RFC 7348), Geneve
 * (RFC 8926), GTP-U (TS 29.281). */
#define BPE_THROUGH_VLAN 0x01u
#define BPE_THROUGH_MPLS 0x02u
#define BPE_THROUGH_PPPOE 0x04u
#define BPE_THROUGH_GRE 0x08u
#define BPE_THROUGH_IPIP 0x10u
#define BPE_THROUGH_VXLAN 0x20u
#define BPE_THROUGH_GENEVE 0x40u
#define BPE_THROUGH_GTPU 0x80u
/* Beside them, not one of the two: IPv6's extension headers, up to four (RFC 8200).  Protocols and
 * ports hold behind them, and tcp[...] and its kin on IPv6 at all. */
#define BPE_THROUGH_IPV6_EXT 0x100u

/* Fill with bpe_filter_options_init, then change what is to differ.  Defaults in parentheses. */
/* What is known of packets beside their bytes. */
enum bpe_way {
	BPE_WAY_NOT_TOLD =
		0,       /* "inbound" and "outbound" are what the link header says, or an error */
	BPE_WAY_UNKNOWN, /* other packets of the source say it, and these do not: neither holds */
	BPE_WAY_IN,      /* received by the host that captured them */
	BPE_WAY_OUT      /* sent by it */
};

struct bpe_filter_options {
	int32_t link_type; /* LINKTYPE_* (1) */
	uint32_t snaplen;  /* 0: BPE_MAX_SNAPLEN */
	uint32_t through;  /* BPE_THROUGH_*: packets match, too, that match behind up to two of
			      these, or in IPv6 behind its extension headers (0) */
	uint32_t netmask;  /* of the interface, for "ip broadcast", if has_netmask */
	uint8_t has_netmask;
	uint8_t unoptimized; /* the tests as they were written, one after another */
	uint8_t no_names;    /* the system is not asked for hosts, services, protocols and networks:
				numbers only */
	const char *kernel;  /* "macos", "freebsd", "netbsd", "openbsd", "linux": for that system's
			      * kernel.  It is the program, or, where the kernel takes  no such
			      * program, a wider one, which lets through all that the expression
			      * means and more (NULL: any length, all of  classic BPF) */
	uint32_t way;        /* enum bpe_way of all packets that the program is for */
};

/* Any thread. */
BPE_API void bpe_filter_options_init(struct bpe_filter_options *options);
/* As bpe_filter_compile, with all that can be chosen; its errors, and BPE_E_ARGUMENT for unknown
 * bits in through.  Any thread. */
BPE_API int bpe_filter_compile_with(const char *expression,
	const struct bpe_filter_options *options, struct bpe_insn **program, uint32_t *length,
	struct bpe_error *error);
BPE_API void bpe_filter_free(struct bpe_insn *program);
/* The expression in plain words, a few lines in English: what it lets through, what its program
 * costs, and what options->kernel (NULL: each kernel) does of it.  *text is for
 * bpe_filter_text_free.  Errors as bpe_filter_compile_with.  Any thread. */
BPE_API int bpe_filter_explain(const char *expression, const struct bpe_filter_options *options,
	char **text, struct bpe_error *error);
BPE_API void bpe_filter_text_free(char *text);
/* Bytes of the packet to keep, 0: none; the program is bpe_filter_compile's, or one that the check
 * finds good.  Any thread. */
BPE_API uint32_t bpe_filter_run(
	const struct bpe_insn *program, const uint8_t *data, uint32_t wirelen, uint32_t caplen);

/* ---- Engine ---- */

struct bpe_engine;

/* Opens the source.  Everything that needs rights happens here, but for what wait_interface does
 * when an interface comes back; nothing is read yet.  The options are copied. */
BPE_API int bpe_engine_open(
	const struct bpe_options *options, struct bpe_engine **engine, struct bpe_error *error);
/* Starts the threads and returns.  Once in an engine's life. */
BPE_API int bpe_engine_start(struct bpe_engine *engine, struct bpe_error *error);
/* Waits until the run has ended (source at its end, max_packets, stop, or an error), at most
 * timeout_ns (< 0: for ever). 1 if it has ended, 0 if the time passed. */
BPE_API int bpe_engine_wait(struct bpe_engine *engine, int64_t timeout_ns);
/* Asks the run to end: reading ceases, what was read is delivered, flows are handed over.  Returns
 * at once. Any thread, and signal handlers. */
BPE_API void bpe_engine_stop(struct bpe_engine *engine);
/* start, wait at most duration_ns (<= 0: no limit), stop, wait for the end.  Returns how the run
 * ended, as bpe_engine_result. */
BPE_API int bpe_engine_run(struct bpe_engine *engine, int64_t duration_ns, struct bpe_error *error);
/* How the run ended: BPE_OK (end of source, count, stop) or what cut it short.  BPE_E_STATE before
 * the end. */
BPE_API int bpe_engine_result(struct bpe_engine *engine, struct bpe_error *error);
/* Stops, waits and frees.  A worker stuck in a handler is waited for.  NULL is allowed. */
BPE_API void bpe_engine_close(struct bpe_engine *engine);

/* Another filter from now on: a program (NULL, 0: none), or an expression, for
 * options.filter_through as it was.  When it returns, every packet that is taken from the source
 * passes the new one and no other; what was taken before may still be on its way through the
 * workers. Nothing is lost by it, except on NetBSD, whose kernel empties its buffers then (a notice
 * says so).  On failure the old one holds, or, where the system failed in the middle, the new one,
 * run here.  Waits for the reader, at most as long as a handler on its thread takes.
 * BPE_E_ARGUMENT: no program, or a wrong expression; BPE_E_STATE: the run has ended.  Any thread,
 * handlers included. */
BPE_API int bpe_engine_set_filter(struct bpe_engine *engine, const struct bpe_insn *filter,
	uint32_t length, struct bpe_error *error);
BPE_API int bpe_engine_set_expression(
	struct bpe_engine *engine, const char *expression, struct bpe_error *error);

/* A snapshot of every counter, at any time between open and close; stops nobody.  Any thread. */
BPE_API void bpe_engine_stats(struct bpe_engine *engine, struct bpe_stats *stats);
/* Worker w's share; with 0 workers, w = 0 is the reading thread.  BPE_E_ARGUMENT past the last. Any
 * thread. */
BPE_API int bpe_engine_worker_stats(
	struct bpe_engine *engine, uint32_t w, struct bpe_worker_stats *stats);
/* The protocol table, most packets first: fills at most max lines, returns how many there are in
 * all.  Any thread. */
BPE_API size_t bpe_engine_protocols(
	struct bpe_engine *engine, struct bpe_protocol *protocols, size_t max);

enum bpe_order {
	BPE_ORDER_BYTES = 0, /* on the wire, of both ends together */
	BPE_ORDER_PACKETS
};

struct bpe_snapshot {
	int64_t packet_ns; /* time stamp of the latest packet that was read when the snapshot began;
			      0: none */
	uint64_t alive;    /* flows that it met */
	uint64_t recent;   /* of those, with a packet at since_ns or later */
};

/* The n largest flows among those that are alive and whose last packet is not older than since_ns
 * (INT64_MIN: all), largest first.  Returns how many were filled; *snapshot may be NULL.  At any
 * time between open and close, after the end of the run, too: those that were alive then. Each
 * worker goes through its own table between its batches: 256 entries behind each batch of up to 64
 * packets, 16,384 at a time while no packets wait, so that a snapshot of a million flows takes
 * about 4,300 batches of a busy worker or about 10 ms of an idle one; the caller waits for it, and
 * as long as a handler that is at work.  Each record is whole, and as of the moment at which its
 * flow was met: a flow that ended before that is not there, one that ended later is, and of those
 * that were opened meanwhile some are; one that ended and was opened anew may be there twice.
 * Questions are answered one at a time, in their order. BPE_E_ARGUMENT: order is none;
 * BPE_E_MEMORY: for n records of each worker; BPE_E_STATE: asked by a handler of this engine, whose
 * thread would have to answer itself.  Any thread but the engine's own. */
BPE_API int bpe_engine_snapshot(struct bpe_engine *engine, uint32_t order, int64_t since_ns,
	struct bpe_flow *flows, size_t n, struct bpe_snapshot *snapshot, struct bpe_error *error);
/* The same by bytes, of all flows. */
BPE_API int bpe_engine_top_flows(struct bpe_engine *engine, struct bpe_flow *flows, size_t n);
/* Every flow that is alive, once, as it stands then (BPE_END_SNAPSHOT), while all goes on: each
 * worker shows its own, a few behind each batch and more when it is idle.  Those that open or end
 * meanwhile may be among them or not.  fn is called on the workers' threads, and with flow NULL
 * when a worker is through, at the latest when the run ends; user is handed to it.  fn NULL: to
 * options.on_record, through its rings, with no more than half of one, so that nothing is dropped
 * for it.  Returns at once: 0; BPE_E_BUSY: a snapshot is not over yet; BPE_E_STATE: nothing runs,
 * or no flows are kept; BPE_E_ARGUMENT: fn and on_record are both NULL.  Any thread, handlers
 * included. */
BPE_API int bpe_engine_snapshot_flows(struct bpe_engine *engine, bpe_flow_fn fn, void *user);
/* What the source is: "savefile x.pcap (pcap, microseconds, little-endian)"; link type name of its
 * first interface. */
BPE_API const char *bpe_engine_source(const struct bpe_engine *engine);
BPE_API const char *bpe_engine_link_type(const struct bpe_engine *engine);

/* ---- Capture: no threads ---- */

struct bpe_capture;

/* Only source, snaplen, promiscuous, buffer, block, max_packets, seed, outermost, checksums, filter
 * and notice options count here. */
BPE_API int bpe_capture_open(
	const struct bpe_options *options, struct bpe_capture **capture, struct bpe_error *error);
/* The next batch, in *batch until the next call.  Its count of packets; 0 if none came within
 * timeout_ns (0: do not wait, < 0: no limit); BPE_E_END at the end of a savefile; another status on
 * failure. */
BPE_API int bpe_capture_next(struct bpe_capture *capture, struct bpe_batch *batch,
	int64_t timeout_ns, struct bpe_error *error);
/* A descriptor that is readable when bpe_capture_next may have packets: for poll, select, kqueue,
 * epoll.  Packets already read may wait without it: call bpe_capture_next with timeout 0 until it
 * returns 0, then wait.  -1 if there is none to be had. Wait in one way: by this descriptor, or by
 * a bpe_capture_next with a time-out.  On macOS poll(2) on a BPF device silences everybody else's
 * wait for it, also that of bpe_capture_next, which then looks every 100 ms. */
BPE_API int bpe_capture_fd(const struct bpe_capture *capture);
/* Another filter from now on (NULL, 0: none), copied.  Nothing that the old one let through and the
 * new one does not is given any more, and nothing is lost, except on NetBSD, whose kernel empties
 * its buffers then (a notice says so). */
BPE_API int bpe_capture_set_filter(struct bpe_capture *capture, const struct bpe_insn *filter,
	uint32_t length, struct bpe_error *error);
/* The same with an expression, for options.filter_through as it was; its errors are
 * bpe_filter_compile's. */
BPE_API int bpe_capture_set_expression(
	struct bpe_capture *capture, const char *expression, struct bpe_error *error);
/* Counters as of bpe_engine_stats; flow and worker fields are 0. */
BPE_API void bpe_capture_stats(struct bpe_capture *capture, struct bpe_stats *stats);
BPE_API const char *bpe_capture_source(const struct bpe_capture *capture);
BPE_API const char *bpe_capture_link_type(
	const struct bpe_capture *capture); /* as bpe_engine_link_type */
/* Makes a bpe_capture_next that waits return 0.  Any thread, and signal handlers. */
BPE_API void bpe_capture_wake(struct bpe_capture *capture);
BPE_API void bpe_capture_close(struct bpe_capture *capture);

/* ---- Interfaces ---- */

#define BPE_IF_UP 0x1u
#define BPE_IF_RUNNING 0x2u
#define BPE_IF_LOOPBACK 0x4u
#define BPE_IF_PROMISCUOUS 0x8u

struct bpe_address {
	uint8_t family;   /* 4 or 6 */
	uint8_t prefix;   /* netmask length in bits */
	uint8_t addr[16]; /* network byte order; IPv4: first 4 bytes */
};

struct bpe_interface {
	char name[64];
	char description[128]; /* hardware name where the system offers one; else "" */
	uint32_t index;
	uint32_t flags;    /* BPE_IF_* */
	int32_t link_type; /* LINKTYPE_*; -1 if not known without opening */
	uint32_t mtu;
	uint8_t mac[6];
	uint8_t has_mac;
	uint8_t address_count;
	struct bpe_address addresses[16]; /* the first 16 */
};

/* The interfaces that can be captured on, by index ("any" and "synth" last), each by a name to
 * open.  Needs no rights.  Returns how many; *interfaces is one array for bpe_interfaces_free. */
BPE_API int bpe_interfaces_list(struct bpe_interface **interfaces, struct bpe_error *error);
BPE_API void bpe_interfaces_free(struct bpe_interface *interfaces);
/* Stores the netmask of the interface's first IPv4 address in *netmask, in host byte order, for "ip
 * broadcast" (as libpcap's pcap_lookupnet), and returns true; false where there is no such
 * interface or address.  Needs no rights.  Any thread. */
BPE_API bool bpe_interface_netmask(const char *name, uint32_t *netmask);
/* "EN10MB" for 1, as libpcap's DLT names; "LINKTYPE_999" is NULL.  Any thread. */
BPE_API const char *bpe_link_type_name(int link_type);

#ifdef __cplusplus
}
#endif
#endif
