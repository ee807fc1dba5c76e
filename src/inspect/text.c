/* SPDX-License-Identifier: MIT */
/* Texts from payload for the members of struct bpe_flow_names (inspect.h).  Pure. */
#include "base/utf8.h"
#include "inspect/inspect.h"

#include <string.h>

/* Writes the form of the character at bytes: the character itself, or \xNN for each of the bytes
 * when the character is no UTF-8 or a control.  Returns the length of the form; *used: the bytes
 * that the form stands for. */
static size_t form_said_character(char form[16], const uint8_t *bytes, size_t left, size_t *used)
{
	static const char digits[] = "0123456789abcdef";
	const char *const text = (const char *)bytes;
	const size_t n = bpei_utf8_bytes(text, left);
	size_t length = 0;

	*used = n ? n : 1;
	if (n && !bpei_utf8_is_control(bpei_utf8_code(text, n))) {
		memcpy(form, bytes, n);
		return n;
	}
	for (size_t k = 0; k < *used; k++) {
		form[length++] = '\\';
		form[length++] = 'x';
		form[length++] = digits[bytes[k] >> 4];
		form[length++] = digits[bytes[k] & 15];
	}
	return length;
}

bool bpei_said_text(char *to, size_t room, const uint8_t *bytes, size_t n)
{
	size_t length = 0;

	if (!room)
		return false;
	to[0] = 0;
	for (size_t at = 0; at < n;) {
		char form[16];
		size_t used;
		const size_t more = form_said_character(form, bytes + at, n - at, &used);

		if (length + more >= room) {
			to[0] = 0;
			return false;
		}
		memcpy(to + length, form, more);
		length += more;
		to[length] = 0;
		at += used;
	}
	return true;
}
