/* SPDX-License-Identifier: MIT */
/* Replies of SMTP (RFC 5321 4.2) and FTP (RFC 959 4.2): three digits and a text, in one line or
 * several.  Pure. */
#ifndef BPEI_REPLIES_H
#define BPEI_REPLIES_H

#include "inspect/lines.h"

struct bpei_reply {
	struct bpei_text_line first; /* the first line, the code included */
	uint32_t code;
	uint32_t next; /* where the reply behind begins */
};

/* Takes the reply at `at`; SHORT: the reply's last line is missing, but reply->first is there if
 * first.text is not NULL. */
enum bpei_match bpei_reply_take(
	const struct bpei_stream *stream, uint32_t at, struct bpei_reply *reply);

/* Judges by the replies of a server whether the server is one of mail or of files, which both greet
 * with 220.  Returns BPE_APP_SMTP or BPE_APP_FTP with YES; SHORT: not known yet. */
enum bpei_match bpei_reply_judge(
	const struct bpei_stream *stream, const struct bpe_flow_names *said, uint8_t *app);

#endif
