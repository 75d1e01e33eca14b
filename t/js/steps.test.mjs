// Surveys of several steps: branches, offers, thanks with a link; and that
// nothing is lost that was chosen, wherever somebody leaves.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { choose, dialog, launch, leave } from './lib/browser.mjs';
import { long, of, open, others, pagesOf, survey } from './lib/surveys.mjs';
import { Stack } from './lib/stack.mjs';

const surveys = [long,
  others.find((s) => s.id === 'choices'),
  survey('asks', 'choice', 'What are you?', {
    options: ['A reader', 'A writer'],
    more: [{ kind: 'text', offer: false, question: 'Tell us?' }]
  }),
  ...['after', 'arrow', 'typed', 'boxes', 'closed'].map((id) =>
    survey(id, id === 'boxes' ? 'choices' : 'nps', `And ${id}?`, {
      follow_up: { any: 'Why?' },
      options: id === 'boxes' ? ['One', 'Two', 'Three'] : undefined
    }))];

let stack, browser;

before(async () => {
  stack = await Stack.start({
    pages: pagesOf(surveys), surveys: { version: 1, surveys },
    server: 'location = /long.html { cx_touchpoint docs; }'
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const show = (id, options) => open(browser, stack, id, options);
const step = (page, name) =>
  page.getByRole('dialog', { name, exact: true }).waitFor();
const press = (page, name) => page.getByRole('button', { name }).click();

// the answers of the view that page shows, when the last of n is there
async function answers(page, n) {
  const [{ view }] = (await stack.wait('answer', 1, of(
    new URL(page.url()).pathname.slice(1, -5)))).slice(-1);

  return stack.wait('answer', n, (e) => e.view === view);
}

const brief = (all) => all.map((e) => [e.score, e.text, e.choice, e.done]);

test('every step, the offer is taken: one answer, completed', async () => {
  const page = await show('long');

  await step(page, 'It was easy to find Working with archives.');
  await choose(page, 2);
  await page.getByRole('textbox', { name: /^What was hard at/ }).fill('all');
  await press(page, 'Send');
  await step(page, 'One more question?');
  await press(page, 'Yes');
  await step(page, 'Where did you look first?');
  await choose(page, 'Compare versions');
  await step(page, 'Thank you.');

  const all = await answers(page, 4).catch(() => answers(page, 3));

  assert.equal(new Set(all.map((e) => e.answer)).size, 1);
  assert.deepEqual(brief(all).slice(0, 2),
                   [['2', '', '', ''], ['2', 'all', '', '']]);
  assert.deepEqual(brief(all).at(-1), ['2', 'all', '1', '1']);

  const link = page.getByRole('link', { name: 'What we changed' });

  assert.equal(await link.getAttribute('rel'), 'noopener');
  assert.equal(await link.getAttribute('target'), null);
  await link.click();
  await page.waitForURL(/other\.html$/);
  await page.context().close();
});

test('no thanks to the offer', async () => {
  const page = await show('long');

  await choose(page, 1);
  await press(page, 'Skip');
  await step(page, 'One more question?');
  await press(page, 'No, thanks');
  await step(page, 'Thank you.');
  const all = await answers(page, 2);

  assert.deepEqual(brief(all).at(-1), ['1', '', '', '1']);
  await page.context().close();
});

test('a bucket without a text goes on to the next step that is for it',
     async () => {
  const page = await show('long');

  await choose(page, 4);
  await step(page, 'One more question?');
  await press(page, 'Yes');
  await step(page, 'Where did you look first?');
  await page.context().close();
});

test('a bucket without any step is done at once, in one request', async () => {
  const page = await show('long');

  await choose(page, 7);
  await step(page, 'Thank you.');
  const all = await answers(page, 1);

  assert.deepEqual(brief(all).at(-1), ['7', '', '', '1']);
  await page.context().close();
});

test('a choice first, then a text without an offer', async () => {
  const page = await show('asks');

  await choose(page, 'A writer');
  await page.getByRole('textbox', { name: 'Tell us?' }).fill('I write');
  await press(page, 'Send');
  await step(page, 'Thank you for your feedback.');
  const all = await answers(page, 2);

  assert.deepEqual(brief(all), [['', '', '1', ''], ['', 'I write', '1', '1']]);
  await page.context().close();
});

test('the tab is closed after the first click', async () => {
  const page = await show('after');

  await choose(page, 8);
  await page.close({ runBeforeUnload: false });
  const [answer] = await stack.wait('answer', 1, of('after'));

  assert.equal(answer.score, '8');
  await page.context().close();
});

test('the page is left while an arrow key has chosen', async () => {
  const page = await show('arrow');

  await page.getByRole('radio').first().focus();
  await page.keyboard.press('ArrowRight');
  await leave(page);
  const [answer] = await stack.wait('answer', 1, of('arrow'));

  assert.equal(answer.score, '1');
  await page.context().close();
});

test('the page is left while boxes are ticked', async () => {
  const page = await show('boxes');

  await page.getByRole('checkbox', { name: 'One' }).click();
  await page.getByRole('checkbox', { name: 'Three' }).click();
  await leave(page);
  const all = await stack.wait('answer', 2, of('boxes'));

  assert.equal(all.at(-1).choice, '0,2');
  await page.context().close();
});

test('a text that was not sent is not sent', async () => {
  const page = await show('typed');

  await choose(page, 3);
  await page.getByRole('textbox').last().fill('secret');
  await leave(page);
  await stack.wait('leave', 1, (e) => e.page === '/typed.html');
  const all = await stack.wait('answer', 1, of('typed'));

  assert.ok(all.every((e) => !e.text));
  assert.doesNotMatch(JSON.stringify(await stack.events()), /secret/);
  await page.context().close();
});

test('closing after the score is no dismissal', async () => {
  const page = await show('closed');

  await choose(page, 3);
  await page.getByRole('textbox').last().waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  assert.equal(await dialog(page).count(), 0);
  await leave(page);
  await stack.wait('leave', 1, (e) => e.page === '/closed.html');
  assert.equal((await stack.wait('answer', 1, of('closed'))).length, 1);
  assert.equal((await stack.events('dismiss')).length, 0);
  await page.context().close();
});
