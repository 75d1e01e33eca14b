// Pages that have names, properties and elements of their own.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  choose, dialog, launch, leave, newContext, newPage
} from './lib/browser.mjs';
import { plain, survey } from './lib/surveys.mjs';
import { Stack, sleep } from './lib/stack.mjs';

const script = (text) => plain.replace('<head>',
                                       `<head><script>${text}</script>`);
const pages = {
  base: plain.replace('<head>', '<head><base href="http://127.0.0.1:9/x/">'),
  proto: script('Object.prototype.extra = function () {};'),
  variable: script('const navigation = [];'),
  replaced: script('var navigation = document.createElement("nav");'),
  nav: plain.replace('<main>', '<main id="navigation">'),
  mine: script('var cx = 250;'),
  named: plain.replace('<main>', '<main id="cx">'),
  height: plain.replace('</head>',
                        '<style>:root { --h: 90vh }</style></head>'),
  fields: plain.replace('<main>', `<main><form method="post">
    <input name="matches"><button type="button" id="clear">Clear</button>
    </form>`),
  screen: script('const screen = {};'),
  rtl: plain.replace('<body', '<body dir="rtl"')
};

let stack, browser;

before(async () => {
  stack = await Stack.start({
    pages: Object.fromEntries(Object.entries(pages).map(([name, html]) =>
      [`${name}.html`, html])),
    surveys: {
      version: 1,
      surveys: Object.keys(pages).map((id) => survey(id, 'nps', 'How likely?'))
    }
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

async function open(name, init) {
  const context = await newContext(browser, { init });
  const page = await newPage(context, `${stack.url}/${name}.html`);

  await dialog(page).waitFor();
  return page;
}

test('a <base> of another origin: what is told goes home', async () => {
  const context = await newContext(browser);
  const page = await newPage(context);
  const elsewhere = [];

  page.on('request', (r) => /:9\/_cx/.test(r.url()) && elsewhere.push(r.url()));
  await page.goto(`${stack.url}/base.html`);
  await dialog(page).waitFor();
  await choose(page, 9);
  await stack.wait('answer', 1, (e) => e.survey === 'base');
  assert.deepEqual(elsewhere, []);
  await context.close();
});

test('a library that adds to Object.prototype', async () => {
  const page = await open('proto');

  await sleep(300);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

for (const [name, init] of [
  ['variable'], ['replaced'], ['nav', () => { delete window.navigation; }]
]) {
  test(`the page has a "navigation" of its own: ${name}`, async () => {
    const page = await open(name, init);

    await page.evaluate(() => history.pushState(null, '', '/pushed'));
    await dialog(page).waitFor({ state: 'detached' });
    assert.deepEqual(page.wrong, []);
    await page.context().close();
  });
}

test('"navigation" of the page, back from the back-forward cache', async () => {
  const page = await open('nav', () => { delete window.navigation; });

  await page.click('#next');
  await page.goBack({ waitUntil: 'commit' });
  await sleep(500);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a page\'s own variable "cx" stays what it is', async () => {
  const page = await open('mine');

  assert.equal(await page.evaluate('cx'), 250);
  await page.context().close();
});

test('an element of that name is no variable', async () => {
  const page = await open('named');

  assert.ok(await page.evaluate(() => window.cx.version));
  await page.context().close();
});

test('a page\'s own --h is not the card\'s height', async () => {
  const page = await open('height');

  assert.ok((await dialog(page).boundingBox()).height < 400);
  await page.context().close();
});

// by its id and the keyboard: playwright's selectors trip over it, too
test('a form with a field named "matches"', async () => {
  const page = await open('fields');

  await page.evaluate(() => document.getElementById('clear').focus());
  await page.mouse.move(200, 30);
  await page.keyboard.press('Enter');
  await sleep(300);
  assert.deepEqual(page.wrong, []);
  await leave(page);
  await page.context().close();
});

test('a page\'s own "screen"', async () => {
  const page = await open('screen');

  await page.context().close();
});

test('a direction that only the body has', async () => {
  const page = await open('rtl');
  const { x } = await dialog(page).boundingBox();

  assert.ok(x < page.viewportSize().width / 2, `at ${x}`);
  await page.context().close();
});
