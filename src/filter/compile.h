/* SPDX-License-Identifier: MIT */
/* The state of a compilation, which all files of the filter compiler share.  The parser makes an
 * expression into a tree of tests (parse*.c, by the rules of terms*.c).  The tree becomes a graph
 * of tests with two exits each (graph.c), in which tests with a known answer are left out.  The
 * graph becomes a program (emit.c).
 *
 * Everything lives in a struct bpei_compile and is freed with bpei_compile_free.  The first error
 * wins and stops all: loops look at `failed`. */
#ifndef BPEI_FILTER_COMPILE_H
#define BPEI_FILTER_COMPILE_H

#include "filter/node.h"
#include "filter/offsets.h"
#include "filter/value.h"

#include <stddef.h>

#define COMPILE_NODES (1 << 22) /* 128 MiB */
#define COMPILE_DEPTH 20000u
#define COMPILE_TOKENS (1u << 24)
#define COMPILE_INNERS 2u

struct bpei_compile {
	/* The lexer. */
	const char *text;                    /* the expression */
	size_t at, token_at, token_length;   /* the lexer's position; the current token */
	size_t previous_at, previous_length; /* the token before the current token */
	size_t term_at;                      /* begin of the current term */
	int token;
	uint32_t number;
	uint8_t bytes[16];             /* addresses */
	uint32_t part_count, parts[4]; /* parts of a dotted address */
	bool has_large_part;           /* a part is above 255 */
	char word[256];
	uint32_t nesting, inners; /* open parentheses; open inner() */
	uint32_t tokens;          /* read so far, in all shapes */

	/* Options. */
	bool no_names;    /* do not ask the system for hosts, services, protocols, networks */
	uint32_t through; /* BPE_THROUGH_*: the expression holds behind these encapsulations, too */
	bool pktap;       /* accept the words for PKTAP packets */
	uint32_t family6; /* AF_INET6 of the kernel that runs the program; 0: any kernel */
	bool no_mod_xor;  /* the kernel that runs the program does not know MOD and XOR */
	bool unoptimized; /* every test loads all operands anew: the reference for the optimizer */
	uint32_t way;     /* enum bpe_way of the packets, if their headers do not say so */
	uint32_t netmask; /* of the interface, if has_netmask */
	bool has_netmask;
	uint32_t snaplen;

	/* The tree. */
	struct value *values;
	int32_t value_count, value_room;
	int32_t *value_table; /* open addressing, 2 * value_room slots */
	struct node *nodes;
	int32_t node_count, node_room;
	bool process;                 /* the expression has a test of the packet's process */
	struct bpei_host *hosts;      /* names resolved so far: resolve.h */
	struct bpei_phrases *phrases; /* words for an explanation; NULL: none are wanted */

	/* The shape that the packet is assumed to have. */
	struct offsets offsets;
	uint32_t variant;     /* number of the link type's shape: bpei_terms_init */
	uint32_t extensions;  /* tcp[...] and its kin: 1 + number of IPv6 extension headers;
				 0: none is assumed */
	bool indexes_carried; /* a tcp[...] or its kin was parsed */
	uint32_t tunnel;      /* the shape of the geneve or vxlan in the expression */
	uint32_t tunnel_kind; /* BPE_THROUGH_* of the geneve or vxlan that was parsed */
	int32_t tunnel_guard; /* the test for the shape `tunnel` */
	bool tunnel_absent;   /* the packet was assumed to have no such tunnel */

	/* The first error. */
	bool failed, out_of_memory;
	bool unsupported; /* the expression has no meaning for the link type */
	bool final;       /* the error holds in every shape: a limit, or wrong anywhere */
	char why[256];
	size_t why_at, why_length; /* the part of the expression at fault */
};

/* Releases everything but the text. */
void bpei_compile_free(struct bpei_compile *c);

#endif
