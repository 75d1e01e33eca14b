// Every question type and look, asked and answered by mouse: names and roles,
// the follow-up of each bucket, what is told.  For the keyboard see access.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { choose, dialog, launch, leave } from './lib/browser.mjs';
import {
  four, open, others, pagesOf, survey, words
} from './lib/surveys.mjs';
import { Stack } from './lib/stack.mjs';

const surveys = [...four, ...others,
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

// events of a page view, by the view's first one that is of the survey
async function told(type, n, known, id) {
  return stack.wait(type, n, (e) => e.survey === id && !known.includes(e.view));
}

const views = async () => (await stack.events()).map((e) => e.view);

// survey, score, follow-up that belongs to it
const answers = [
  ['nps', 6, 'What disappointed you?'],
  ['nps', 7, 'What would make it a nine or ten?'],
  ['nps', 9, 'What do you like best?'],
  ['csat', 2, 'What went wrong?'],
  ['csat', 3, 'Tell us more?'],
  ['csat7', 3, null],
  ['csat7', 4, 'What would make it better?'],
  ['csat7', 7, null],
  ['ces', 3, 'What was hard to find?'],
  ['ces', 5, null],
  ['psat', 0, 'What is missing?'],
  ['psat', 1, null],
  ['psat5', 3, null],
  ['psat5', 4, 'Which one is best?'],
  ['psat5-faces', 1, null],
  ['psat5-stars', 5, null],
  ['stars', 2, 'What would you change?'],
  ['stars7', 7, null],
  ['faces', 4, 'Why?']
];

// what a cell is called
function name({ metric, look, labels }, score) {
  const last = metric === 'csat7' ? 7 : 5;
  const { low, high } = labels || words.en.csat;
  const end = { 1: `, ${low}`, [last]: `, ${high}` }[score] || '';

  return metric === 'psat' ? [low, high][score]
    : /stars|faces/.test(look) ? `${score} of ${last}${end}` : String(score);
}

for (const [id, score, why] of answers) {
  test(`${id} ${score} by mouse${why ? `, then "${why}"` : ''}`, async () => {
    const asked = surveys.find((s) => s.id === id);
    const known = await views();
    const page = await open(browser, stack, id);
    const { question, metric } = asked;

    assert.equal(await dialog(page).getAttribute('aria-modal'), null);
    await page.getByRole('dialog', { name: question }).waitFor();
    await page.getByRole('radiogroup', { name: question }).waitFor();

    await choose(page, name(asked, score));
    const [first] = await told('answer', 1, known, id);

    assert.deepEqual(
      [first.score, first.text, first.metric, first.source, first.trigger,
        first.chance, first.lang, first.done],
      [String(score), '', metric, 'asked', 'load', '10000', 'en',
        why ? '' : '1']);
    assert.match(first.answer, /^[0-9a-f]{16}$/);

    if (why) {
      await page.getByRole('dialog', { name: why, exact: true }).waitFor();
      await page.getByRole('textbox', { name: why }).fill('Too\nlong: \u00e9 ');
      await page.getByRole('button', { name: 'Send' }).click();

      const all = await told('answer', 2, known, id);
      const second = all.at(-1);

      assert.deepEqual([second.answer, second.score, second.text, second.view],
        [first.answer, first.score, 'Too\nlong: \u00e9', first.view]);
      assert.equal(second.done, '1');
    }

    await page.getByRole('dialog', { name: /Thank/ }).waitFor();
    await leave(page);

    const [shown] = await told('shown', 1, known, id);
    const [start] = await told('start', 1, known, id);

    assert.deepEqual([shown.trigger, shown.chance, shown.view, start.view],
                     ['load', '10000', first.view, first.view]);
    assert.deepEqual([start.version, shown.version],
                     [first.version, first.version]);
    assert.equal((await stack.events('dismiss')).length, 0);
    assert.equal((await stack.events('start'))
      .filter((e) => e.view === first.view).length, 1);
    assert.deepEqual(page.wrong, []);
    await page.context().close();
  });
}

test('choice: one of the options', async () => {
  const known = await views();
  const page = await open(browser, stack, 'choice');

  await page.getByRole('radiogroup', { name: 'What did you come here to do?' })
    .waitFor();
  assert.equal(await page.getByRole('radio').count(), 4);
  await choose(page, 'Report a fault');
  const [answer] = await told('answer', 1, known, 'choice');

  assert.deepEqual([answer.metric, answer.choice, answer.score, answer.done],
                   ['choice', '2', '', '1']);
  await page.getByRole('dialog', { name: /Thank/ }).waitFor();
  await page.context().close();
});

test('choices: some of the options, the last word counts', async () => {
  const known = await views();
  const page = await open(browser, stack, 'choices');
  const box = (text) => page.getByRole('checkbox', { name: text });

  await page.getByRole('group', { name: 'What was missing?' }).waitFor();
  await page.getByRole('button', { name: 'Send' }).click();
  assert.equal(await page.getByRole('dialog', { name: /Thank/ }).count(), 0,
               'nothing is chosen yet');
  await box('The version it applies to').click();
  await box('A picture').click();
  await box('A table').click();
  await box('A table').click();
  await page.getByRole('button', { name: 'Send' }).click();
  const all = await stack.wait('answer', 1, (e) => e.survey === 'choices'
    && e.done === '1' && !known.includes(e.view));

  assert.deepEqual([all[0].choice, all[0].score], ['1,3', '']);
  await page.context().close();
});

test('text alone: nothing is taken for an answer but a text', async () => {
  const known = await views();
  const page = await open(browser, stack, 'text');

  await page.getByRole('button', { name: 'Send' }).click();
  assert.equal(await page.getByRole('dialog', { name: /Thank/ }).count(), 0);
  await page.getByRole('textbox', { name: 'If you could change' })
    .fill('The index');
  await page.getByRole('button', { name: 'Send' }).click();
  const [answer] = await told('answer', 1, known, 'text');

  assert.deepEqual([answer.metric, answer.text, answer.score, answer.done],
                   ['text', 'The index', '', '1']);
  await page.context().close();
});

test('stars are filled up to the one that is chosen', async () => {
  const page = await open(browser, stack, 'stars');
  const filled = () => page.locator('.stars svg').evaluateAll((all) =>
    all.map((svg) => getComputedStyle(svg).fill !== 'none'));

  assert.deepEqual(await filled(), [false, false, false, false, false]);
  await page.getByRole('radio').nth(2).focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowRight');
  assert.deepEqual(await filled(), [true, true, true, false, false]);
  await page.context().close();
});

test('thanks close by themselves, with wording of the survey', async () => {
  const page = await open(browser, stack, 'other');

  await choose(page, '10');
  await page.getByRole('dialog', { name: 'Noted.' }).waitFor();
  await page.mouse.move(5, 5);
  await page.focus('#search');
  await dialog(page).waitFor({ state: 'detached', timeout: 7000 });
  assert.equal(await page.evaluate(() => document.activeElement.id), 'search');
  await page.context().close();
});

test('skip: no text, and it is done', async () => {
  const known = await views();
  const page = await open(browser, stack, 'low');

  await choose(page, '1');
  await page.getByRole('button', { name: 'Skip' }).click();
  await page.getByRole('dialog', { name: /Thank/ }).waitFor();
  await leave(page);
  const all = await stack.wait('answer', 2, (e) => e.survey === 'low'
    && !known.includes(e.view));

  assert.deepEqual(all.map((e) => [e.score, e.text, e.done]),
                   [['1', '', ''], ['1', '', '1']]);
  await page.context().close();
});

test('a text of 2000 characters is cut at 2000 bytes', async () => {
  const known = await views();
  const page = await open(browser, stack, 'nps');

  await choose(page, '2');
  await page.getByRole('textbox', { name: 'What disappointed you?' })
    .fill(`\tx${'\u{1f600}'.repeat(999)}`);
  await page.getByRole('button', { name: 'Send' }).click();
  const all = await told('answer', 2, known, 'nps');

  assert.equal(all[1].text, `x${'\u{1f600}'.repeat(499)}`);
  await page.context().close();
});

test('no other wording than that of the survey and its language', async () => {
  const page = await open(browser, stack, 'nps');
  const known = Object.values(words.en.words).join('\n')
    + JSON.stringify(four[0]);
  const texts = await dialog(page).evaluate((box) => [...box.querySelectorAll(
    'p,button,textarea')].flatMap((e) => [e.textContent, e.ariaLabel])
    .filter((text) => text && !/^\d*$/.test(text)));

  texts.filter((text) => !/^Not at all likelyExtr/.test(text)).forEach((text) =>
    assert.ok(known.includes(text), text));
  await page.context().close();
});
