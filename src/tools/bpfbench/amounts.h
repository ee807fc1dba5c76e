/* SPDX-License-Identifier: MIT */
/* Numbers as people read them.  Each function writes into `to` and returns `to`. */
#ifndef BENCH_AMOUNTS_H
#define BENCH_AMOUNTS_H

#include <stddef.h>
#include <stdint.h>

#define AMOUNT_ROOM 48 /* bytes for each of these texts */

/* Writes a count with separators: 1,234,567. */
const char *amount_count(char *to, size_t room, uint64_t count);
/* Writes a count with its noun: 1 worker, 1,234 packets.  Nouns have a plural in s. */
const char *amount_of(char *to, size_t room, uint64_t count, const char *noun);
/* Writes three digits and the unit of a rate: 76.3 thousand packets/s, 1.2 million packets/s. */
const char *amount_rate(char *to, size_t room, double packets_per_second);
/* Writes a size in the largest binary unit that divides the size: 256 KiB, 16 MiB, 100 bytes. */
const char *amount_bytes(char *to, size_t room, uint64_t bytes);
/* Writes a part of a whole as a percentage with two digits: 0.13 %, 100 %. */
const char *amount_percent(char *to, size_t room, double part);
/* Puts separators into the digits before the point of a plain number; other texts are copied. */
const char *amount_separate(char *to, size_t room, const char *number);

#endif
