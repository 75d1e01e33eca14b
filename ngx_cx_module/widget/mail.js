/*
 * Answers that could not be sent: they are stored for the next page, and get
 * another token where the server wants one.
 */

import { core } from "./shared.js";

const KEPT_MAX = 4096;          /* of answers that are stored, in characters */
const KEPT_MIN = 1440;          /* minutes; their tokens are as good */

const renewed = new Set();      /* views whose answers got another token */

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
 * The server wants another token for answers: of the same surveys, once.
 * Promise: has it got one?
 */
export async function renew(batch) {
  if (!renewed.has(batch.view)) {
    const { surveys } = await core._fetch(batch);

    drop(batch);
    renewed.add(batch.view);
    batch.token = "";
    batch.events.forEach(event => {
      const survey = event.answer && surveys.find(({ id, version }) =>
        id == event.survey && version == event.version);

      if (survey) {
        event.answer = survey.answer;
        core._addToken(batch, survey.token);
      }
    });

    return batch.token;
  }
}
