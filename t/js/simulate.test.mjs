// 10,000 visits of people who come back over months: the widget as it is
// served, nginx, Redis, aggregator and cxctl, with only the browsers' clocks
// moved; see lib/visitor.mjs.  What they were shown is held against the rules,
// and what was counted against what they did.
//
// CX_SEED=n repeats people and what they do; what is drawn into a sample is
// nginx's own, with a salt of its own, each time.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import {
  Counts, Person, matches, may, net as netScore, random, wilson
} from './lib/people.mjs';
import { Stack, build, redis, sleep, until } from './lib/stack.mjs';
import { Browser, Net } from './lib/visitor.mjs';

const PEOPLE = 1000;
const VISITS = 10;              // of each
const AT_ONCE = 24;
const SITE = 'site.test';
const SIGMAS = 5;               // a draw that is further off is no accident

const seed = Number(process.env.CX_SEED || Date.now() % 1e9);
const run = promisify(execFile);

const pages = ['/a.html', '/b.html', '/c.html', '/none.html'];
const yesterday = new Date(Date.now() - 864e5).toISOString().slice(0, 10);

// where, how often, how many: no two alike
const surveys = [
  { id: 'nps', metric: 'nps', sample: 25, priority: 10,
    where: { pages: pages.slice(0, 3) } },
  { id: 'csat', metric: 'csat', priority: 5,
    where: { pages: ['/a.html', '/b.html'] },
    often: { answered_days: 20, dismissed_days: 10, showings: 3,
             between_days: 3 } },
  { id: 'rival', metric: 'psat', priority: 5,
    where: { pages: ['/a.html', '/c.html'] },
    often: { answered_days: 40, dismissed_days: 5, between_days: 0 } },
  { id: 'quota', metric: 'ces', priority: 20, total: 60,
    where: { pages: ['/b.html', '/c.html'] }, often: { between_days: 1 } },
  { id: 'dry', metric: 'nps', priority: 7, sample: 60, dry_run: true,
    where: { pages: ['/a.html', '/b.html'] },
    often: { showings: 3, between_days: 2 } },
  { id: 'third', metric: 'csat7', priority: 1, when: { visits: 3 },
    where: { pages: ['/c.html'] }, often: { between_days: 2 } },
  { id: 'fresh', metric: 'psat5', priority: 30,
    where: { pages: ['/a.html'], visitors: 'new' } },
  { id: 'back', metric: 'csat', priority: 8, sample: 50, when: { views: 4 },
    where: { pages: ['/b.html'], visitors: 'returning' },
    often: { answered_days: 60, showings: 1, between_days: 4 } },
  { id: 'slow', metric: 'nps', when: { delay: 2 },
    where: { pages: pages.slice(0, 3) },
    often: { answered_days: 15, dismissed_days: 15, showings: 4,
             between_days: 0 } },
  { id: 'past', metric: 'nps', until: yesterday, priority: 100,
    where: { pages: pages.slice(0, 3) } },
  { id: 'gone', metric: 'nps', retired: true, priority: 100 }
];

for (const survey of surveys) {
  survey.follow_up = { any: 'Why?' };
}

const by = Object.fromEntries(surveys.map((s) => [s.id, s]));
const rank = [...surveys].sort((a, b) => (b.priority || 0) - (a.priority || 0));

const live = () => surveys.filter((s) => !s.until && !s.retired);

const range = {
  nps: [0, 10], csat: [1, 5], csat7: [1, 7], ces: [1, 7], psat: [0, 1],
  psat5: [1, 5]
};
const fates = {
  ignore: 30, start: 8, close: 18, escape: 4, never: 2, score: 12, text: 14,
  done: 12
};

let stack, net, folding;

const counts = new Counts(surveys.map((s) => s.id));
const drawn = new Map();        // 'agent survey' -> was it in the sample?
const wrong = [];               // what broke a rule, in words
const answers = new Map();      // 'agent survey' -> view that answered first
const quota = { begun: new Set(), taken: new Set() };
const seen = { visits: 0, views: 0, loads: 0, prompts: 0 };

