// Surveys that are there without asking: in the page, behind the feedback tab;
// and what only developers see: the panel and the preview.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import {
  axe, choose, dialog, launch, leave, newContext, newPage
} from './lib/browser.mjs';
import { focused, plain } from './lib/surveys.mjs';
import { Stack, build, sleep } from './lib/stack.mjs';

const shots = process.env.CX_SHOTS || join(build, 'shots');
const on = (name) => ({ pages: [`/${name}.html`] });
const surveys = [
  { id: 'part', metric: 'psat', place: 'inline', where: on('part') },
  { id: 'low', metric: 'csat', place: 'inline', where: on('low') },
  { id: 'tab', metric: 'csat', look: 'faces', place: 'tab', where: on('tab'),
    question: 'What do you think of this page?',
    follow_up: { any: 'What is it?' } },
  { id: 'wild', metric: 'csat', place: 'tab', where: on('wild'),
    question: 'What do you think of this page?' },
  { id: 'moved', metric: 'csat', place: 'tab',
    where: { pages: ['/moved*'] }, question: 'What do you think?' },
  { id: 'used', metric: 'csat', place: 'tab', where: on('due'),
    question: 'What do you think?' },
  { id: 'due', metric: 'nps', where: on('due'), when: { delay: 2 },
    question: 'How likely?' },
  { id: 'drawn', metric: 'nps', where: on('panel'), when: { delay: 60 } },
  { id: 'elsewhere', metric: 'nps', where: on('nowhere') },
  { id: 'both', metric: 'nps', where: on('nowhere'),
    thanks: { en: 'Thanks!', he: '\u05ea\u05d5\u05d3\u05d4' } }
];
// a colour is no colour yet while it fades in
const still = { reducedMotion: 'reduce' };

const holder = (id, after = '') => plain.replace('<h2>',
  `${after}<div data-cx-survey="${id}"></div><h2>`);

let stack, browser;

