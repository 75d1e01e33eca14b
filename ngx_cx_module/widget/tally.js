/* Signals of one view, counted by name and target. */

import { core } from "./core.js";
import { queue } from "./send.js";

const KINDS = 30;               /* different ones that are kept */
const COUNT_MAX = 1000;         /* the field's limit */

const counts = new Map();

/* for surveys that come after a signal of this view */
export function signal(name) {
  core._seen.add(name);
  core._moment(name);
}

export function count(name, target, value) {
  const key = name + " " + target;
  const known = counts.get(key);

  if (known) {
    known.count = Math.min(known.count + 1, COUNT_MAX);
    known.value = value;

  } else if (counts.size < KINDS) {
    counts.set(key, { type: "signal", name, target, count: 1, value });
  }

  signal(name);
}

export function queueCounts() {
  counts.forEach(known => queue(known));
  counts.clear();
}
