/*
 * Answers that could not be sent: they are stored for the next page, and get
 * another token where the server wants one.
 */

import { core } from "./shared.js";

const KEPT_MAX = 4096;          /* of answers that are stored, in characters */
const KEPT_MIN = 1440;          /* minutes; their tokens are as good */

/* by answer: the token of one that took the place of another */
export const tokens = {};

const renewed = new Set();      /* tokens for which no others are asked for */

const answers = batch => batch.events.filter(event => event.answer);

/*
 * For the case that this page ends before they go; the last event of an answer
 * says all.
 */
export const keep = batch => core._change(state => {
  const all = state.q = { ...state.q };

  answers(batch).forEach(event => {
    const { t = core._now() } = all[event.answer] || {};

    all[event.answer] = { ...batch, t, events: [event] };
  });

  while (JSON.stringify(all).length > KEPT_MAX) {
    delete all[Object.keys(all)[0]];
  }
});

/* taken, or refused for good */
export const drop = batch => core._read().q && core._change(state => {
  answers(batch).forEach(event => { delete state.q[event.answer]; });
  state.q = Object.keys(state.q)[0] ? state.q : undefined;
});

/* what earlier pages could not send; by the clock that was there then, as the
   server's may be another */
export function sendKept() {
  const { q } = core._read();

  try {
    for (const answer of Object.keys(q || {})) {
      const { events: [event], t, ...head } = q[answer];

      if (Math.abs(core._now() - t) < KEPT_MIN) {
        core._queue(event, head, head.token);
      } else {
        drop(q[answer]);
      }
    }
  } catch (e) {
    /* that is not what we have stored */
    core._change(state => { state.q = undefined; });
  }

  core._send();
}

/*
 * The server wants other tokens for answers: of the same surveys, once.  What
 * gets none is not taken.  Promise: is there anything to be sent?
 */
export async function renew(batch) {
  if (!renewed.has(batch.token)) {
    const { surveys } = await core._fetch(batch);

    drop(batch);
    batch.token = undefined;
    batch.events = batch.events.filter(event => {
      const survey = event.answer && surveys.find(({ id, version }) =>
        id == event.survey && version == event.version);

      if (survey) {
        event.answer = survey.answer;
        tokens[survey.answer] = survey.token;
        core._addToken(batch, survey.token);
      }

      return survey || !event.answer;
    });
    renewed.add(batch.token);

    return batch.events[0];
  }
}
