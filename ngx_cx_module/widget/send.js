/*
 * Delivery.  Events wait in batches, one for each view; a batch that has been
 * sent is dropped when the server took it, or when it says it never will.
 * Answers that could not be sent are stored as well, see mail.js.
 *
 * A batch stays far below the 64 KiB that all beacons in flight share: at
 * most 30 signals, a leave, and a text of 2000 bytes.
 */

import { core } from "./core.js";
import { endpoint, firstView } from "./page.js";

const TRIES = 6;

let batches = [];
let busy;                       /* the batch in flight */
let timer;
let tries = 0;

const url = () => endpoint + "events";

/* "age" joins the view to the request that made it */
const body = batch => JSON.stringify({
  ...batch, age: batch.view == firstView
    ? Math.min(Math.round(performance.now()), CX_AGE_MAX) : undefined
});

/* a batch has the tokens of all surveys that are answered in it */
export function addToken(batch, token) {
  const all = batch.token || "";

  if (token && !all.includes(token)) {
    batch.token = all + (all && " ") + token;
  }
}

/* events of a view; an answer with the token of its survey */
export function queue(event, head = core._view, token) {
  let batch = batches.find(b => b.view == head.view && b != busy);

  if (!batch) {
    batches.push(batch = { ...head, events: [] });
  }

  addToken(batch, token);
  batch.events.push(event);
}

/* what has a token has been made by a part that keeps it */
const keep = batch => batch.token && core._keep(batch);

/*
 * One batch at a time: a later answer never overtakes an earlier one.  With
 * afresh, as when the network is back, as often as it takes.
 */
export async function send(afresh) {
  let again, wait;
  const batch = batches[0];

  tries = afresh ? 0 : tries;

  if (busy || !batch) {
    return;
  }

  clearTimeout(timer);
  busy = batch;

  try {
    const r = await fetch(url(), {
      method: "POST", body: body(batch), keepalive: true
    });

    again = r.status > 499 || r.status == 429;
    wait = r.headers.get("retry-after");

    if (r.status == 403 && batch.token && await core._renew(batch)) {
      busy = 0;
      return send();
    }

  } catch (e) {
    again = 1;
  }

  busy = 0;

  if (!again) {
    tries = 0;
    batches = batches.filter(b => b != batch);
    core._drop && core._drop(batch);
    send();

  } else {
    batches.forEach(keep);

    if (++tries < TRIES) {
      timer = setTimeout(send,
                         1e3 * (+wait || 2 ** tries * Math.random() + 1));
    }
  }
}

/*
 * The page is being hidden and may never come back.  What a beacon took is
 * gone from here, but for answers that the server had no room for: the same
 * answer twice counts once.
 */
export function sendLast() {
  if (tries || !navigator.onLine) {
    batches.forEach(keep);
  }

  batches = batches.filter(batch => {
    let taken;

    /* nobody will be here to hear whether it arrived */
    if (batch == busy) {
      keep(batch);
      return 1;
    }

    try {
      taken = navigator.sendBeacon(url(), body(batch));
    } catch (e) {
      /* then by fetch */
    }

    if (taken) {
      batch.events = batch.events.filter(e => tries && e.answer);
    }

    return batch.events.length;
  });

  if (!tries) {
    send();
  }
}
