// When a survey shows and how often, by a clock that the tests move; and what
// window.cx says about it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  choose, dialog, launch, leave, newContext, newPage
} from './lib/browser.mjs';
import { pagesOf, plain, survey } from './lib/surveys.mjs';
import { Stack, sleep } from './lib/stack.mjs';

const DAY = 86400e3;
const START = Date.UTC(2030, 0, 1, 12);

const surveys = [
  survey('a', 'nps', 'A?'),
  survey('b', 'csat', 'B?'),
  survey('fast', 'csat', 'Fast?', { often: {
    answered_days: 3, dismissed_days: 2, showings: 3, between_days: 0
  } }),
  survey('delay', 'csat', 'Delayed?', { when: { delay: 1 } }),
  survey('scroll', 'csat', 'Scrolled?', { when: { scroll: 60 } }),
  survey('exit', 'csat', 'Leaving?', { when: { exit: true } }),
  survey('either', 'csat', 'Either?', { when: { delay: 1, scroll: 60 } }),
  survey('views', 'csat', 'Third view?', { when: { views: 3 } }),
  survey('first', 'csat', 'First?', {
    where: { pages: ['/two.html'] }, when: { views: 2 }
  }),
  survey('second', 'csat', 'Second?', { where: { pages: ['/two.html'] } }),
  survey('api', 'csat', 'By hand?', { when: { views: 1000 },
    often: { between_days: 0 } })
];

let stack, browser;

before(async () => {
  stack = await Stack.start({
    pages: { ...pagesOf(surveys), 'two.html': plain, 'none.html': plain },
    surveys: { version: 1, surveys }
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

// opens a page as somebody who comes back days later; says whether it asked
async function visit(context, id, days, ask = true) {
  const page = await newPage(context);

  await page.clock.setFixedTime(START + days * DAY);
  await page.goto(`${stack.url}/${id}.html`);

  if (ask) {
    await dialog(page).waitFor();
  } else {
    await page.waitForFunction(() =>
      window.cx && !/not loaded/.test(window.cx.why()[0]));
    await sleep(500);
    assert.equal(await dialog(page).count(), 0, `day ${days}: asks`);
  }

  return page;
}

const why = (page) => page.evaluate(() => window.cx.why());

test('after an answer 90 days of peace', async () => {
  const context = await newContext(browser);
  let page = await visit(context, 'a', 0);

  await choose(page, 9);
  await page.getByRole('dialog', { name: /Thank/ }).waitFor();
  page = await visit(context, 'a', 89.9, false);
  assert.deepEqual(await why(page), ['a: answered, not before 2030-04-01']);
  await visit(context, 'a', 90.1);
  await context.close();
});

test('after a dismissal 30 days of peace, and no third showing', async () => {
  const context = await newContext(browser);
  let page = await visit(context, 'a', 0);

  await page.getByRole('button', { name: 'Close' }).click();
  page = await visit(context, 'a', 29.9, false);
  assert.deepEqual(await why(page), ['a: dismissed, not before 2030-01-31']);
  page = await visit(context, 'a', 30.1);
  await page.getByRole('button', { name: 'Close' }).click();
  page = await visit(context, 'a', 400, false);
  assert.deepEqual(await why(page), ['a: shown 2 times']);
  await context.close();
});

test('seven days between any two surveys, two showings of one', async () => {
  const context = await newContext(browser);
  let page = await visit(context, 'a', 0);

  page = await visit(context, 'b', 6.9, false);
  assert.deepEqual(await why(page),
                   ['b: another survey was shown, not before 2030-01-08']);
  await visit(context, 'a', 6.9, false);
  await visit(context, 'b', 7.1);
  await visit(context, 'a', 14.2);
  await visit(context, 'a', 90, false);
  await visit(context, 'b', 91);
  await context.close();
});

test('a survey\'s own figures', async () => {
  const context = await newContext(browser);

  await visit(context, 'a', 0);
  let page = await visit(context, 'fast', 0.1);
  await choose(page, 5);
  await page.getByRole('dialog', { name: /Thank/ }).waitFor();
  await visit(context, 'fast', 2.9, false);
  page = await visit(context, 'fast', 3.2);
  await page.getByRole('button', { name: 'Close' }).click();
  await visit(context, 'fast', 5.1, false);
  await visit(context, 'fast', 5.3);
  await visit(context, 'fast', 5.4);
  page = await visit(context, 'fast', 5.5, false);
  assert.deepEqual(await why(page), ['fast: shown 3 times']);
  await context.close();
});

test('"do not ask again" is one click, for good, for all surveys', async () => {
  const context = await newContext(browser);
  let page = await visit(context, 'a', 0);
  const gets = [];

  await page.getByRole('button', { name: 'Don\u2019t ask again' }).click();
  assert.equal(await dialog(page).count(), 0);
  await leave(page);
  const [dismiss] = await stack.wait('dismiss', 1, (e) => e.how === 'never');

  assert.equal(dismiss.survey, 'a');
  context.on('request', (r) => gets.push(r.url()));

  for (const days of [1, 400, 4000]) {
    for (const id of ['a', 'b', 'fast']) {
      page = await visit(context, id, days, false);
    }
  }

  assert.deepEqual(await why(page),
                   ['the visitor asked not to be asked again']);
  assert.equal(await page.evaluate(() => window.cx.ask('fast')), false);
  assert.deepEqual(gets.filter((url) => /surveys\?/.test(url)), []);
  await context.close();
});

test('what is stored is the frequency state', async () => {
  const context = await newContext(browser);
  const page = await visit(context, 'a', 0);

  await choose(page, 10);
  await page.getByRole('dialog', { name: /Thank/ }).waitFor();
  const minutes = START / 60e3;

  assert.deepEqual(JSON.parse(await page.evaluate(() => localStorage.cx)), {
    v: 1, t: minutes, s: { a: { n: 0, a: minutes } }
  });
  assert.deepEqual(await why(page),
                   ['a: a survey was shown in this page view']);
  await context.close();
});

for (const [what, init] of [
  ['blocked', () => Object.defineProperty(window, 'localStorage', {
    get() { throw new DOMException('no', 'SecurityError'); }
  })],
  ['spoilt', () => localStorage.setItem('cx', '"x"')]
]) {
  test(`storage that is ${what} is no obstacle`, async () => {
    const context = await newContext(browser, { init });
    const page = await newPage(context, `${stack.url}/a.html`);

    await dialog(page).waitFor();
    await choose(page, 3);
    await page.getByRole('dialog', { name: /Thank/ }).waitFor();
    await page.evaluate(() => history.pushState(null, '', '/b.html'));
    await sleep(600);
    assert.equal(await page.getByRole('dialog', { name: 'B?' }).count(), 0);
    assert.match((await why(page))[0], /another survey was shown/);
    assert.deepEqual(page.wrong, []);
    await context.close();
  });
}

const shown = (id) => stack.wait('shown', 1, (e) => e.survey === id)
  .then(([e]) => e);

test('trigger: delay', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/delay.html`);
  const start = Date.now();

  await page.waitForFunction(() =>
    window.cx.why()[0] === 'delay: waits for its moment');
  await dialog(page).waitFor();
  assert.ok(Date.now() - start > 900);
  await leave(page);
  assert.equal((await shown('delay')).trigger, 'delay');
  await context.close();
});

test('trigger: scroll', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/scroll.html`);

  await sleep(500);
  await page.mouse.wheel(0, 200);
  await sleep(400);
  assert.equal(await dialog(page).count(), 0);
  await page.mouse.wheel(0, 1200);
  await dialog(page).waitFor();
  await leave(page);
  assert.equal((await shown('scroll')).trigger, 'scroll');
  await context.close();
});

test('trigger: exit', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/exit.html`);

  await page.waitForFunction(() => /waits/.test(window.cx.why()[0]));
  await page.mouse.move(300, 300);
  await page.mouse.move(300, 20, { steps: 5 });
  assert.equal(await dialog(page).count(), 0);
  await page.mouse.move(300, -5);
  await dialog(page).waitFor();
  await leave(page);
  assert.equal((await shown('exit')).trigger, 'exit');
  await context.close();
});

test('trigger: the first of two, once', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/either.html`);

  await page.waitForFunction(() => /waits/.test(window.cx.why()[0]));
  await page.mouse.wheel(0, 1500);
  await dialog(page).waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  await sleep(1200);
  assert.equal(await dialog(page).count(), 0);
  await leave(page);
  assert.equal((await shown('either')).trigger, 'scroll');
  await context.close();
});

