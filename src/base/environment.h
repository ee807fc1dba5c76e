/* SPDX-License-Identifier: MIT */
/* Variables of the environment, for programs without borrowed rights. */
#ifndef BPEI_ENVIRONMENT_H
#define BPEI_ENVIRONMENT_H

/* Returns the variable's value, or NULL.  NULL, too, in a program that got rights from its file
 * (set-user-id, file capabilities): there the environment is a stranger's. */
const char *bpei_environment_get(const char *name);

#endif
