// What surrounds the widget: content security policies, the page's globals,
// bytes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import http from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import {
  choose, dialog, launch, leave, newContext, newPage
} from './lib/browser.mjs';
import { noteViolations, policies, underPolicies } from './lib/policies.mjs';
import { four, pagesOf, plain, survey } from './lib/surveys.mjs';
import { Stack } from './lib/stack.mjs';

// of each file, brotli -q 11 -w 24: they may only shrink
const BYTES = {
  'cx.js': 5120,                // every page
  'cx-vitals.js': 2944,         // every page, when it is idle
  'cx-touch.js': 640,           // where there is touch
  'cx-forms.js': 960,           // where somebody comes to a field
  'cx-survey.js': 2240,         // where a survey may match
  'cx-ask.js': 5376,            // where one is shown
  'cx-more.js': 1984            // inline, tab, panel, preview
};

const surveys = [four[0], ...Object.keys(policies).map((id) =>
  survey(id, 'nps', 'How likely?', { follow_up: { any: 'Why?' } }))];

let stack, browser;

before(async () => {
  stack = await Stack.start({
    pages: {
      ...pagesOf(surveys), 'quiet.html': plain,
      'image.html': plain.replace('<h2>', '<img name="currentScript" '
        + 'src="/theirs/x.png" alt="" data-page="/image.html"><h2>')
    },
    surveys: { version: 1, surveys },
    server: underPolicies
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

for (const id of Object.keys(policies)) {
  test(`${policies[id]}: shown, styled, sent, no violation`, async () => {
    const context = await newContext(browser, { init: noteViolations });
    const page = await newPage(context, `${stack.url}/${id}.html`);

    await dialog(page).waitFor();
    const box = await dialog(page).boundingBox();

    assert.equal(Math.round(box.width), 420);
    assert.equal(Math.round(box.x + box.width), 980);
    await choose(page, '4');
    await page.getByRole('textbox', { name: 'Why?' }).fill('so');
    await page.getByRole('button', { name: 'Send' }).click();
    await stack.wait('answer', 2, (e) => e.survey === id);
    assert.deepEqual(await page.evaluate(() => window.violations), []);
    assert.deepEqual(page.wrong, []);
    await context.close();
  });
}

test('window has cx and nothing else more; the card is closed', async () => {
  const context = await newContext(browser, { closed: true });
  const page = await newPage(context, `${stack.url}/plain.css`);
  const names = () => Object.getOwnPropertyNames(window).sort();
  const without = await page.evaluate(names);

  await page.goto(`${stack.url}/nps.html`);
  await page.locator('cx-survey').waitFor({ state: 'attached' });
  const more = (await page.evaluate(names)).filter((n) => !without.includes(n));

  assert.deepEqual(more, ['cx']);
  assert.deepEqual(await page.evaluate(() => Object.keys(window.cx).sort()),
                   ['ask', 'version', 'why']);
  assert.equal(await page.evaluate(() =>
    document.querySelector('cx-survey').shadowRoot), null);
  assert.deepEqual(await page.evaluate(() =>
    [document.cookie, Object.keys(localStorage), sessionStorage.length]),
                   ['', ['cx'], 0]);
  await context.close();
});

// as where readers may write, and their images keep a name
test('an image that is called currentScript is no script', async () => {
  const context = await newContext(browser);
  const page = await newPage(context);
  const got = [];

  page.on('request', (r) => got.push(new URL(r.url()).pathname));
  await page.route('**/_cx/cx.js*', async (route) => {
    await page.locator('img').waitFor({ state: 'attached' });
    await route.continue();
  });
  await page.goto(`${stack.url}/image.html`);
  await page.waitForTimeout(500);
  assert.ok(got.some((path) => path === '/_cx/cx.js'));
  assert.deepEqual(got.filter((path) => /^\/theirs\/.*\.js/.test(path)), []);
  assert.deepEqual(page.wrong, []);
  await context.close();
});

test('a quiet visit is one POST of at most 256 bytes', async () => {
  const context = await newContext(browser);
  const before = (await stack.posts()).length;
  const page = await newPage(context, `${stack.url}/quiet.html`);

  await page.waitForFunction(() => window.cx);
  await page.mouse.wheel(0, 700);
  await page.waitForTimeout(600);
  await leave(page);
  const [told] = await stack.wait('leave', 1, (e) => e.page === '/quiet.html');

  const posts = (await stack.posts()).slice(before);

  assert.equal(posts.length, 1);
  assert.ok(posts[0] <= 256, `${posts[0]} bytes`);
  assert.ok(told.scroll_pct > 20, told.scroll_pct);
  await context.close();
});

const get = (path, encoding) => new Promise((done, fail) => {
  http.get(stack.url + path, { headers: { 'Accept-Encoding': encoding } },
           (r) => {
    const all = [];

    r.on('data', (data) => all.push(data));
    r.on('end', () => done({
      status: r.statusCode, headers: r.headers, body: Buffer.concat(all)
    }));
  }).on('error', fail);
});

async function hash() {
  const { body } = await get('/quiet.html', 'identity');

  return /cx\.js(\?[0-9a-f]{16})"/.exec(body)[1];
}

test('bytes and head of each file', async (t) => {
  const query = await hash();
  let sum = 0;

  for (const [file, most] of Object.entries(BYTES)) {
    const path = `/_cx/${file}${query}`;
    const [raw, gz, br] = await Promise.all(['identity', 'gzip', 'br']
      .map((encoding) => get(path, encoding)));

    t.diagnostic(`${file}: ${raw.body.length} bytes, gzip ${gz.body.length}, `
      + `brotli ${br.body.length}`);
    sum += br.body.length;
    assert.deepEqual([raw, gz, br].map((r) => [r.status,
      r.headers['content-encoding'], r.headers['content-type'],
      r.headers['cache-control'], r.headers.vary]),
    [undefined, 'gzip', 'br'].map((encoding) => [200, encoding,
      'application/javascript', 'public, max-age=31536000, immutable',
      'Accept-Encoding']));
    assert.deepEqual(gunzipSync(gz.body), raw.body);
    assert.deepEqual(brotliDecompressSync(br.body), raw.body);
    assert.ok(br.body.length <= most, `${file}: ${br.body.length} bytes`);
    assert.doesNotMatch(raw.body.toString(), /\bCX_[A-Z]/);
  }

  t.diagnostic(`all together: brotli ${sum}`);
});

test('a part of another version is no part of this one', async () => {
  const old = '?0123456789abcdef';

  assert.deepEqual([
    await get(`/_cx/cx.js${old}`, 'br'), await get('/_cx/cx-ask.js', 'br'),
    await get(`/_cx/cx-ask.js${old}`, 'br'),
    await get('/_cx/cx-nothing.js', 'br')
  ].map((r) => [r.status, r.headers['cache-control']]), [
    [200, 'public, max-age=300'], [200, 'public, max-age=300'],
    [404, 'no-store'], [404, 'no-store']
  ]);
});