test('trigger: views of this site', async () => {
  const context = await newContext(browser);

  await visit(context, 'none', 0, false);
  const page = await visit(context, 'views', 0, false);
  assert.deepEqual(await why(page), ['views: page view 2 of 3']);
  await leave(await visit(context, 'views', 0));
  assert.equal((await shown('views')).trigger, 'views');
  await context.close();
});

test('the first survey that may be shown is', async () => {
  const context = await newContext(browser);
  let page = await visit(context, 'two', 0);

  await page.getByRole('dialog', { name: 'Second?' }).waitFor();
  page = await visit(context, 'two', 8);
  await page.getByRole('dialog', { name: 'First?' }).waitFor();
  assert.equal(await dialog(page).count(), 1);
  await context.close();
});

test('a page without surveys asks for none', async () => {
  const context = await newContext(browser);
  const gets = [];

  context.on('request', (r) => gets.push(r.url()));
  const page = await visit(context, 'none', 0, false);

  assert.deepEqual(await why(page), ['no survey is meant for this page']);
  assert.deepEqual(gets.filter((url) => /surveys/.test(url)), []);
  await context.close();
});

test('cx.ask()', async () => {
  const context = await newContext(browser);
  let page = await visit(context, 'api', 0, false);

  assert.match((await why(page))[0], /^api: page view 1 of 1000/);
  assert.equal(await page.evaluate(() => window.cx.ask('nothing')), false);
  await page.evaluate(() => {
    document.getElementById('more').onclick = () => {
      window.asked = window.cx.ask('api');
    };
  });
  await page.click('#more');
  await dialog(page).waitFor();
  assert.equal(await page.evaluate(() => window.asked), true);
  assert.equal(await page.evaluate(() =>
    document.activeElement.localName), 'cx-survey', 'who asks for it gets it');
  assert.equal(await page.evaluate(() => window.cx.ask('api')), false,
               'one prompt a page view');
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'more');
  await leave(page);
  assert.equal((await shown('api')).trigger, 'api');
  await context.close();
});