before(async () => {
  const html = '<!doctype html><html lang="en"><head></head><body>';

  // a day is one window: none that ends meanwhile
  const left = 864e5 - Date.now() % 864e5;

  left < 240e3 && await sleep(left + 1000);
  stack = await Stack.start({
    pages: Object.fromEntries(pages.map((path) => [path.slice(1), html])),
    surveys: { version: 1, surveys },
    server: 'location = /status { cx off; cx_status; }'
  });
  net = new Net(stack);
  folding = spawn(join(build, 'cx-aggregator'), ['--redis',
    `unix:${stack.socket}`, '--site', SITE, '--log-level', 'error'],
  { stdio: 'inherit' });
});

after(async () => {
  folding?.kill('SIGKILL');
  net?.close();
  await stack?.stop();
});

const ctl = async (...args) => JSON.parse((await run(join(build, 'cxctl'),
  [...args, '--redis', `unix:${stack.socket}`, '--json'],
  { maxBuffer: 1 << 28 })).stdout);

const fold = () => run(join(build, 'cx-aggregator'), ['--redis',
  `unix:${stack.socket}`, '--site', SITE, '--log-level', 'error', '--once']);

// ---- what a page view should show ----

// one page view in a tab; its surveys have been asked for, and come
class View {
  constructor(tab, path, memory, person) {
    Object.assign(this, { tab, path, memory, person });
    this.shown = [];
    this.expected = [];         // at once
    this.late = [];             // after 2 s
  }

  wrong(what) {
    wrong.push(`${what}: ${this.path}, minute ${this.person.minute}, `
      + JSON.stringify({ history: this.memory.history, got: this.shown,
        offered: this.offered, expected: this.expected, late: this.late }));
  }

  early({ when = {} }) {
    return this.memory.views < when.views || this.memory.visits < when.visits;
  }

  // by the list that nginx gave, in its order
  expect(offered) {
    const { memory, person } = this;
    const can = offered.map((id) => by[id]).filter((survey) =>
      may(survey, memory.history, person.minute) && !this.early(survey));
    const now = can.filter((survey) => !survey.when?.delay);
    const first = now.findIndex((survey) => !survey.dry_run);

    this.offered = offered;
    this.expected = (first < 0 ? now : now.slice(0, first + 1))
      .map((survey) => survey.id);
    this.late = first < 0
      ? can.filter((survey) => survey.when?.delay).map((survey) => survey.id)
      : [];
  }
}

const order = (ids) => rank.filter(({ id }) => ids.includes(id))
  .map(({ id }) => id);

// a GET surveys: counts it, and judges what comes
function asking(view, query, agent) {
  const { memory } = view;
  const fresh = memory.visits < 2;
  const fits = surveys.filter((s) => matches(s, view.path, fresh))
    .map((s) => s.id);
  const before = quota.taken.size;

  assert.equal(query.get('new'), String(+fresh));
  assert.equal(query.get('page') || query.get('path'), view.path);

  if (memory.history.some((e) => e.what === 'never')) {
    view.wrong('asked for surveys after "never"');
  }

  return ({ surveys: list }) => {
    const got = list.map((s) => s.id);

    for (const id of fits) {
      const is = got.includes(id);

      if (id === 'quota') {
        is && before >= by.quota.total && view.wrong('over its quota');
        is || quota.begun.size >= by.quota.total
          || view.wrong('not offered, and its quota is not reached');

        if (!is) {
          continue;
        }
      }

      const key = `${agent} ${id}`;

      is || by[id].sample || view.wrong(`${id} is offered to all, not here`);

      counts.add(id, 'eligible');
      is && counts.add(id, 'sampled');
      drawn.has(key) && drawn.get(key) !== is && view.wrong(`${id}: redrawn`);
      drawn.set(key, is);
    }

    assert.deepEqual(got, order(got), 'by priority');
    got.forEach((id) => fits.includes(id) || view.wrong(`${id}: not for it`));
    view.expect(got);
  };
}

// a card is there: what its survey's rules say to that, and what this person
// does with it some time later
function prompted(view, card) {
  const { memory, person } = view;

  may(by[card.id], memory.history, person.minute)
    || view.wrong(`${card.id} is shown, and may not be`);
  view.shown.length && view.wrong('two prompts in one view');
  view.shown.push(card.id);
  view.card = card;
  memory.history.push({ minute: person.minute, what: 'shown', id: card.id });
  counts.add(card.id, 'shown');
  seen.prompts += 1;
}

