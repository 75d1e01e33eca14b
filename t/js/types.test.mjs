// Every metric asked and answered, by mouse and by keyboard alone; follow-up,
// wording, names and roles, focus.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  axe, choose, dialog, launch, leave, newContext, newPage
} from './lib/browser.mjs';
import { four, pagesOf, survey } from './lib/surveys.mjs';
import { Stack, sleep } from './lib/stack.mjs';

const surveys = [...four,
  survey('other', 'nps', 'Would you tell a friend?', { thanks: 'Noted.' }),
  survey('low', 'csat', 'And this?',
         { follow_up: { dissatisfied: 'What went wrong?' } })];

let stack, browser;

before(async () => {
  stack = await Stack.start({
    pages: pagesOf(surveys), surveys: { version: 1, surveys }
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

async function open(id, options) {
  const context = await newContext(browser, options);
  const page = await newPage(context, `${stack.url}/${id}.html`);

  await dialog(page).waitFor();
  return page;
}

const mine = (page) => (e) => e.page === new URL(page.url()).pathname;
const focused = (page) => page.evaluate(() => {
  let element = document.activeElement;

  while (element.shadowRoot?.activeElement) {
    element = element.shadowRoot.activeElement;
  }

  return element.value || element.textContent || element.localName;
});

// survey, score, follow-up that belongs to it
const answers = [
  ['nps', 6, 'What disappointed you?'],
  ['nps', 7, 'What would make it a nine or ten?'],
  ['nps', 9, 'What do you like best?'],
  ['csat', 2, 'What went wrong?'],
  ['csat', 3, 'Tell us more?'],
  ['csat', 5, 'Tell us more?'],
  ['ces', 3, 'What was hard to find?'],
  ['ces', 5, null],
  ['psat', 0, 'What is missing?'],
  ['psat', 1, null]
];

const name = (id, score) => id !== 'psat' ? String(score)
  : score ? 'Yes' : 'No';

for (const [id, score, why] of answers) {
  test(`${id} ${score} by mouse${why ? `, then "${why}"` : ''}`, async () => {
    const page = await open(id);
    const { question } = surveys.find((s) => s.id === id);
    const known = (await stack.events('answer')).map((e) => e.answer);
    const fresh = (e) => e.survey === id && !known.includes(e.answer);

    assert.equal(await dialog(page).getAttribute('aria-modal'), null);
    await page.getByRole('dialog', { name: question }).waitFor();
    await page.getByRole('radiogroup', { name: question }).waitFor();
    assert.deepEqual(await axe(page), [], 'axe, score');

    await choose(page, name(id, score));
    const [first] = await stack.wait('answer', 1, fresh);

    assert.equal(first.score, String(score));
    assert.equal(first.text, '');
    assert.equal(first.metric, id);
    assert.equal(first.source, 'asked');
    assert.equal(first.trigger, 'load');
    assert.equal(first.chance, '10000');
    assert.equal(first.lang, 'en-GB');
    assert.match(first.answer, /^[0-9a-f]{16}$/);

    if (why) {
      await page.getByRole('dialog', { name: why, exact: true }).waitFor();
      assert.deepEqual(await axe(page), [], 'axe, text');
      await page.getByRole('textbox', { name: why }).fill('Too\nlong: \u00e9 ');
      await page.getByRole('button', { name: 'Send' }).click();

      const [, second] = await stack.wait('answer', 2, fresh);

      assert.deepEqual([second.answer, second.score, second.text, second.view],
        [first.answer, first.score, 'Too\nlong: \u00e9', first.view]);
    }

    await page.getByRole('dialog', { name: /Thank/ }).waitFor();
    assert.deepEqual(await axe(page), [], 'axe, thanks');
    await leave(page);

    const [shown] = await stack.wait('shown', 1, (e) => e.view === first.view);

    assert.deepEqual([shown.survey, shown.trigger, shown.chance],
                     [id, 'load', '10000']);
    assert.equal((await stack.events('dismiss')).length, 0);
    assert.deepEqual(page.wrong, []);
    await page.context().close();
  });
}

test('score and text by keyboard alone; the focus goes back', async () => {
  const page = await open('nps');
  const known = (await stack.events('answer')).length;

  await page.click('#more');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), '0', 'the radio group is one tab stop');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  assert.equal(await focused(page), '3');
  await sleep(300);
  assert.equal((await stack.events('answer')).length, known,
               'moving sends nothing');
  await page.getByRole('button', { name: 'Next' }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'Next');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'What disappointed you?' }).waitFor();
  await page.keyboard.type('s/it/them/');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'Send');
  await page.keyboard.press('Space');

  const [first, second] = (await stack.wait('answer', known + 2))
    .slice(known);

  assert.deepEqual([first.score, second.score, second.text],
                   ['3', '3', 's/it/them/']);
  await page.getByRole('dialog', { name: 'Thanks, that helps us.' }).waitFor();
  await sleep(4600);
  assert.ok(await dialog(page).isVisible(), 'open while it has the focus');
  await page.keyboard.press('Escape');
  assert.equal(await dialog(page).count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'next');
  await page.context().close();
});

