/* What is told when a page is hidden: its signals, time, depth and vitals. */

import { core } from "./core.js";
import { idle } from "./idle.js";
import { scrolledTo } from "./moves.js";
import { queue } from "./send.js";
import { queueCounts } from "./tally.js";

const MAX_MS = 864e5;           /* the field's limit: a day */
const GOOD_INP_MS = 200;        /* by web-vitals */

let values;                     /* the latest */
let told;                       /* what the leaves of this view have said */
let since;                      /* ms, when the page became visible; or 0 */
let timer;

export const note = (name, value) => { values[name] = Math.round(value); };

const resume = () => { since = document.hidden ? 0 : performance.now(); };

/* reads layout: never in a listener */
function measure() {
  const all = document.documentElement.scrollHeight;
  const seen = Math.min(100, 100 * (scrollY + innerHeight) / all);

  scrolledTo(scrollY, all - innerHeight, innerHeight);
  note("scroll_pct", Math.max(values.scroll_pct || 0, seen));
}

export function newLeave() {
  values = {};
  told = {};
  resume();
  idle(measure);
}

export function leave() {
  const event = { type: "leave" };
  const ms = since && Math.round(performance.now() - since);

  if (ms) {
    event.visible_ms = Math.min(ms, MAX_MS);
  }

  for (const name in values) {
    if (values[name] != told[name]) {
      event[name] = told[name] = values[name];
    }
  }

  since = 0;
  queueCounts();

  /* what comes after the time was told is worth a request if it is bad */
  if (event.visible_ms || event.lcp_ms || event.cls_milli
      || event.inp_ms > GOOD_INP_MS)
  {
    queue(event);
  }
}

/*
 * On window, where events of the document come last.  A page that is left
 * while it is seen has its pagehide first and becomes hidden then, which some
 * never do: what the vitals' final values bring is told then, and only that.
 */
export function watchLeave(hide) {
  addEventListener("visibilitychange", () =>
    document.hidden ? hide() : resume());
  addEventListener("pagehide", hide);

  addEventListener("scroll", () => {
    timer = timer || setTimeout(idle, 100, () => {
      timer = 0;
      measure();
      core._moment("scroll", values.scroll_pct);
    });
  }, { passive: true });
}