before(async () => {
  mkdirSync(shots, { recursive: true });
  stack = await Stack.start({
    pages: {
      'part.html': holder('part'), 'tab.html': plain, 'panel.html': plain,
      'due.html': plain, 'wild.html': plain.replace('</head>', `<style>
        body > * { display: block; position: relative; inset: 40px; margin: 9px;
          opacity: .5; font: 30px monospace; }</style></head>`),
      'moved.html': plain.replace('</head>', `<style>
        body { transform: translateY(0); min-height: 4000px; }</style></head>`),
      'low.html': holder('low', '<div class="tall"></div>')
    },
    surveys: { version: 1, surveys },
    server: 'cx_debug 1; location /off/ { cx_debug 0; }'
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const shot = (page, name) =>
  page.screenshot({ path: join(shots, `${name}.png`) });

test('in the page: no close, no "never", not shown before it is seen',
     async () => {
  const context = await newContext(browser, still);
  const page = await newPage(context, `${stack.url}/low.html`);
  const group = page.getByRole('group', { name: 'How satisfied' });

  await group.waitFor();
  assert.equal(await page.getByRole('button', { name: 'Close' }).count(), 0);
  assert.equal(await page.getByRole('button', { name: 'Do not' }).count(), 0);
  await sleep(300);
  await page.evaluate(() => window.scrollBy(0, 2000));
  await group.scrollIntoViewIfNeeded();
  assert.deepEqual(await axe(page), []);
  await shot(page, 'inline-low');
  await choose(page, 5);
  const [answer] = await stack.wait('answer', 1, (e) => e.survey === 'low');

  assert.deepEqual([answer.source, answer.trigger, answer.done],
                   ['asked', 'inline', '1']);
  await group.waitFor({ state: 'detached' }).catch(() => {});
  await page.getByText('Thank you for your feedback.').first().waitFor();
  await leave(page);
  const [shown] = await stack.wait('shown', 1, (e) => e.survey === 'low');

  assert.equal(shown.trigger, 'inline');
  await context.close();
});

test('in the page: again on each view, whatever was answered', async () => {
  const context = await newContext(browser, still);
  const page = await newPage(context, `${stack.url}/part.html`);

  await choose(page, 'Yes');
  await stack.wait('answer', 1, (e) => e.survey === 'part');
  await page.reload();
  await page.getByRole('radiogroup').waitFor();
  await shot(page, 'inline-part');
  await context.close();
});

test('a page\'s style does not reach the tab', async () => {
  const context = await newContext(browser, still);
  const look = async (name) => {
    const page = await newPage(context, `${stack.url}/${name}.html`);
    const tab = page.getByRole('button', { name: 'Feedback' });

    await tab.waitFor();
    const box = await tab.boundingBox();

    await page.emulateMedia({ media: 'print' });
    assert.equal(await tab.isVisible(), false, `${name} printed`);
    await page.close();
    return box;
  };

  assert.deepEqual(await look('wild'), await look('tab'));
  await context.close();
});

test('a body that is transformed, or replaced after a navigation', async () => {
  const context = await newContext(browser, still);
  const page = await newPage(context, `${stack.url}/moved.html`);
  const tab = page.getByRole('button', { name: 'Feedback' });

  await tab.waitFor();
  await page.evaluate(() => scrollTo(0, 1500));
  const { height } = page.viewportSize();
  const box = await tab.boundingBox();

  assert.ok(box.y > 0 && box.y + box.height <= height, JSON.stringify(box));
  await tab.click();
  const card = await dialog(page).boundingBox();

  assert.ok(card.y > 0 && card.y + card.height <= height, JSON.stringify(card));

  // as Turbo does it: the address first, the page when it has come
  const found = page.waitForResponse((r) => /surveys/.test(r.url()));

  await page.evaluate(() => history.pushState(null, '', '/moved-2.html'));
  await found;
  await page.waitForFunction(() => document.querySelector('cx-survey'));
  await page.evaluate(() => {
    const body = document.createElement('body');

    body.append('Another page');
    document.body.replaceWith(body);
  });
  await tab.click();
  await dialog(page).waitFor();
  await context.close();
});

test('the tab: opened and closed by its button, the focus follows',
     async () => {
  const context = await newContext(browser, still);
  const page = await newPage(context, `${stack.url}/tab.html`);
  const tab = page.getByRole('button', { name: 'Feedback' });
  const open = () => tab.getAttribute('aria-expanded');
  const card = page.getByRole('dialog', { name: 'What do you think' });

  await tab.waitFor();
  assert.equal(await open(), 'false');
  assert.deepEqual(await axe(page), []);
  await shot(page, 'tab-1-closed');

  const box = await tab.boundingBox();

  assert.ok(box.width >= 44 && box.height >= 44);
  await tab.focus();
  await page.keyboard.press('Enter');
  await card.waitFor();
  assert.equal(await open(), 'true');
  assert.equal(await focused(page), 'What do you think of this page?');
  assert.deepEqual(await axe(page), []);
  await shot(page, 'tab-2-open');
  await page.keyboard.press('Escape');
  assert.equal(await card.count(), 0);
  assert.equal(await open(), 'false');
  assert.equal(await focused(page), 'Feedback');

  await tab.click();
  await card.waitFor();
  await tab.click();
  assert.equal(await card.count(), 0, 'a second click closes');

  await tab.click();
  await choose(page, '3 of 5');
  await page.getByRole('textbox', { name: 'What is it?' }).fill('Long.');
  await page.getByRole('button', { name: 'Send' }).click();
  const all = await stack.wait('answer', 2, (e) => e.survey === 'tab');

  assert.deepEqual([all[1].source, all[1].trigger, all[1].text],
                   ['volunteered', 'tab', 'Long.']);
  await context.close();
});

test('a prompt that falls due while the tab is in use is not shown, and does '
     + 'not count', async () => {
  const context = await newContext(browser, still);
  const page = await newPage(context, `${stack.url}/due.html`);
  const tab = page.getByRole('button', { name: 'Feedback' });
  const why = (id = 'due') => page.evaluate((start) =>
    window.cx.why().find((line) => line.startsWith(start)), `${id}: `);

  await tab.click();
  await dialog(page).waitFor();
  await page.evaluate(() => {
    window.due = 0;
    window.setInterval(() => { window.due += 1; }, 1000);
  });
  await page.waitForFunction(() => window.due >= 3);
  assert.equal(await dialog(page).count(), 1);
  assert.equal(await page.getByRole('dialog', { name: 'How likely' }).count(),
               0, 'the tab\'s card is not taken away');
  assert.equal(await why(), 'due: the feedback tab is in use');
  assert.equal(await page.evaluate(() => window.cx.ask('due')), false);
  assert.deepEqual(await page.evaluate(() => {
    const { t, s } = JSON.parse(localStorage.cx);

    return [t, s.due];
  }), [undefined, undefined], 'nobody has been asked');

  // it may be asked for when the tab is closed
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => window.cx.ask('due')), true);
  await page.getByRole('dialog', { name: 'How likely' }).waitFor();
  assert.equal(await why(), 'due: a survey was shown in this page view');
  assert.equal(await why('used'), 'used: has its own place');
  await leave(page);
  assert.deepEqual((await stack.wait('shown', 2, (e) =>
    e.page === '/due.html')).map((e) => [e.survey, e.trigger]),
  [['used', 'tab'], ['due', 'api']]);
  await context.close();
});

test('the panel says why, by server and browser, and can be closed',
     async () => {
  const context = await newContext(browser, still);
  const page = await newPage(context, `${stack.url}/panel.html?cx_debug=1`);
  const panel = page.getByRole('region', { name: 'Surveys' });
  const row = (id) => panel.getByRole('row').filter({ hasText: id });

  await panel.waitFor();
  await row('elsewhere').filter({ hasText: /page/ }).waitFor();
  await row('drawn').filter({ hasText: 'waits for its moment' }).waitFor();
  assert.deepEqual(await axe(page), []);
  await shot(page, 'panel');
  await panel.getByRole('button', { name: 'Close' }).click();
  assert.equal(await panel.count(), 0);
  await context.close();
});

test('the preview: every language and scheme, nothing is recorded',
     async () => {
  const context = await newContext(browser, still);
  const page = await newPage(context, `${stack.url}/_cx/preview`);
  const row = page.getByRole('row').filter({ hasText: 'both' });

  await row.getByRole('link', { name: 'he', exact: true }).click();
  const card = dialog(page);

  await card.waitFor();
  assert.deepEqual([await card.getAttribute('lang'),
    await card.getAttribute('dir')], ['he', 'rtl']);
  await card.locator('input').nth(9).click();
  await page.getByRole('dialog', { name: '\u05ea\u05d5\u05d3\u05d4' })
    .waitFor();

  await page.getByRole('row').filter({ hasText: 'part' }).first()
    .getByRole('link', { name: 'dark' }).first().click();
  await page.getByRole('radiogroup').waitFor();
  await shot(page, 'preview-dark');
  await leave(page);
  await sleep(300);
  assert.deepEqual((await stack.events()).filter((e) =>
    /^(shown|start|answer|dismiss)$/.test(e.type)
    && ['both', 'drawn'].includes(e.survey)), []);
  assert.deepEqual(page.wrong, []);
  await context.close();
});
