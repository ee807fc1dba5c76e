/* SPDX-License-Identifier: MIT */
/* What tests ask of a synth device beyond the contract. */
#ifndef BPEI_SYNTH_H
#define BPEI_SYNTH_H

#include "device/device.h"
#include "device/synth_gen.h"

const struct bpei_synth_truth *bpei_synth_truth(const struct bpei_device *device);

#endif
