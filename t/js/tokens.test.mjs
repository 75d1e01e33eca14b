// Answers of a page that was open for longer than its tokens are good, and of
// many surveys in one page.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  choose, dialog, launch, newContext, newPage
} from './lib/browser.mjs';
import { plain, survey } from './lib/surveys.mjs';
import { Stack, sleep, until } from './lib/stack.mjs';

const five = ['a', 'b', 'c', 'd', 'e'];
const part = (id, page) => ({
  id, metric: 'psat', place: 'inline', question: `Was ${id} helpful?`,
  where: { pages: [`/${page}.html`] }
});
const holders = (ids) => plain.replace('<h2>', ids.map((id) =>
  `<div data-cx-survey="${id}"></div>`).join('') + '<h2>');

let stack, browser;

before(async () => {
  stack = await Stack.start({
    pages: {
      'day.html': plain, 'many.html': holders(five),
      'two.html': holders(['x', 'y'])
    },
    surveys: {
      version: 1,
      surveys: [
        survey('day', 'nps', 'How likely?', { follow_up: { any: 'Why?' } }),
        ...five.map((id) => part(id, 'many')), part('x', 'two'),
        part('y', 'two')
      ]
    }
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const at = (path) => (e) => e.page === path;
const yes = (page, id) =>
  page.getByRole('radiogroup', { name: `Was ${id} helpful?` })
    .getByRole('radio', { name: 'Yes' }).locator('..').click();

// the tokens that came with the page are too old: the real server says no
async function aged(path) {
  const context = await newContext(browser);
  const page = await newPage(context);
  const old = new Set();
  const posts = [];
  let first = true;

  page.on('response', (r) => r.request().method() === 'POST'
    && posts.push(r.status()));
  await page.route('**/_cx/surveys?*', async (route) => {
    // a token says the second that it ends in: each answer has another
    await sleep(1100);
    const response = await route.fetch();
    const json = await response.json();

    json.surveys.forEach((s) => first && old.add(s.token));
    first = false;
    await route.fulfill({ response, json });
  });
  await page.route('**/_cx/events', (route) => {
    let text = route.request().postData();

    old.forEach((token) => {
      text = text.replaceAll(token, token.replace(/^[^.]*/, '00000000'));
    });
    route.continue({ postData: text });
  });
  await page.goto(stack.url + path);
  return { page, posts, context };
}

test('open for a day: the score, then the text, eligible once', async () => {
  const { page, posts, context } = await aged('/day.html');

  await dialog(page).waitFor();
  await choose(page, 7);
  await stack.wait('answer', 1, at('/day.html'));
  await page.getByRole('textbox', { name: 'Why?' }).fill('It is slow.');
  await page.getByRole('button', { name: 'Send' }).click();
  await stack.wait('answer', 1, (e) => e.text === 'It is slow.');
  await until('the last reply', () => posts.length >= 3);
  assert.deepEqual(posts, [403, 204, 204]);
  assert.equal((await stack.events('offer')).filter(at('/day.html')).length, 1);
  await context.close();
});

test('open for a day: both of two surveys', async () => {
  const { page, context } = await aged('/two.html');

  for (const id of ['x', 'y']) {
    await yes(page, id);
    await stack.wait('answer', 1, (e) => e.survey === id);
  }

  await context.close();
});

test('open for a day, and one of two surveys is not offered any more: the other',
     async () => {
  const { page, context } = await aged('/two.html');
  let away = true;

  await page.getByRole('radiogroup').nth(1).waitFor();
  await page.route('**/_cx/events', (route) => away
    ? route.fulfill({ status: 503 }) : route.fallback());
  await page.route('**/_cx/surveys?*again=1', async (route) => {
    const response = await route.fetch();
    const json = await response.json();

    json.surveys = json.surveys.filter((s) => s.id === 'y');
    await route.fulfill({ response, json });
  });
  const known = (await stack.events('answer')).length;

  await yes(page, 'x');
  await sleep(300);
  await yes(page, 'y');
  await sleep(300);
  away = false;
  await page.evaluate(() => dispatchEvent(new Event('online')));

  const got = await until('the answer', async () => {
    const all = (await stack.events('answer')).slice(known);

    return all.length && all;
  });

  assert.deepEqual(got.map((e) => e.survey), ['y']);
  await context.close();
});

test('five surveys of a page are answered while the server is away',
     async () => {
  const context = await newContext(browser);
  const page = await newPage(context);
  let away = true;

  await page.route('**/_cx/events', (route) => away
    ? route.fulfill({ status: 503 }) : route.continue());
  await page.goto(`${stack.url}/many.html`);
  for (const id of five) {
    await yes(page, id);
  }
  await until('all are stored', () => page.evaluate(() =>
    Object.keys(JSON.parse(localStorage.cx).q || {}).length === 5));
  away = false;
  await page.evaluate(() => dispatchEvent(new Event('online')));

  const all = await stack.wait('answer', 5, at('/many.html'));

  assert.deepEqual([...new Set(all.map((e) => e.survey))].sort(), five);
  await context.close();
});
