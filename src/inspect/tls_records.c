/* SPDX-License-Identifier: MIT */
/* Records of TLS (tls_records.h); stateless. */
#include "inspect/tls_records.h"

#include "base/bytes.h"

bool bpei_record_fits(const uint8_t *bytes, size_t n)
{
	if (n >= 1 && (bytes[0] < BPEI_RECORD_CIPHER || bytes[0] > BPEI_RECORD_HEARTBEAT))
		return false;
	if (n >= 2 && bytes[1] != 3)
		return false;
	if (n >= 3 && bytes[2] > 4)
		return false;
	if (n < BPEI_RECORD_HEAD)
		return true;
	const size_t length = bpei_be16(bytes + 3);
	return length <= BPEI_RECORD_MOST && (length || bytes[0] == BPEI_RECORD_DATA);
}

/* Adds a part of a record to what is gathered. */
static void add_fragment(struct bpei_handshake *handshake, const uint8_t *bytes, size_t n)
{
	if (!handshake->n) {
		handshake->bytes = bytes;
		handshake->n = n;
		return;
	}
	if (handshake->bytes != handshake->room) {
		if (handshake->n > sizeof handshake->room)
			handshake->n = sizeof handshake->room;
		memcpy(handshake->room, handshake->bytes, handshake->n);
		handshake->bytes = handshake->room;
	}
	if (n > sizeof handshake->room - handshake->n)
		n = sizeof handshake->room - handshake->n;
	memcpy(handshake->room + handshake->n, bytes, n);
	handshake->n += n;
}

/* Tells whether a whole record is a warning. */
static bool is_warning(const uint8_t *record, size_t left)
{
	return record[0] == BPEI_RECORD_ALERT && left >= 7 && bpei_be16(record + 3) == 2 &&
	       record[5] == 1;
}

void bpei_handshake_gather(const uint8_t *bytes, size_t n, struct bpei_handshake *handshake)
{
	size_t at = 0;

	handshake->bytes = bytes;
	handshake->n = 0;
	handshake->is_closed = false;
	handshake->is_bad = false;
	for (handshake->record_end = 0; at < n; at = handshake->record_end) {
		const uint8_t *record = bytes + at;
		const size_t left = n - at;
		if (!bpei_record_fits(record, left)) {
			handshake->is_closed = true;
			handshake->is_bad = true;
			return;
		}
		const bool is_passed = left < 7 && record[0] == BPEI_RECORD_ALERT;
		if (record[0] != BPEI_RECORD_HANDSHAKE && !is_passed && !is_warning(record, left)) {
			handshake->is_closed = true;
			return;
		}
		if (left < BPEI_RECORD_HEAD)
			return;
		const size_t length = bpei_be16(record + 3);
		const size_t there = left - BPEI_RECORD_HEAD;
		handshake->record_end = (uint32_t)(at + BPEI_RECORD_HEAD + length);
		if (record[0] == BPEI_RECORD_HANDSHAKE)
			add_fragment(handshake, record + BPEI_RECORD_HEAD,
				length < there ? length : there);
		if (handshake->record_end > n)
			return;
	}
}

uint32_t bpei_handshake_want(const struct bpei_handshake *handshake, size_t n, size_t need)
{
	const size_t missing = need - handshake->n;
	const size_t end = handshake->record_end;

	if (end >= n && missing <= end - n)
		return (uint32_t)(n + missing);
	/* a head follows behind the record: at its end, or it is there in part */
	if (end >= n)
		return (uint32_t)(end + BPEI_RECORD_HEAD + (missing - (end - n)));
	return (uint32_t)(end + BPEI_RECORD_HEAD + missing);
}

bool bpei_record_chain(const uint8_t *bytes, size_t n, uint32_t *want)
{
	size_t at = 0;
	size_t heads = 0;

	*want = 0;
	while (at < n && heads < 2) {
		if (!bpei_record_fits(bytes + at, n - at))
			return false;
		if (n - at < BPEI_RECORD_HEAD) {
			*want = (uint32_t)(at + BPEI_RECORD_HEAD);
			return true;
		}
		at += BPEI_RECORD_HEAD + bpei_be16(bytes + at + 3);
		heads++;
	}
	if (at > n && heads < 2)
		*want = (uint32_t)(at + BPEI_RECORD_HEAD);
	return true;
}
