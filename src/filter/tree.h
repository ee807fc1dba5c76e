/* SPDX-License-Identifier: MIT */
/* What the files of the filter compiler share.  An expression becomes a tree of tests (parse.c, by
 * the rules of terms.c), the tree a graph of tests with two ways out each (graph.c), in which tests
 * whose answer is known are left out, and the graph a program (emit.c). Everything lives in one
 * struct bpei_compile and is freed with it.  The first error wins and stops all: `failed` is looked
 * at wherever a loop could go on. */
#ifndef BPEI_FILTER_TREE_H
#define BPEI_FILTER_TREE_H

#include "filter/filter.h"

#include <stddef.h>

/* ---- Values: what can be loaded or worked out; equal ones have one number ---- */

enum value_kind { VALUE_IMM, VALUE_LEN, VALUE_LOAD, VALUE_MSH, VALUE_ALU };

struct value {
	uint8_t kind; /* enum value_kind */
	uint8_t size; /* LOAD: 1, 2, 4 */
	uint16_t op;  /* ALU: as in bpe_insn.code, BPF_ADD ... */
	int32_t a, b; /* LOAD: a is the index, -1: none; ALU: both */
	uint32_t k;   /* IMM: the number; LOAD, MSH: the offset */
};

enum {
	OP_ADD = 0x00,
	OP_SUB = 0x10,
	OP_MUL = 0x20,
	OP_DIV = 0x30,
	OP_OR = 0x40,
	OP_AND = 0x50,
	OP_LSH = 0x60,
	OP_RSH = 0x70,
	OP_NEG = 0x80,
	OP_MOD = 0x90,
	OP_XOR = 0xa0
};
enum { CMP_EQ = 0x10, CMP_GT = 0x20, CMP_GE = 0x30, CMP_SET = 0x40 };

/* ---- Tree ---- */

enum node_kind { NODE_TEST, NODE_AND, NODE_OR, NODE_NOT, NODE_CONST };

struct node {
	uint8_t kind;  /* enum node_kind */
	uint8_t cmp;   /* TEST */
	int32_t value; /* TEST: left side; CONST: 0 or 1 */
	int32_t x;     /* TEST: right side's value, -1: k */
	uint32_t k;
	int32_t left, right; /* nodes */
	uint32_t
		depth; /* of the recursion over the tree below: the left side is walked in a loop */
};

/* ---- Where the headers lie: moved by vlan, mpls, pppoes as they are met ---- */

struct place {
	int32_t base;
	uint32_t at;
}; /* bytes from where the value `base` says (-1: from the packet's start) on */

struct offsets {
	uint32_t link;        /* link type whose rules hold */
	uint8_t kind;         /* enum link_kind: how it says what it carries */
	struct place header;  /* where the link header begins */
	struct place type;    /* its type field */
	struct place payload; /* what it carries, an LLC header included */
	struct place network; /* what that carries */
	uint32_t osi;         /* from what it carries to OSI's first byte */
	uint32_t mpls;        /* labels met; the last one lies at network - 4 */
	bool lane;            /* in a frame of ATM's LAN emulation */
	bool no_wlan_types;   /* PPI: libpcap knows no frame types there */
};

#define COMPILE_NODES (1 << 22) /* 128 MiB */
#define COMPILE_DEPTH 20000u
#define COMPILE_TOKENS (1u << 24)
#define COMPILE_INNERS 2u

struct bpei_compile {
	const char *text;                  /* the expression */
	size_t at, token_at, token_length; /* where the lexer stands; the token in hand */
	size_t last_at, last_length;       /* the one before */
	size_t term_at;                    /* where the term began that is being made */
	int token;
	uint32_t number;
	uint8_t bytes[16];       /* addresses */
	uint32_t dots, parts[4]; /* parts of a dotted address: how many, and each */
	bool over;               /* one of them is above 255 */
	char word[256];
	uint32_t nesting, inners; /* parentheses; inner() */
	uint32_t tokens;          /* read so far, in all shapes */
	bool no_names; /* of hosts, services, protocols, networks: the system is not asked */
	struct bpei_host *hosts; /* names that were asked for: resolve.h */

	struct value *values;
	int32_t value_count, value_room;
	int32_t *value_table; /* open addressing, value_room * 2 of them */
	struct node *nodes;
	int32_t node_count, node_room;
	struct offsets offsets;
	uint32_t through;    /* BPE_THROUGH_*: the expression holds behind these, too */
	bool process;        /* the expression asks for a process */
	bool pktap;          /* words that only PKTAP packets have a meaning for */
	uint32_t family6;    /* AF_INET6 of the kernel that the program is for; 0: of any */
	bool no_mod_xor;     /* the kernel that the program is for does not know MOD and XOR */
	bool unoptimized;    /* each test loads what it needs, whatever is known: what the optimized
				program is compared with */
	uint32_t extensions; /* of IPv6 that tcp[...] and its kin are taken to stand behind, and
				one; 0: the plain meaning */
	bool carried;        /* one of them was met */
	uint32_t tunnel, tunnel_kind; /* the shape that a geneve or vxlan in the expression is taken
					 to have; which of them was met */
	int32_t tunnel_guard;         /* the test that the packet has it */
	bool tunnel_last;             /* it was taken to be none */
	uint32_t variant; /* which of the link type's shapes the packet is taken to have: see
			     bpei_terms_init */
	uint32_t way; /* enum bpe_way: of the packets that the program is for, if their headers do
			 not say it */
	uint32_t netmask; /* of the interface, if has_netmask */
	bool has_netmask;
	uint32_t snaplen;

