/* SPDX-License-Identifier: MIT */
/* The objects for the roles; no state. */
#include "base/roles.h"

struct bpei_role bpei_reader_role, bpei_worker_role, bpei_output_role;
