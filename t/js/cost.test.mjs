// What the widget asks of network and main thread, in counts: which of its
// files come when, what listeners make the browser lay out.  Times are for
// t/bench/run widget.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dialog, launch, leave, newContext, newPage } from './lib/browser.mjs';
import { plain, survey } from './lib/surveys.mjs';
import { Stack, sleep, until } from './lib/stack.mjs';

const surveys = [
  survey('shown', 'nps', 'How likely?'),
  survey('waits', 'csat', 'Happy?', { when: { scroll: 90 } })
];

const names = ['plain', 'form', 'moves', 'cached', 'quiet', 'debug', 'bare'];

let stack, browser;

before(async () => {
  const pages = Object.fromEntries([...names, 'shown', 'waits'].map((n) =>
    [`${n}.html`, plain]));

  pages['form.html'] = plain.replace('<h2>',
    '<form method="post"><input id="a"><input id="b"></form><h2>');
  stack = await Stack.start({
    pages, surveys: { version: 1, surveys },
    server: 'location = /bare.html { cx_surveys off; }'
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

// a page, and what it has asked of the endpoint so far: page.asked
async function open(name, options) {
  const context = await newContext(browser, options);
  const page = await newPage(context);

  page.asked = [];
  page.on('request', (r) => {
    const { pathname } = new URL(r.url());

    pathname.startsWith('/_cx/') && page.asked.push(pathname.slice(5));
  });
  await page.goto(`${stack.url}/${name}.html`);
  await page.waitForFunction(() => window.cx);
  return page;
}

const asks = (page, list) => until(`${list}`, () =>
  `${[...page.asked].sort()}` === `${list}`).catch((e) => {
  assert.deepEqual([...page.asked].sort(), list, e.message);
});

test('a page without surveys: one file, and the vitals when it is idle',
     async () => {
  const page = await open('plain');

  assert.deepEqual(page.asked.filter((n) => n !== 'cx-vitals.js'), ['cx.js']);
  await asks(page, ['cx-vitals.js', 'cx.js']);
  await page.click('#more');
  await page.mouse.wheel(0, 500);
  await sleep(1500);
  await asks(page, ['cx-vitals.js', 'cx.js']);
  await page.context().close();
});

test('what watches forms comes with the first field, once', async () => {
  const page = await open('form');

  await asks(page, ['cx-vitals.js', 'cx.js']);
  await page.click('#a');
  await asks(page, ['cx-forms.js', 'cx-vitals.js', 'cx.js']);
  await page.click('#b');
  await page.keyboard.type('x');
  await sleep(400);
  await asks(page, ['cx-forms.js', 'cx-vitals.js', 'cx.js']);
  await leave(page);

  const [e] = await stack.wait('signal', 1, (s) => s.name === 'form_abandon');

  assert.equal(e.target, 'input#b');
  await page.context().close();
});

test('the first field is not lost while its watcher comes', async () => {
  const context = await newContext(browser);
  const page = await newPage(context);
  const known = (await stack.events('signal')).length;

  await page.route('**/_cx/cx-forms.js?*', async (route) => {
    await sleep(1000);
    await route.continue();
  });
  await page.goto(`${stack.url}/form.html`);
  await page.waitForFunction(() => window.cx);
  await page.click('#a');
  await page.keyboard.type('x');
  await sleep(1600);
  await leave(page);
  await until('the signal', async () =>
    (await stack.events('signal')).slice(known).some((s) =>
      s.name === 'form_abandon' && s.target === 'input#a'));
  await context.close();
});

test('what watches touches comes where there is touch', async () => {
  const page = await open('plain', { hasTouch: true });

  await asks(page, ['cx-touch.js', 'cx-vitals.js', 'cx.js']);
  await page.context().close();
});

test('a survey that waits: its part and one request, no card', async () => {
  const page = await open('waits');

  await asks(page, ['cx-survey.js', 'cx-vitals.js', 'cx.js', 'surveys']);
  await page.mouse.wheel(0, 9000);
  await dialog(page).waitFor();
  await asks(page, ['cx-ask.js', 'cx-survey.js', 'cx-vitals.js', 'cx.js',
    'surveys']);
  await page.context().close();
});

test('a quiet visit of three pages: each file once, a beacon a page',
     async () => {
  const context = await newContext(browser);
  const page = await newPage(context);
  const log = () => readFileSync(join(stack.dir, 'logs/posts.log'), 'utf8');
  const before = log().length;

  for (let n = 0; n < 3; n++) {
    await page.goto(`${stack.url}/cached.html?${n}`);
    await page.waitForFunction(() => window.cx);
    await sleep(800);
  }

  await leave(page);
  await stack.wait('leave', 3, (e) => e.page === '/cached.html');

  const lines = log().slice(before).trim().split('\n')
    .map((line) => line.split(' ').slice(0, 2).join(' ')).sort();

  assert.deepEqual(lines, ['GET /_cx/cx-vitals.js', 'GET /_cx/cx.js',
    'POST /_cx/events', 'POST /_cx/events', 'POST /_cx/events']);
  await context.close();
});

test('a moving mouse lays out nothing', async () => {
  const page = await open('moves');
  const cdp = await page.context().newCDPSession(page);
  const count = async () => {
    const { metrics } = await cdp.send('Performance.getMetrics');

    return metrics.find(({ name }) => name === 'LayoutCount').value;
  };

  await cdp.send('Performance.enable');
  await sleep(2500);

  const before = await count();

  for (let n = 0; n < 100; n++) {
    await page.mouse.move(100 + 3 * n, 200 + n % 20);
  }

  assert.ok(await count() - before <= 1, `${await count() - before}`);
  await page.context().close();
});

test('without cx_surveys nothing is stored in the browser', async () => {
  const page = await open('bare');

  await asks(page, ['cx-vitals.js', 'cx.js']);
  await page.click('#more');
  await sleep(500);
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  assert.deepEqual(await page.evaluate(() => window.cx.why()),
                   ['no survey is meant for this page']);

  // that loads the part for surveys all the same
  await page.goto(`${stack.url}/bare.html?cx_debug=1`);
  await until('the part', () => page.asked.includes('cx-survey.js'));
  await sleep(500);
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  await leave(page);
  await stack.wait('leave', 2, (e) => e.page === '/bare.html');
  await page.context().close();
});

test('who may not debug loads no panel', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/debug.html?cx_debug=1`);

  await page.waitForFunction(() => window.cx);
  await sleep(1500);
  assert.equal(await page.locator('cx-survey').count(), 0);
  assert.deepEqual(page.wrong, []);
  await context.close();
});
