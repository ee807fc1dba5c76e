/* SPDX-License-Identifier: MIT */
/* Packets as lines of text (--print).
 *
 * A printer turns the packets of batches into lines and writes the lines to a descriptor.  Each
 * packet passes through one of three forms: our own line (own.c), tcpdump's (tcpdump*.c), or a JSON
 * object (json.c).  The bytes of a packet follow its line if -x, -X or -A asks for the bytes
 * (hex.c).  All calls run on one thread at a time. */
#ifndef PRINT_PRINT_H
#define PRINT_PRINT_H

#include "bpfengine.h"
#include "line.h"

/* In the order of the words of --print; PRINT_NONE: no packet is printed. */
enum print_form { PRINT_NONE, PRINT_OWN, PRINT_TCPDUMP, PRINT_JSON };
/* In the order of the words of --color. */
enum print_color { PRINT_COLOR_AUTO, PRINT_COLOR_ALWAYS, PRINT_COLOR_NEVER };
/* What -t, -tt, -ttt, -tttt and -ttttt ask for: the number of times that -t was given. */
enum print_time {
	PRINT_TIME_OF_DAY,      /* 13:01:02.123456, local time */
	PRINT_TIME_NONE,        /* no time */
	PRINT_TIME_EPOCH,       /* seconds since 1970 */
	PRINT_TIME_SINCE_LAST,  /* since the packet before */
	PRINT_TIME_DATE,        /* date and time of day */
	PRINT_TIME_SINCE_FIRST, /* since the first packet */
};

/* What the command line asks for.  All zero: nothing is printed. */
struct print_options {
	uint32_t form;           /* enum print_form */
	uint32_t color;          /* enum print_color */
	int time;                /* uses of -t; more than 5 count as 5 */
	int verbose;             /* uses of -v */
	int hex;                 /* uses of -x: 2 prints the link header, too */
	int hex_text;            /* uses of -X: likewise */
	int text;                /* uses of -A: likewise */
	bool link;               /* -e */
	bool quick;              /* -q: short lines */
	bool absolute;           /* -S: sequence numbers as on the wire */
	bool number;             /* -#: the number of the packet before the line */
	bool nanoseconds;        /* --nano, --time-stamp-precision=nano */
	bool no_checksums;       /* -K */
	bool flush;              /* -l, -U: each batch is written at once */
	uint64_t lines_a_second; /* most lines to a terminal (--print-rate); 0: the default */
};

/* A packet for a form.  Borrowed for the call. */
struct print_packet {
	const uint8_t *bytes; /* first captured byte */
	uint32_t caplen, wirelen;
	int64_t time_ns;
	int link_type;                   /* DLT_ */
	const struct bpe_layers *layers; /* innermost packet, as the engine parsed it */
};

#endif