	struct bpei_phrases *phrases; /* words for an explanation; NULL: none are wanted */
	bool failed, out_of_memory;
	bool unsupported; /* it has no meaning for the link type */
	bool final; /* no other shape of the packet would mend it: a limit, or something that is
		       wrong anywhere */
	char why[256];
	size_t why_at, why_length;
};

/* values.c: numbers of values, with constants worked out */
int32_t bpei_value(struct bpei_compile *c, struct value v);
int32_t bpei_value_imm(struct bpei_compile *c, uint32_t k);
int32_t bpei_value_load(struct bpei_compile *c, uint32_t size, int32_t index, uint32_t offset);
int32_t bpei_value_alu(struct bpei_compile *c, uint16_t op, int32_t a, int32_t b);
bool bpei_value_const(const struct bpei_compile *c, int32_t v, uint32_t *k);

/* values.c: nodes; -1 on failure, and -1 in gives -1 out */
int32_t bpei_test(struct bpei_compile *c, int32_t value, uint8_t cmp, uint32_t k);
int32_t bpei_test_x(struct bpei_compile *c, int32_t value, uint8_t cmp, int32_t x);
int32_t bpei_and(struct bpei_compile *c, int32_t a, int32_t b); /* a first */
int32_t bpei_or(struct bpei_compile *c, int32_t a, int32_t b);
int32_t bpei_not(struct bpei_compile *c, int32_t a);
int32_t bpei_const(struct bpei_compile *c, bool yes);
/* Each points at something: the token in hand, the one before, or the term up to the token in hand.
 */
