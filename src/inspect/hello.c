/* SPDX-License-Identifier: MIT */
/* Lists and extensions of hellos (hello.h); stateless. */
#include "inspect/hello.h"

#include <string.h>

bool bpei_hello_extension(
	struct bpei_cursor *extensions, uint16_t *type, struct bpei_hello_span *data)
{
	if (!bpei_cursor_left(extensions))
		return false;
	*type = bpei_cursor_u16(extensions, true);
	data->n = bpei_cursor_u16(extensions, true);
	data->at = bpei_cursor_take(extensions, data->n);
	return data->at;
}

struct bpei_hello_span bpei_hello_list(struct bpei_hello_span data, size_t width)
{
	const struct bpei_hello_span none = { NULL, 0 };
	struct bpei_cursor c = bpei_hello_open(data);
	struct bpei_hello_span list;

	list.n = width == 1 ? bpei_cursor_u8(&c) : bpei_cursor_u16(&c, true);
	list.at = bpei_cursor_take(&c, list.n);
	return list.at && !bpei_cursor_left(&c) ? list : none;
}

struct bpei_hello_span bpei_hello_protocol(const struct bpei_hello *hello)
{
	const struct bpei_hello_span list = bpei_hello_list(hello->alpn, 2);
	struct bpei_cursor c = bpei_hello_open(list);
	struct bpei_hello_span first;

	first.n = bpei_cursor_u8(&c);
	first.at = bpei_cursor_take(&c, first.n);
	if (!first.at)
		first.n = 0;
	return first;
}

bool bpei_hello_alpn(struct bpei_hello_span data, char *to, size_t room)
{
	const struct bpei_hello_span list = bpei_hello_list(data, 2);
	struct bpei_cursor c = bpei_hello_open(list);
	size_t used = 0;

	*to = 0;
	while (bpei_cursor_left(&c)) {
		const size_t n = bpei_cursor_u8(&c);
		const uint8_t *name = bpei_cursor_take(&c, n);
		const size_t comma = used > 0;
		if (!name || used + comma >= room ||
			!bpei_said_text(to + used + comma, room - used - comma, name, n)) {
			to[used] = 0;
			return false;
		}
		if (comma)
			to[used] = ',';
		used += comma + strlen(to + used + comma);
	}
	return list.at;
}
