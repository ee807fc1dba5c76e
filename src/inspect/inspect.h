/* SPDX-License-Identifier: MIT */
/* Readers of payloads: the contract between the readers of protocols and the namer (naming/), which
 * calls readers with bytes.
 *
 * A reader is a pure function of a direction of a flow from the first byte on, or of the datagrams
 * of a direction.  The namer calls the reader again with more bytes as long as the reader wants
 * more, always from the first byte on.  A reader allocates nothing, keeps nothing, and writes only
 * certain facts to *said. */
#ifndef BPEI_INSPECT_H
#define BPEI_INSPECT_H

#include "bpfengine.h"

/* Most bytes of a direction that are kept for a reader. */
#define BPEI_STREAM_MOST 16384u
/* Most datagrams of a direction that are kept for a reader. */
#define BPEI_DATAGRAMS_MOST 16u

/* The conclusion of a reader. */
enum bpei_verdict {
	BPEI_NOT = 0, /* the bytes are not of the protocol; *said is unchanged */
	BPEI_MORE,    /* of the protocol as far as seen; needs stream->want bytes or datagrams */
	BPEI_DONE,    /* of the protocol; this direction has nothing more to say */
	BPEI_INNER,   /* of the protocol; another protocol begins in this direction at stream->inner
		       * (CONNECT, SOCKS, STARTTLS) */
	BPEI_EACH     /* of the protocol; each message of the flow is to be read (each below) */
};

/* A direction of a flow. */
struct bpei_stream {
	const uint8_t *bytes; /* in order, from the first byte of payload on, without holes */
	uint32_t n;
	uint32_t end;         /* sent by the originator (0) or by the responder (1) */
	const uint16_t *ends; /* datagram k ends at bytes[ends[k]]; NULL: TCP */
	uint32_t datagrams;   /* elements of ends; 0: TCP */
	uint16_t port[2];     /* of originator and responder; a hint at most */
	bool last;            /* no more will come: at MORE the namer gives up */
	uint32_t want, inner; /* w: the reader; want: total n, or datagrams, before the next call;
			       * 0: any more */
};

/* The readers' view of a worker, and counters; each worker has an inspector. */
struct bpei_inspector {
	uint32_t names;                  /* options.names */
	const struct bpe_crypto *crypto; /* NULL: none */
	int64_t now_ns;                  /* packet time of the bytes at hand */
	/* Initials that may still be opened in the second at hand, and how they ended. */
	uint64_t quic_left;
	uint64_t quic_opened, quic_failed, quic_skipped;
};

/* A protocol.  The namer tries the rows in the order of the table, until a reader does not say
 * NOT. */
struct bpei_reader {
	uint8_t app;    /* enum bpe_app */
	uint8_t over;   /* BPEI_OVER_* */
	uint32_t names; /* the BPE_NAMES_* bit that asks for the reader */
	enum bpei_verdict (*read)(
		struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said);
};
#define BPEI_OVER_TCP 1u
#define BPEI_OVER_UDP 2u

/* All readers; in the order in which they are tried (readers.c). */
extern const struct bpei_reader bpei_readers[];
extern const uint32_t bpei_reader_count;

/* Copies text for a member of struct bpe_flow_names: bytes that are no UTF-8, and control bytes,
 * become \xNN.  Returns false, and writes "", if the text does not fit (text.c). */
bool bpei_said_text(char *to, size_t room, const uint8_t *bytes, size_t n);

#endif