async function act(view) {
  const { card, memory, person: { rng, browser, minute } } = view;

  view.card = undefined;

  if (!card) {
    return;
  }

  const { id } = card;
  const fate = rng.weighed(fates);
  const note = (what) => memory.history.push({ minute, what, id });
  const closes = /close|escape|never/.test(fate);

  if (fate === 'start' || closes && rng.chance(0.2)) {
    card.start();
    counts.add(id, 'started');
  }

  if (closes) {
    card.close(fate);
    counts.add(id, 'dismissed');
    note('dismissed');

    if (fate === 'never') {
      counts.add(id, 'never');
      note('never');
    }

  } else if (/score|text|done/.test(fate)) {
    const [low, high] = range[by[id].metric];
    let score = low + rng.below(high - low + 1);

    // a second answer of the same visit, from another view, is refused
    const first = !answers.has(`${view.tab.agent} ${id}`);
    const count = (name) => first && counts.add(id, name);

    card.settle({ score });

    if (rng.chance(0.2)) {
      await browser.run(200);
      score = low + rng.below(high - low + 1);
      card.settle({ score });
    }

    first && counts.score(id, score);
    counts.add(id, 'started');
    count('answered');
    note('answered');
    await browser.run(200);

    if (fate !== 'score') {
      card.settle({ text: `so say I, ${minute}` });
      count('text');
      await browser.run(rng.below(2) * 200);
    }

    if (fate === 'done') {
      card.settle({ done: 1 });
      count('done');
    }

    rng.chance(0.3) && card.close('close');
  }

  await browser.run(100);
}

// ---- people ----

async function open(person, path, agent) {
  const { browser } = person;
  const memory = browser.stores ? person.memory : person.fresh();
  let view;
  const told = { dry: [], shown: [] };

  person.view(memory);
  seen.loads += 1;
  seen.views += 1;

  const tab = await browser.open(path, agent, {
    prompted: (card) => prompted(view, card),
    asking: (query) => asking(view, query, agent),

    sending({ view: from, events }) {
      for (const event of events) {
        const visit = `${agent} ${event.survey}`;

        if (event.answer) {
          answers.set(visit, answers.get(visit) || from);
          answers.get(visit) === from || counts.add(event.survey, 'repeat');
        }

        if (event.type === 'shown') {
          told[event.dry ? 'dry' : 'shown'].push(event.survey);
        }

        if (event.dry) {
          may(by[event.survey], memory.history.filter((e) =>
            e.what === 'dry'), person.minute)
            || view.wrong(`${event.survey}: too many dry runs`);
          memory.history.push({
            minute: person.minute, what: 'dry', id: event.survey
          });
          counts.add(event.survey, 'would_show');
        }

        event.survey === 'quota' && event.answer
          && quota.begun.add(event.answer);
      }
    },

    sent({ events }, { status, text }) {
      status === 204 || wrong.push(`POST: ${status} ${text}`);
      events.forEach((event) => event.survey === 'quota' && event.answer
        && quota.taken.add(event.answer));
    }
  });

  view = new View(tab, path, memory, person);

  return {
    tab, told, get view() { return view; },

    navigate(to) {
      tab.navigate(to);
      person.view(memory);
      seen.views += 1;
      view = new View(tab, to, memory, person);
    }
  };
}

const same = (a, b) => `${[...a].sort()}` === `${[...b].sort()}`;

// one view alone in its browser shows what it should, no more and no less
async function look(person, { view }) {
  const { browser, rng } = person;
  const want = () => view.expected.filter((id) => !by[id].dry_run);

  await browser.run(300);
  same(view.shown, want()) || view.wrong('not what should be shown');
  await act(view);

  if (rng.chance(0.5)) {
    await browser.run(2600);
    same(view.shown, [...want(), ...view.late.slice(0, 1)])
      || view.wrong('not what should be shown later');
    await act(view);
  } else {
    await browser.run(500);
  }
}

