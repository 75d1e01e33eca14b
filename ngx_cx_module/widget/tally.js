/* Signals of one view, counted by name and target. */

import { queue } from "./send.js";

const KINDS = 30;               /* different ones that are kept */
const COUNT_MAX = 1000;         /* the field's limit */

const counts = new Map();

export function count(name, target, value) {
  const key = name + " " + target;
  const signal = counts.get(key);

  if (signal) {
    signal.count = Math.min(signal.count + 1, COUNT_MAX);
    signal.value = value;

  } else if (counts.size < KINDS) {
    counts.set(key, { type: "signal", name, target, count: 1, value });
  }
}

export function queueCounts() {
  counts.forEach(signal => queue(signal));
  counts.clear();
}
