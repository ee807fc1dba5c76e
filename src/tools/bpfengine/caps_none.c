/* SPDX-License-Identifier: MIT */
/* Systems where user ids are the only rights; stateless. */
#include "rights.h"

int cli_caps_before(bool keep_read, bool keep_nice)
{
	(void)keep_read;
	(void)keep_nice;
	return 0;
}

int cli_caps_after(bool keep_read, bool keep_nice)
{
	(void)keep_read;
	(void)keep_nice;
	return 0;
}

void cli_caps_text(char *text, size_t room)
{
	if (room)
		text[0] = 0;
}

int cli_caps_before_owners(void)
{
	return 0;
}

int cli_caps_after_owners(void)
{
	return 0;
}