async function alone(person, agent) {
  const { browser, rng } = person;
  const page = await open(person, rng.pick(pages), agent);
  const views = [page.view];
  const { told } = page;

  await look(person, page);

  if (rng.chance(0.25)) {
    browser.now += (1 + rng.below(4)) * 60e3;
    page.navigate(rng.pick(pages.slice(0, 3).filter((path) =>
      path !== page.view.path)));
    views.push(page.view);
    await look(person, page);
  }

  await page.tab.close();
  same(told.shown, views.flatMap((view) => view.shown))
    || page.view.wrong(`told as shown: ${told.shown}`);
  same(told.dry, views.flatMap((view) => view.expected).filter((id) =>
    by[id].dry_run)) || page.view.wrong(`told as dry runs: ${told.dry}`);
}

// two tabs in the same moment: what is shown may be, and something is
async function twice(person, agent) {
  const { browser, rng } = person;
  const path = rng.pick(pages);
  const both = [await open(person, path, agent),
    await open(person, path, agent)];
  const real = (ids) => ids.filter((id) => !by[id].dry_run);

  await browser.run(600);
  real(both.flatMap(({ view }) => view.expected)).length
    && !both.some(({ view }) => view.shown.length)
    && both[0].view.wrong('none of two tabs shows it');

  for (const { view } of both) {
    await act(view);
  }

  await browser.run(rng.below(2) * 2600);

  for (const { view, tab, told } of both) {
    await act(view);
    await tab.close();
    same(told.shown, view.shown) || view.wrong(`told as shown: ${told.shown}`);
  }
}

async function lead(number) {
  const rng = random(seed + number * 7919);
  const browser = new Browser(net, {
    now: Math.floor(Date.now() / 60e3 + rng.below(30 * 1440)) * 60e3,
    stores: !rng.chance(0.06), locks: !rng.chance(0.3)
  });
  const person = new Person(rng, browser);

  for (let visit = 0; visit < VISITS; visit++) {
    const agent = `Mozilla/5.0 (X11; Linux x86_64) Person/${number}.${visit}`;

    seen.visits += 1;
    await (rng.chance(0.06) ? twice : alone)(person, agent);

    for (let more = rng.below(3) - 1; more > 0; more--) {
      browser.now = Math.ceil(browser.now / 60e3 + rng.below(10)) * 60e3;
      await alone(person, agent);
    }

    person.comeBack(surveys);
  }
}

test('10,000 visits: shown when it may be, and only then', async (t) => {
  let next = 0;

  t.diagnostic(`CX_SEED=${seed}`);
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < PEOPLE && !net.wrong) {
      await lead(next++);
    }
  }));
  t.diagnostic(`${JSON.stringify(seen)}, ${net.requests} requests`);
  assert.equal(net.wrong, undefined, net.wrong?.stack);
  assert.equal(seen.visits, 10000);
  assert.equal(wrong.length, 0, `${wrong.length} times, as in\n`
    + wrong.slice(0, 5).join('\n'));

  for (const { id } of live()) {
    const { eligible, shown, would_show: would } = counts.of[id];

    assert.ok(eligible > 60 && shown + would > 20, `${id} was at stake`);
  }
});

test('the share that is drawn is the one that was asked for', (t) => {
  for (const { id, sample = 100 } of live().filter((s) => s.id !== 'quota')) {
    const draws = [...drawn].filter(([key]) => key.endsWith(` ${id}`));
    const got = draws.filter(([, is]) => is).length;
    const p = sample / 100;
    const off = Math.abs(got - p * draws.length);

    t.diagnostic(`${id}: ${got} of ${draws.length}, ${sample} %`);
    assert.ok(off <= SIGMAS * Math.sqrt(draws.length * p * (1 - p)), id);
  }
});

const close = (got, want, what, digits = 6) =>
  assert.ok(Math.abs(got - want) < 0.501 * 10 ** -digits,
            `${what}: ${got}, not ${want}`);

// all that was told has been written, and is counted
async function settled() {
  const views = async () => Number(await redis(stack.socket, 'HGET',
    `cx:{${SITE}}:checkpoint`, 'entries'));
  let last;

  await until('nginx to deliver', async () => {
    const { queue_depth: queued, ...rest } = JSON.parse((await net.ask('GET',
      '/status', {})).text);

    assert.equal(typeof queued, 'number', JSON.stringify(rest));
    return queued === 0;
  });
  await until('the aggregator', async () => {
    const now = await views();
    const same = now === last;

    last = now;
    await sleep(600);
    return same;
  }, 20000);
}

