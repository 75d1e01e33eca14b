/*
 * Thresholds by CX_T_*, which the build makes positions: the defaults of
 * cx_signal.h, and over them what the tag says.
 */

import { tune } from "./page.js";

export const limit = CX_LIMITS;

for (const [, i, value] of tune.matchAll(/(\d+)=(\d+)/g)) {
  limit[i] = +value;
}
