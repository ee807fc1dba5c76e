/* SPDX-License-Identifier: MIT */
/* Options that a source, a level or the other options leave without effect: told or refused. */
#ifndef BPEI_API_UNUSED_H
#define BPEI_API_UNUSED_H

#include "bpfengine.h"
#include "device/device.h"

/* Conditions, a bit each, in the order in which they are named to the user. */
enum bpei_need {
	BPEI_NEED_ENGINE,     /* the engine level */
	BPEI_NEED_CAPTURE,    /* the capture level */
	BPEI_NEED_INTERFACE,  /* a live source of the system */
	BPEI_NEED_PUSH,       /* packets that the program pushes */
	BPEI_NEED_BUFFER,     /* a live source of the system, or pushed packets */
	BPEI_NEED_META,       /* a BPF device, or pushed packets */
	BPEI_NEED_BPF,        /* a BPF device */
	BPEI_NEED_NO_SOCKET,  /* another source than a packet socket of Linux */
	BPEI_NEED_SOCKET,     /* a packet socket of Linux */
	BPEI_NEED_LINK_TYPE,  /* a source of the link type, or with a choice */
	BPEI_NEED_BLOCK_SIZE, /* blocks of the caller's size */
	BPEI_NEED_BLOCKS,     /* a number of blocks that the caller chooses */
	BPEI_NEED_PARSER,     /* packets are parsed */
	BPEI_NEED_WORKERS,    /* worker threads */
	BPEI_NEED_HOSTS,      /* BPE_SPREAD_HOST */
	BPEI_NEED_FLOWS,      /* flow tables */
	BPEI_NEED_HEALTH,     /* TCP health */
	BPEI_NEED_RECORDS,    /* on_record or pull_records */
	BPEI_NEED_PERIOD,     /* flow_update_ns or flow_update_bytes */
	BPEI_NEED_UPDATES,    /* on_flow_update */
	BPEI_NEED_PACED,      /* BPE_READ_PACED */
	BPEI_NEED_SEED,       /* fixed_seed */
	BPEI_NEED_FILTER,     /* a filter expression, or a program that may set a filter later */
	BPEI_NEED_KEYS,       /* users of keys and hashes: flows, workers, batches, a capture */
	BPEI_NEED_INNER,      /* tunnels that are looked into */
	BPEI_NEED_DEEPER,     /* packets inside tunnels: not outermost */
	BPEI_NEED_COUNT
};
#define BPEI_NEED(need) (1u << BPEI_NEED_##need)

/* The treatment of an option with a missing need. */
enum bpei_unused {
	BPEI_UNUSED_TOLD,       /* on_notice tells: the same packets and flows come */
	BPEI_UNUSED_WRONG,      /* BPE_E_ARGUMENT: the options contradict each other */
	BPEI_UNUSED_UNSUPPORTED /* BPE_E_UNSUPPORTED: other packets than wanted would come */
};

struct bpei_option_rule {
	const char *name;      /* of the member */
	const char *word;      /* option of bpfengine(1); NULL: none */
	size_t offset, bytes;  /* in struct bpe_options */
	uint32_t needs;        /* BPEI_NEED bits; 0: always used */
	enum bpei_unused then; /* with a missing need */
};
/* Each member has a rule or more. */
extern const struct bpei_option_rule bpei_option_rules[];
extern const size_t bpei_option_rule_count;

/* An opened engine or capture. */
struct bpei_opened {
	const struct bpei_device *device;
	bool is_engine;
	uint32_t workers; /* threads */
	bool has_flows;   /* a flow table or more */
	bool asks_owners; /* flows ask for their processes */
};

/* Tells each option that is not used and has no default value.  Returns BPE_OK; or, with *error
 * filled and without a notice, the status of a refused option. */
int bpei_unused_tell(const struct bpe_options *options, const struct bpei_opened *opened,
	struct bpe_error *error);

#endif
