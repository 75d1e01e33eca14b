// The visitor's language: standard wording in all that are shipped, direction,
// what is not shown for want of a language, and what is put into a text.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dialog, launch, newContext, newPage } from './lib/browser.mjs';
import { plain, words } from './lib/surveys.mjs';
import { Stack, sleep } from './lib/stack.mjs';

const tags = Object.keys(words);
const inTag = (tag, more = '') => plain.replace('lang="en-GB"',
  `lang="${tag}" ${more}`);
const on = (name) => ({ pages: [`/${name}.html`] });
const EVIL = '<img src=x onerror="window.evil=1">';

const surveys = [
  { id: 'standard', metric: 'nps', where: { pages: ['/in-*.html'] } },
  { id: 'german', metric: 'nps', language: 'de', question: 'Wie gern?',
    where: on('german') },
  { id: 'own', metric: 'csat', where: on('own'),
    question: { en: 'How was it?', fr: 'C\u2019\u00e9tait comment ?' } },
  { id: 'piped', metric: 'choice', where: on('piped'),
    question: 'What of \u201c{title}\u201d at {touchpoint}?',
    options: ['{title}', 'Nothing'] }
];

let stack, browser;

before(async () => {
  stack = await Stack.start({
    pages: {
      ...Object.fromEntries(tags.map((tag) => [`in-${tag}.html`, inTag(tag)])),
      'german.html': inTag('de-AT'), 'own.html': inTag('xx'),
      'piped.html': plain.replace(/<title>.*?</,
        `<title>${EVIL.replaceAll('<', '&lt;')}<`)
    },
    surveys: { version: 1, surveys },
    server: 'location = /piped.html { cx_touchpoint pay; }'
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

async function open(name, options) {
  const context = await newContext(browser, options);

  return newPage(context, `${stack.url}/${name}.html`);
}

test('at least ten languages, of both directions', () => {
  assert.ok(tags.length >= 10);
  assert.ok(tags.some((tag) => words[tag].dir === 'rtl'));
});

for (const tag of tags) {
  test(`standard wording: ${tag}`, async () => {
    const page = await open(`in-${tag}`);
    const card = dialog(page);

    await card.waitFor();
    assert.equal((await card.getAttribute('lang')).toLowerCase(),
                 tag.toLowerCase());
    assert.equal(await card.getAttribute('dir'), words[tag].dir);
    await page.getByRole('dialog', { name: words[tag].nps.here, exact: true })
      .waitFor();
    await card.getByText(words[tag].nps.low, { exact: true }).waitFor();
    await page.getByRole('button', {
      name: words[tag].words.never, exact: true
    }).waitFor();

    const [first, last] = await Promise.all([0, 10].map((n) =>
      card.getByRole('radio').nth(n).boundingBox()));

    assert.equal(first.x > last.x, words[tag].dir === 'rtl');
    await page.context().close();
  });
}

test('a region of a language that is there', async () => {
  const page = await open('german');

  await page.getByRole('dialog', { name: 'Wie gern?' }).waitFor();
  await page.context().close();
});

test('the browser\'s language, where the page\'s is not there', async () => {
  const page = await open('own', { locale: 'fr-CA' });

  await page.getByRole('dialog', { name: /^C\u2019\u00e9tait/ }).waitFor();
  await page.context().close();
});

test('not shown to whom it does not speak', async () => {
  const page = await open('own', { locale: 'ja' });

  await page.waitForFunction(() => window.cx?.why?.()[0]?.startsWith('none'));
  assert.equal(await dialog(page).count(), 0);
  await page.context().close();
});

test('title and touchpoint are put in, as text and nothing else', async () => {
  const page = await open('piped');

  await page.getByRole('dialog', {
    name: `What of \u201c${EVIL}\u201d at pay?`, exact: true
  }).waitFor();
  await page.getByRole('radio', { name: EVIL, exact: true }).waitFor();
  await sleep(200);
  assert.equal(await page.evaluate(() => window.evil), undefined);
  assert.equal(await dialog(page).locator('img').count(), 0);
  await page.context().close();
});
