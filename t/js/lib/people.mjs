// People of simulate.test.mjs, and what is known of them without asking the
// product: what each was really shown and did, the rules by which that is
// judged, and counts.

const DAY = 1440;               // minutes
const MINUTE = 60e3;

// mulberry32: the same people for the same seed
export function random(seed) {
  let a = seed >>> 0;

  const next = () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);

    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };

  return Object.assign(next, {
    below: (n) => Math.floor(next() * n),
    chance: (p) => next() < p,
    pick: (list) => list[Math.floor(next() * list.length)],

    // {name: weight}
    weighed(weights) {
      let left = next() * Object.values(weights).reduce((a, b) => a + b);

      return Object.keys(weights).find((name) => (left -= weights[name]) < 0);
    }
  });
}

/*
 * May this survey be shown?  All that this browser remembers is a list of what
 * happened in it: {minute, what, id}, what: shown, dry, answered, dismissed or
 * never.
 */
export function may({ id, dry_run: dry, often = {} }, history, minute) {
  const {
    answered_days: answered = 90, dismissed_days: dismissed = 30, showings = 2,
    between_days: between = 7
  } = often;
  const within = (event, days) => minute - event.minute < days * DAY;
  const own = history.filter((event) => event.id === id);
  const since = own.slice(own.map((e) => e.what).lastIndexOf('answered') + 1);

  return !history.some((e) => e.what === 'never')
    && !own.some((e) => e.what === 'answered' && within(e, answered))
    && !own.some((e) => e.what === 'dismissed' && within(e, dismissed))
    && since.filter((e) => e.what === (dry ? 'dry' : 'shown')).length < showings
    && !history.some((e) => e.what === 'shown' && within(e, between));
}

// minutes when a rule ends that forbids something now: where one can be off by
// one
export function turns(surveys, history, minute) {
  const ends = history.flatMap((e) => {
    const { often = {} } = surveys.find(({ id }) => id === e.id) || {};
    const days = e.what === 'answered' ? [often.answered_days ?? 90]
      : e.what === 'dismissed' ? [often.dismissed_days ?? 30]
        : e.what === 'shown' ? surveys.map((s) => s.often?.between_days ?? 7)
          : [];

    return days.map((n) => e.minute + n * DAY);
  });

  return [...new Set(ends)].filter((end) => end > minute + 31);
}

// does the server offer it here, as far as it is no matter of draws and quotas
export const matches = ({ where = {}, retired, until }, path, fresh) =>
  !retired && !until
  && (!where.pages || where.pages.includes(path))
  && (!where.visitors || (where.visitors === 'new') === fresh);

/*
 * A person at one browser.  stores: false: each page load begins with nothing,
 * and knows only itself.
 */
export class Person {
  constructor(rng, browser) {
    Object.assign(this, { rng, browser });
    this.memory = { history: [], views: 0, visits: 0, last: -Infinity };
  }

  get minute() {
    return Math.floor(this.browser.now / MINUTE);
  }

  fresh() {
    return { history: [], views: 0, visits: 0, last: -Infinity };
  }

  view(memory) {
    memory.views += 1;
    memory.visits += this.minute - memory.last >= 30;
    memory.last = this.minute;
  }

  // when this person comes back: often when a rule has just ended, or not quite
  comeBack(surveys) {
    const { rng, minute } = this;
    const ends = turns(surveys, this.memory.history, minute);
    const wait = ends.length && rng.chance(0.5)
      ? rng.pick(ends) - minute - rng.below(2)
      : rng.chance(0.15) ? 30 + rng.below(300)
        : 31 + Math.floor(-Math.log(1 - rng()) * 12 * DAY);

    this.browser.now = (minute + wait) * MINUTE;
  }
}

/* What should be counted: {survey: {counter: n}}. */
export class Counts {
  constructor(ids) {
    this.of = Object.fromEntries(ids.map((id) => [id, {
      eligible: 0, sampled: 0, would_show: 0, shown: 0, started: 0,
      answered: 0, text: 0, done: 0, dismissed: 0, never: 0, repeat: 0,
      scores: {}
    }]));
  }

  add(id, name) {
    this.of[id][name] += 1;
  }

  score(id, score) {
    const { scores } = this.of[id];

    scores[score] = (scores[score] || 0) + 1;
  }

  sum(name) {
    return Object.values(this.of).reduce((n, of) => n + of[name], 0);
  }
}

// ---- intervals, by other ways than the product's ----

const Z = 1.959963984540054;

// Wilson's interval is where the score test does not refuse p: found by halving
export function wilson(x, n) {
  const edge = (from, to) => {
    for (let i = 0; i < 200; i++) {
      const p = (from + to) / 2;
      const refused = (x / n - p) ** 2 > Z * Z * p * (1 - p) / n;

      [from, to] = refused ? [p, to] : [from, p];
    }

    return 100 * to;
  };

  return [edge(0, x / n), edge(1, x / n)];
}

// the answers and 3 more, of which 3/4 at either end: mean and its error
export function net(scores) {
  const weights = [[1, 0.75], [-1, 0.75], [0, 1.5],
    ...Object.entries(scores).map(([score, n]) =>
      [score > 8 ? 1 : score < 7 ? -1 : 0, n])];
  const n = weights.reduce((sum, [, weight]) => sum + weight, 0);
  const mean = weights.reduce((sum, [v, weight]) => sum + v * weight, 0) / n;
  const variance = weights.reduce((sum, [v, weight]) =>
    sum + weight * (v - mean) ** 2, 0) / n;
  const half = Z * Math.sqrt(variance / n);

  return [100 * Math.max(-1, mean - half), 100 * Math.min(1, mean + half)];
}
