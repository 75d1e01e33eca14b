// A page of the bench in Debian's Chromium, at a quarter of the machine's
// speed, with nothing in its caches: for each address from standard input one
// line of JSON with what the scripts of the page's own server cost, from the
// browser's trace, what they asked for, and when a survey could be seen.

import { createInterface } from 'node:readline';
import { launch, newContext, newPage } from '../../js/lib/browser.mjs';
import { sleep } from '../../js/lib/stack.mjs';

// no name is looked up, and no address but this machine's is spoken to
const NOWHERE = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1';

const SLOWER = 4;
const SETTLE_MS = 4000;         // all that comes by itself has come by then
const CLICKS = 10;              // on text, none of them where another was
const CLICK_MS = 250;

const WORK = new RegExp('^(EvaluateScript|FunctionCall|v8\\.(compile'
  + '|compileModule|produceCache))$');

// what goes on after a promise, and modules that are run: of no file by name.
// A call from outside is the named one inside it, and the promises after that.
const CALL = 'v8.callFunction';
const NAMELESS
  = /^(v8\.(evaluateModule|callFunction)|.*PerformMicrotaskCheckpoint)$/;

// Runs in the page: its layout shifts, its longest interaction (the browser
// tells of none under 16 ms), and the frame in which the first number of a
// scale can be seen, ours, PostHog's or SurveyJS's.  Until there is one it only
// looks when something comes into the page.
function watch() {
  const cell = 'label, .ratings-number, .sd-rating__item';
  const attach = Element.prototype.attachShadow;
  const changes = new MutationObserver((list) => {
    const at = list.map(({ target }) =>
      target.getRootNode().querySelector(cell)).find((e) => e);
    const look = () => {
      const { width, height } = at.getBoundingClientRect();

      width && height && at.checkVisibility({ opacityProperty: true,
                                              visibilityProperty: true })
        ? window.seen = performance.now() : requestAnimationFrame(look);
    };

    if (at) {
      changes.disconnect();
      requestAnimationFrame(look);
    }
  });
  const observe = (root) =>
    changes.observe(root, { childList: true, subtree: true });

  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options);

    observe(root);
    return root;
  };
  observe(document);
  window.shift = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((e) => {
    window.shift += e.value;
  })).observe({ type: 'layout-shift', buffered: true });
  window.inp = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((e) => {
    window.inp = Math.max(window.inp, e.interactionId ? e.duration : 0);
  })).observe({ type: 'event', durationThreshold: 16 });
}

// time that the thread had, as far as the trace knows: what else the machine
// does is no cost of the page
const spent = (e) => (e.tdur ?? e.dur) / 1e3;

const sum = (list, f) => list.reduce((total, x) => total + f(x), 0);

const thread = (e) => `${e.pid} ${e.tid}`;

// the file of the origin that a slice of the trace runs
function fileOf({ name, args }, origin) {
  const { url, fileName } = { ...args, ...args.data, ...args.beginData };
  const of = url || fileName || '';

  return WORK.test(name) && of.startsWith(origin)
    && new URL(of).pathname.split('/').pop();
}

// A trace's slices of the origin's scripts, each with its file, on the threads
// that run them; those inside another one left out.
function slices(events, origin) {
  const whole = events.filter((e) => e.ph === 'X')
    .map((e) => ({ ...e, file: fileOf(e, origin) }));
  const named = whole.filter((e) => e.name === 'FunctionCall');
  const within = (e) => named.find((f) => thread(f) === thread(e)
    && f.ts >= e.ts && f.ts < e.ts + e.dur);

  whole.filter((e) => e.name === CALL).forEach((e) => {
    const inside = within(e);

    e.file = inside?.file;
    e.theirs = inside && !inside.file;
  });

  const threads = new Set(whole.filter((e) => e.file).map(thread));
  const ends = new Map();

  return whole.filter((e) => e.file
    || NAMELESS.test(e.name) && threads.has(thread(e)) && !e.theirs)
    .sort((a, b) => a.ts - b.ts || b.dur - a.dur)
    .filter((e) => {
      const inside = e.ts < (ends.get(thread(e)) || 0);

      inside || ends.set(thread(e), e.ts + e.dur);
      return !inside;
    });
}

// ms of these slices in each task of the main thread
function tasks(events, mine) {
  const list = events.filter((e) => e.ph === 'X' && /RunTask$/.test(e.name));

  return list.map((task) => sum(mine.filter((e) => thread(e) === thread(task)
    && e.ts >= task.ts && e.ts < task.ts + task.dur), spent));
}

function byFile(mine) {
  const files = {};

  mine.forEach(({ file, ...e }) => {
    files[file || 'promises'] = (files[file || 'promises'] || 0) + spent(e);
  });
  return files;
}

// What was asked for beside the page itself: bytes of the answers, compressed
// and not, and what is wrong with them.
async function traffic(requests, origin) {
  const got = { wire: 0, raw: 0, requests: requests.length - 1, wrong: [] };

  for (const request of requests.slice(1)) {
    const url = request.url();

    if (new URL(url).origin !== origin) {
      got.wrong.push(`asks ${url}`);
      continue;
    }

    const answer = await request.response();

    const wire = (await request.sizes()).responseBodySize;

    got.wire += wire;
    got.raw += wire && (await answer.body()).length;
    answer.ok() || got.wrong.push(`${answer.status()} ${url}`);
  }

  return got;
}

// clicks on what does nothing, as people do who read; the slowest, ms
async function inp(page) {
  for (let i = 0; i < CLICKS; i++) {
    await page.mouse.click(100 + 40 * i, 60 + 20 * i);
    await sleep(CLICK_MS);
  }

  return page.evaluate(() => window.inp);
}

async function visit(browser, url) {
  const { origin } = new URL(url);
  const context = await newContext(browser, { closed: true, init: watch });
  const page = await newPage(context);
  const cdp = await context.newCDPSession(page);
  const events = [], requests = [];

  context.on('request', (r) => requests.push(r));
  cdp.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  await cdp.send('Tracing.start', {
    transferMode: 'ReportEvents', traceConfig: {
      includedCategories: ['devtools.timeline', 'toplevel']
    }
  });
  await page.goto(url);
  await sleep(SETTLE_MS);

  const done = new Promise((f) => cdp.once('Tracing.tracingComplete', f));

  await cdp.send('Tracing.end');
  await done;

  const got = await page.evaluate(() => ({
    shift: window.shift, seen: window.seen,
    load: performance.getEntriesByType('navigation')[0].loadEventEnd
  }));
  const asked = await traffic(requests, origin);
  const mine = slices(events, origin);
  const slowest = await inp(page);

  await context.close();

  return {
    ...got, ...asked, inp: slowest, wrong: [...asked.wrong, ...page.wrong],
    script: sum(mine, spent), longest: Math.max(...tasks(events, mine)),
    files: byFile(mine)
  };
}

const browser = await launch({ args: [NOWHERE] });

for await (const url of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await visit(browser, url)));
}

await browser.close();
