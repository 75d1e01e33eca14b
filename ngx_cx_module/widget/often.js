/* How often this browser is asked, by the state in store.js. */

import { core } from "./shared.js";

const DAY = 1440;
const KNOWN_MS = 50;            /* until all tabs know what one has stored, */
const SURELY_MS = 500;          /* and with a machine that is busy */

/* f changes the state, and of it what concerns the survey */
const change = (f, id) => core._change(state =>
  f(state, state.s[id] = { ...state.s[id] }));

export const answered = id => change((state, survey) => {
  survey.a = core._now();
  survey.n = 0;
}, id);

export const dismissed = id => change((state, survey) => {
  survey.d = core._now();
}, id);

export const never = () => core._change(state => { state.x = 1; });

export const refused = () =>
  core._read().x && "the visitor asked not to be asked again";

/* a survey may wait for a number of page views, or of visits */
export function early({ when }) {
  const { v, w } = core._read();

  return v < when.views && "page view " + v + " of " + when.views
    || w < when.visits && "visit " + w + " of " + when.visits;
}

/* why this survey may not be shown now, or a false value */
export function blocked({ id, often }) {
  const state = core._read();
  const { n, a, d } = state.s[id] || {};

  /* what lies further ahead was written by a clock that was wrong */
  const until = (time, days, what) => Math.abs(core._now() - time) < days * DAY
    && what + ", not before "
      + new Date((time + days * DAY) * 6e4).toISOString().slice(0, 10);

  return refused() || core._taken && "the feedback tab is in use"
    || until(a, often.answered ?? 90, "answered")
    || until(d, often.dismissed ?? 30, "dismissed")
    || n >= (often.showings ?? 2) && "shown " + n + " times"
    || until(state.t, often.between ?? 7, "another survey was shown");
}

const pause = ms => new Promise(done => setTimeout(done, ms));

let claims;                     /* of this page: one after the other */

/*
 * Promise: may this survey be shown now?  It counts as shown then.  Of two
 * tabs at once one gets it: the one that has the lock, which it keeps until
 * all know what it has stored; without locks, the one whose claim stays.
 */
export const claim = survey => new Promise(tell => {
  const mine = Math.random();

  const attempt = async lock => {
    if (!lock && !blocked(survey)) {
      core._change(state => { state.c = mine; });
      await pause(KNOWN_MS);
    }

    const may = !blocked(survey) && (lock || core._read().c == mine);

    may && change((state, own) => {
      state.c = undefined;
      state.t = survey.dry ? state.t : core._now();
      own.n = (own.n || 0) + 1;
    }, survey.id);
    tell(may);
    await pause(may && !survey.dry && SURELY_MS);
  };

  claims = navigator.locks
    ? navigator.locks.request("cx", attempt).catch(() => attempt())
    : Promise.resolve(claims).then(() => attempt());
});