test('the funnel is what people did, exactly', async () => {
  await settled();

  const { surveys: list } = await ctl('surveys', '--site', SITE);

  assert.deepEqual(list.map((s) => s.id).sort(),
                   live().map((s) => s.id).sort());

  for (const got of list) {
    const { scores, repeat, ...want } = counts.of[got.id];
    const given = Object.fromEntries(Object.entries(got.scores)
      .filter(([, n]) => n));

    assert.deepEqual(Object.fromEntries(Object.keys(want).map((name) =>
      [name, got[name]])), want, got.id);
    assert.deepEqual(given, scores, `${got.id}: scores`);
    assert.deepEqual([got.refused.n, got.refused.repeat], [repeat, repeat],
                     `${got.id}: refused`);
  }

  const day = new Date().toISOString().slice(0, 10).replace(/-/g, '');
  const total = await redis(stack.socket, 'HGETALL',
                            `cx:{${SITE}}:total:d:${day}`);
  const site = Object.fromEntries(total.map((name, i) =>
    i % 2 ? [] : [name, Number(total[i + 1])]).filter((pair) => pair.length));

  for (const name of ['would_show', 'shown', 'started', 'answered', 'text',
    'done', 'dismissed', 'never']) {
    assert.equal(site[name], counts.sum(name), `site: ${name}`);
  }

  assert.equal(site.views, seen.loads);
  assert.equal(site.sessions, seen.visits);
  assert.equal(counts.of.dry.shown, 0, 'nobody saw the dry run');
});

test('the quota is kept, and filled', async () => {
  const { total } = by.quota;
  const counted = Number(await redis(stack.socket, 'HGET',
    `cx:{${SITE}}:quota`, 'quota'));

  assert.equal(counted, counts.of.quota.answered);
  assert.ok(counted >= total, `${counted} answers`);

  // whoever had the survey before, maybe in two tabs, may still answer
  assert.ok(counted <= total + 2 * AT_ONCE, `${counted} answers`);
});

test('rates, scores and their intervals follow from the counts', async () => {
  const { surveys: list } = await ctl('surveys', '--site', SITE);

  for (const s of list) {
    for (const step of s.funnel.filter(({ of }) => of)) {
      const whole = s[step.of];
      const what = `${s.id}: ${step.step} of ${step.of}`;

      assert.equal(step.n, s[step.step], what);

      if (!whole) {
        assert.equal(step.rate, null, what);
        continue;
      }

      const [low, high] = wilson(step.n, whole);

      close(step.rate, 100 * step.n / whole, what);
      close(step.rate_lo, low, `${what}, lower`);
      close(step.rate_hi, high, `${what}, upper`);
    }

    const all = Object.entries(s.scores);
    const n = all.reduce((sum, [, count]) => sum + count, 0);
    const share = (good) => all.filter(([score]) => good(Number(score)))
      .reduce((sum, [, count]) => sum + count, 0);
    const best = { csat: 4, csat7: 6, psat: 1, psat5: 4 }[s.metric];

    if (!n) {
      assert.equal(s.figures.nps ?? s.figures.satisfaction ?? null, null, s.id);

    } else if (s.metric === 'nps') {
      const [low, high] = netScore(s.scores);

      close(s.figures.nps, 100 * (share((v) => v > 8) - share((v) => v < 7))
        / n, `${s.id}: NPS`, 2);
      close(s.figures.nps_lo, low, `${s.id}: NPS, lower`, 2);
      close(s.figures.nps_hi, high, `${s.id}: NPS, upper`, 2);

    } else if (best) {
      const good = share((v) => v >= best);
      const [low, high] = wilson(good, n);

      close(s.figures.satisfaction, 100 * good / n, `${s.id}: satisfied`, 2);
      close(s.figures.satisfaction_lo, low, `${s.id}: satisfied, lower`, 2);
      close(s.figures.satisfaction_hi, high, `${s.id}: satisfied, upper`, 2);

    } else {
      close(s.figures.ces, all.reduce((sum, [score, count]) =>
        sum + count * (7 - score) / 6 * 100, 0) / n, `${s.id}: effort`, 2);
    }
  }
});

test('counters, figures and ranks agree', async () => {
  folding.kill('SIGTERM');
  await fold();
  await run(join(build, 'cxctl'), ['check', '--redis', `unix:${stack.socket}`,
    '--site', SITE]);
});
