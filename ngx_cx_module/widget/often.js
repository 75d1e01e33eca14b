/*
 * How often this browser is asked: the one thing that is stored, in
 * localStorage under "cx", times in minutes:
 *
 *   {"v": page views, "t": last showing of any survey, "x": 1 never again,
 *    "s": {survey: {"n": showings since the last answer, "a": answered,
 *                   "d": dismissed}}}
 *
 * Where storage is blocked, memory serves for as long as the page lives.
 */

const DAY = 1440;

let memory = { v: 0, s: {} };

const now = () => Math.floor(Date.now() / 6e4);

function read() {
  try {
    const state = JSON.parse(localStorage.getItem("cx"));

    return state && state.s ? state : memory;

  } catch (e) {
    return memory;
  }
}

/* f changes the state, and of it what concerns the survey */
function change(f, id) {
  const state = read();

  f(state, id && (state.s[id] = state.s[id] || {}));
  memory = state;

  try {
    localStorage.setItem("cx", JSON.stringify(state));
  } catch (e) {
    /* blocked or full */
  }
}

export const countView = () => change(state => { state.v++; });

export const shown = id => change((state, survey) => {
  state.t = now();
  survey.n = (survey.n || 0) + 1;
}, id);

export const answered = id => change((state, survey) => {
  survey.a = now();
  survey.n = 0;
}, id);

export const dismissed = id => change((state, survey) => {
  survey.d = now();
}, id);

export const never = () => change(state => { state.x = 1; });

export const refused = () =>
  read().x && "the visitor asked not to be asked again";

/* a survey may wait for a number of page views */
export function early({ when = {} }) {
  const { v } = read();

  return v < when.views && "page view " + v + " of " + when.views;
}

/* why this survey may not be shown now, or a false value */
export function blocked({ id, often = {} }) {
  const state = read();
  const { n, a, d } = state.s[id] || {};

  const until = (time, days, what) => time + days * DAY > now()
    && what + ", not before "
      + new Date((time + days * DAY) * 6e4).toISOString().slice(0, 10);

  return refused()
    || until(a, often.answered ?? 90, "answered")
    || until(d, often.dismissed ?? 30, "dismissed")
    || n >= (often.showings ?? 2) && "shown " + n + " times"
    || until(state.t, often.between ?? 7, "another survey was shown");
}
