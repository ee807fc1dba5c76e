/* SPDX-License-Identifier: MIT */
/* Names of files: a template with strftime(3)'s conversions, numbers, other programs' ways.  Pure:
 * a name has no folder. */
#ifndef BPEI_FILE_NAMES_H
#define BPEI_FILE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define BPEI_NAME_ROOM 256 /* a name with the 0 behind; systems take 255 bytes */

enum bpei_name_style {
	BPEI_NAMES_PLAIN,       /* NAME as given, also with a % */
	BPEI_NAMES_OWN,         /* conversions and %N; else _00001 before the end */
	BPEI_NAMES_TCPDUMP,     /* conversions, then nothing, 1, 2 ...; -W: 0, 1 ... with zeros */
	BPEI_NAMES_DUMPCAP,     /* NAME_00001_20240714120117.pcapng */
	BPEI_NAMES_DUMPCAP_TIME /* NAME_20240714120117_00001.pcapng (nametimenum:2) */
};

/* How the names of a run are made. */
struct bpei_file_names {
	const char *text;           /* the template */
	enum bpei_name_style style; /* the meaning of the text */
	bool times;                 /* conversions are filled in (tcpdump: with -G alone) */
	uint32_t ring;              /* TCPDUMP: the number of -W with -C; 0: names are not reused */
};

/* Writes the name of file `number` (from 1), begun at the local time `when`.  attempt: 0; then 1, 2
 * ... if the name exists: "-2", "-3" ... stand before the name's end.  Returns BPE_OK, or
 * BPE_E_ARGUMENT if the name would be empty, "." or "..", too long, or have a /. */
int bpei_name_make(const struct bpei_file_names *names, const struct tm *when, uint64_t number,
	uint32_t attempt, char name[BPEI_NAME_ROOM]);

/* Returns true if names of files differ without help: a time or a number is in the template. */
bool bpei_name_varies(const struct bpei_file_names *names);

/* Writes the name of the ledger of a template: the template's words without conversions and ends,
 * and
 * ".jsonl".  "cap-%Y%m%d.pcapng.zst" has the ledger "cap.jsonl", and "%s.pcap" "ledger.jsonl". */
void bpei_name_ledger(const struct bpei_file_names *names, char name[BPEI_NAME_ROOM]);

/* Returns the length of the name before its end: before ".pcapng", or ".pcap.gz" whole.  A name
 * with a single dot in front has no end. */
size_t bpei_name_stem(const char *name);

#endif