for (const key of ['Enter', 'Space']) {
  test(`${key} on a score sends it`, async () => {
    const page = await open('psat');
    const known = (await stack.events('answer')).length;

    await page.focus('#next');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press(key);
    const all = await stack.wait('answer', known + 1);

    assert.equal(all[known].score, '1');
    await page.context().close();
  });
}

test('a score chosen by arrows is sent when the focus leaves', async () => {
  const page = await open('ces');
  const known = (await stack.events('answer')).length;

  await page.focus('#next');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowRight');
  await page.click('#search');
  const all = await stack.wait('answer', known + 1);

  assert.equal(all[known].score, '2');
  await page.context().close();
});

test('the focus is never taken', async () => {
  const context = await newContext(browser);
  const page = await newPage(context);

  await page.goto(`${stack.url}/nps.html`, { waitUntil: 'commit' });
  await page.focus('#search');
  await page.keyboard.type('ab');
  await dialog(page).waitFor();
  await sleep(400);
  await page.keyboard.type('cd');
  assert.equal(await page.inputValue('#search'), 'abcd');
  await context.close();
});

test('escape closes, the focus goes back, a dismissal is told', async () => {
  const page = await open('nps');

  await page.focus('#next');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Escape');
  assert.equal(await dialog(page).count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'next');
  await leave(page);
  const [dismiss] = await stack.wait('dismiss');

  assert.deepEqual([dismiss.survey, dismiss.how], ['nps', 'escape']);
  await page.context().close();
});

test('the close button', async () => {
  const page = await open('csat');

  await page.getByRole('button', { name: 'Close' }).click();
  assert.equal(await dialog(page).count(), 0);
  await leave(page);
  const [dismiss] = await stack.wait('dismiss', 1, (e) => e.survey === 'csat');

  assert.equal(dismiss.how, 'close');
  await page.context().close();
});

test('its appearance is announced politely', async () => {
  const page = await open('nps');

  await page.getByRole('status').filter({ hasText: 'How likely' })
    .waitFor({ state: 'attached' });
  await page.context().close();
});

test('the scale has its ends as description', async () => {
  const page = await open('nps');
  const cdp = await page.context().newCDPSession(page);
  const { nodes } = await cdp.send('Accessibility.getFullAXTree');
  const group = nodes.find((n) => n.role?.value === 'radiogroup');

  assert.equal(group.description.value, 'Not at all likely Extremely likely');
  assert.equal(nodes.filter((n) => n.role?.value === 'radio').length, 11);
  await page.context().close();
});

test('keys that are typed into the card are not the page\'s', async () => {
  const page = await open('nps');

  await page.evaluate(() => {
    window.keys = 0;
    document.addEventListener('keydown', () => { window.keys++; });
  });
  await choose(page, '1');
  await page.getByRole('textbox', { name: 'What disappointed you?' }).waitFor();
  await page.keyboard.type('hello');
  assert.equal(await page.evaluate(() => window.keys), 0);
  await page.context().close();
});

test('thanks close by themselves, with wording of the survey', async () => {
  const page = await open('other');

  await choose(page, '10');
  await page.getByRole('dialog', { name: 'Noted.' }).waitFor();
  await page.mouse.move(5, 5);
  await page.focus('#search');
  await dialog(page).waitFor({ state: 'detached', timeout: 7000 });
  assert.equal(await page.evaluate(() => document.activeElement.id), 'search');
  await page.context().close();
});

test('skip: no text, no second answer', async () => {
  const page = await open('low');
  const known = (await stack.events('answer')).length;

  await choose(page, '1');
  await page.getByRole('button', { name: 'Skip' }).click();
  await page.getByRole('dialog', { name: /Thank/ }).waitFor();
  await leave(page);
  await stack.wait('leave', 1, (e) => e.page === '/low.html');
  assert.equal((await stack.events('answer')).length, known + 1);
  await page.context().close();
});

test('a text of 2000 characters is cut at 2000 bytes', async () => {
  const page = await open('nps');
  const known = (await stack.events('answer')).length;

  await choose(page, '2');
  await page.getByRole('textbox', { name: 'What disappointed you?' })
    .fill(`\tx${'\u{1f600}'.repeat(999)}`);
  await page.getByRole('button', { name: 'Send' }).click();
  const all = await stack.wait('answer', known + 2);

  assert.equal(all[known + 1].text, `x${'\u{1f600}'.repeat(499)}`);
  await page.context().close();
});
