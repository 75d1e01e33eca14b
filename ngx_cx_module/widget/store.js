/*
 * The one thing that is stored: how often this browser was asked, and what it
 * could not send, in localStorage under "cx"; times in minutes:
 *
 *   {"v": page views, "w": visits, "l": last page view,
 *    "t": last showing of any survey, "x": 1 never again,
 *    "s": {survey: {"n": showings since the last answer, "a": answered,
 *                   "d": dismissed}},
 *    "c": the showing that is being claimed, where there are no locks,
 *    "q": {answer: batch that could not be sent yet, and since when}}
 *
 * Where storage is blocked, memory serves for as long as the page lives.
 */

import { core } from "./core.js";

const VISIT = 30;               /* minutes without a page view end it */

let memory = { v: 0, s: {} };

export const now = () => Math.floor(Date.now() / 6e4);

export function read() {
  try {
    const state = JSON.parse(localStorage.getItem("cx"));

    /* an object and no list: throws where there is nothing */
    return /^{/.test(JSON.stringify(state.s)) ? state : memory;

  } catch (e) {
    return memory;
  }
}

export function change(f) {
  const state = read();

  f(state);
  memory = state;

  try {
    localStorage.setItem("cx", JSON.stringify(state));
  } catch (e) {
    /* blocked or full */
  }
}

let counted;                    /* the last page view that was */

/* once for each, by whoever needs the count first; where surveys may need it */
export function countView() {
  if (core._surveys != null && counted != core._view) {
    counted = core._view;
    change(state => {
      const minute = now();

      state.v++;
      state.w = (state.w || 0) + !(minute - state.l < VISIT);
      state.l = minute;
    });
  }
}