int32_t bpei_compile_fail(struct bpei_compile *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int32_t bpei_compile_fail_last(struct bpei_compile *c, const char *why);
int32_t bpei_compile_fail_term(struct bpei_compile *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int32_t bpei_compile_end(
	struct bpei_compile *c, const char *why); /* the same, for good: c->final */
void bpei_compile_free(struct bpei_compile *c);   /* all but the text */
int32_t bpei_compile_no_memory(struct bpei_compile *c);

/* Where an expression is read for several shapes of the packet it is wrong only if it is wrong in
 * all of them: the first complaint is put by, and the compiler goes on, unless that is final; then
 * it is said after all. */
struct complaint {
	char why[sizeof((struct bpei_compile *)0)->why];
	size_t at, length;
};
void bpei_complaint_keep(struct bpei_compile *c, struct complaint *first);
int32_t bpei_complaint_say(struct bpei_compile *c, const struct complaint *first); /* -1 */
int32_t bpei_either(
	struct bpei_compile *c, int32_t all, int32_t one); /* bpei_or, where -1 is "not that one" */

/* terms.c: what the language's terms mean */
enum proto {
	P_DEFAULT,
	P_LINK,
	P_IP,
	P_ARP,
	P_RARP,
	P_SCTP,
	P_TCP,
	P_UDP,
	P_ICMP,
	P_IGMP,
	P_IGRP,
	P_ATALK,
	P_DECNET,
	P_LAT,
	P_SCA,
	P_MOPRC,
	P_MOPDL,
	P_IP6,
	P_ICMP6,
	P_AH,
	P_ESP,
	P_PIM,
	P_VRRP,
	P_CARP,
	P_AARP,
	P_ISO,
	P_ESIS,
	P_ISIS,
	P_CLNP,
	P_STP,
	P_IPX,
	P_NETBEUI,
	P_L1,
	P_L2,
	P_IIH,
	P_LSP,
	P_SNP,
	P_CSNP,
	P_PSNP,
	P_RADIO,
	P_COUNT
};
enum direction {
	D_DEFAULT,
	D_SRC,
	D_DST,
	D_OR,
	D_AND,
	D_ADDR1,
	D_ADDR2,
	D_ADDR3,
	D_ADDR4,
	D_RA,
	D_TA
};

/* Sets the offsets for packets of the link type in their c->variant-th shape (some have headers of
 * different kinds in front): BPE_OK and in *guard the test that says so (-1: none is needed), 1 if
 * there are no more shapes.  An expression means the first shape that its packet has. */
int bpei_terms_init(struct bpei_compile *c, uint32_t link_type, int32_t *guard);
int32_t bpei_term_linktype(struct bpei_compile *c, uint32_t type);
int32_t bpei_term_proto_name(struct bpei_compile *c, enum proto p); /* the protocol's name alone */
int32_t bpei_term_proto(struct bpei_compile *c, uint32_t number, enum proto of, enum direction d);
int32_t bpei_term_host(struct bpei_compile *c, uint32_t address, uint32_t mask, enum proto p,
	enum direction d, const char *what);
int32_t bpei_term_host6(struct bpei_compile *c, const uint8_t address[16], const uint8_t mask[16],
	enum proto p, enum direction d, const char *what);
int32_t bpei_term_ether(struct bpei_compile *c, const uint8_t address[6], enum direction d);
int32_t bpei_term_port(
	struct bpei_compile *c, uint32_t low, uint32_t high, enum proto p, enum direction d);
int32_t bpei_term_broadcast(struct bpei_compile *c, enum proto p);
int32_t bpei_term_multicast(struct bpei_compile *c, enum proto p);
int32_t bpei_term_outbound(struct bpei_compile *c, bool outbound);
int32_t bpei_term_vlan(struct bpei_compile *c, bool has_id, uint32_t id);
int32_t bpei_term_mpls(struct bpei_compile *c, bool has_label, uint32_t label);
int32_t bpei_term_llc(struct bpei_compile *c, const char *kind); /* NULL: any */
int32_t bpei_term_wlan_type(struct bpei_compile *c, uint32_t value,
	uint32_t mask); /* of the first byte of frame control */
int32_t bpei_term_wlan_direction(struct bpei_compile *c, uint32_t value);
int32_t bpei_term_protochain(struct bpei_compile *c, uint32_t number, enum proto of);
int32_t bpei_term_decnet(struct bpei_compile *c, uint32_t area, uint32_t node, enum direction d);
int32_t bpei_term_ifindex(struct bpei_compile *c, uint32_t index);
int32_t bpei_term_arcnet(struct bpei_compile *c, uint32_t address, enum direction d);
/* Of ATM and SS7, by the numbers of lex.h; a field's value, and the largest number that it holds.
 */
int32_t bpei_term_atm(struct bpei_compile *c, uint32_t word);
int32_t bpei_term_signal_unit(struct bpei_compile *c, uint32_t word);
int32_t bpei_term_field(struct bpei_compile *c, uint32_t field, uint32_t *most);
/* What a packet with the encapsulation has to say, and offsets moved into it; BPEI_NO_SHAPE: no
 * more shapes of it.  -1: not here. */
#define BPEI_NO_SHAPE (-2)
int32_t bpei_tunnel_enter(
	struct bpei_compile *c, uint32_t kind, uint32_t shape, bool has_vni, uint32_t vni);
int32_t bpei_term_tunnel(struct bpei_compile *c, uint32_t kind, bool has_vni, uint32_t vni);
int32_t bpei_term_pktap_flag(struct bpei_compile *c, uint32_t flag);
int32_t bpei_term_pktap_unknown(struct bpei_compile *c);
int32_t bpei_term_pppoe(struct bpei_compile *c, bool session, bool has_id, uint32_t id);
/* Behind so many of IPv6's extension headers at most (BPE_THROUGH_IPV6_EXT); a test for each number
 * of them is one for all. */
#define BPEI_EXTENSIONS 4
int32_t bpei_term_extensions(
	struct bpei_compile *c, const int32_t each[BPEI_EXTENSIONS + 1], bool of_fragments);
/* proto[index:size]: the value, and in *guard the test that makes it one (-1: none). */
int32_t bpei_term_load(
	struct bpei_compile *c, enum proto p, int32_t index, uint32_t size, int32_t *guard);
const char *bpei_proto_text(enum proto p);

/* parse.c: the whole expression; -1 on failure.  An empty one is everything. */
int32_t bpei_parse_filter(struct bpei_compile *c);

/* graph.c, sets.c, widen.c and emit.c */
struct block {
	int32_t value, x;
	uint32_t k;
	uint8_t cmp;
	int32_t yes, no; /* blocks, or WAY_* */
};
enum { WAY_ACCEPT = -1, WAY_REJECT = -2 };
struct graph {
	struct block *blocks; /* in an order in which every way leads on */
	int32_t count, room, root;
};
bool bpei_graph_make(struct bpei_compile *c, int32_t tree, struct graph *g); /* false: no memory */
bool bpei_graph_thread(struct bpei_compile *c, struct graph *g); /* leaves out what is known */
bool bpei_graph_sort(struct graph *g);
bool bpei_graph_merge(struct graph *g); /* makes blocks one that have become alike; sorts */
/* Many tests of one value for equality become balanced searches, of at most `ranges` ranges each
 * (0: exact ones): where there are more, numbers are added to the set, or left out of it, such that
 * the graph accepts all that it did. */
bool bpei_graph_sets(struct graph *g, uint32_t ranges);
/* Tests change places where that may spare a load; true if any did. */
bool bpei_graph_order(struct graph *g);
/* A program of at most `most` instructions that accepts all that the graph's own program does;
 * NULL: there was none to be had, or no memory. */
struct bpe_insn *bpei_widen(
	struct bpei_compile *c, const struct graph *g, uint32_t most, uint32_t *length);
/* The program, from malloc; NULL: no memory, or longer than can be. */
struct bpe_insn *bpei_emit(struct bpei_compile *c, const struct graph *g, uint32_t *length);

#endif
