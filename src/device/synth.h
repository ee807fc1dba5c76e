/* SPDX-License-Identifier: MIT */
/* Access to a synth device beyond the contract, for tests. */
#ifndef BPEI_SYNTH_H
#define BPEI_SYNTH_H

#include "device/device.h"
#include "device/synth_gen.h"

/* Returns the generator's own counts of the traffic so far. */
const struct bpei_synth_truth *bpei_synth_truth(const struct bpei_device *device);

#endif
