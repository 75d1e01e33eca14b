// What surrounds the widget: content security policies, the page's globals,
// bytes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import http from 'node:http';
import {
  choose, dialog, launch, leave, newContext, newPage
} from './lib/browser.mjs';
import { four, pagesOf, plain, survey } from './lib/surveys.mjs';
import { Stack } from './lib/stack.mjs';

const BYTES = 12130;            // of the script, brotli: it may only shrink

const policies = {
  self: "default-src 'self'",
  types: "default-src 'self'; require-trusted-types-for 'script'; "
    + "trusted-types 'none'",
  nonce: "script-src 'nonce-r4nd0m' 'strict-dynamic'; style-src 'self'; "
    + "object-src 'none'; base-uri 'none'"
};

const surveys = [four[0], ...Object.keys(policies).map((id) =>
  survey(id, 'nps', 'How likely?', { follow_up: { any: 'Why?' } }))];

let stack, browser;

before(async () => {
  stack = await Stack.start({
    pages: { ...pagesOf(surveys), 'quiet.html': plain },
    surveys: { version: 1, surveys },
    server: Object.entries(policies).map(([id, policy]) =>
      `location = /${id}.html {
         add_header Content-Security-Policy "${policy}";
         ${id === 'nonce' ? 'cx_nonce r4nd0m;' : ''}
       }`).join('\n')
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

for (const id of Object.keys(policies)) {
  test(`${policies[id]}: shown, styled, sent, no violation`, async () => {
    const context = await newContext(browser, {
      init: () => {
        window.violations = [];
        document.addEventListener('securitypolicyviolation', (e) =>
          window.violations.push(e.violatedDirective + e.blockedURI));
      }
    });
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

test('bytes of the script', async (t) => {
  const size = (encoding) => new Promise((done, fail) => {
    http.get(`${stack.url}/_cx/cx.js`,
             { headers: { 'Accept-Encoding': encoding } }, (r) => {
      let n = 0;

      r.on('data', (data) => { n += data.length; });
      r.on('end', () => done([n, r.headers['content-encoding']]));
    }).on('error', fail);
  });
  const [raw] = await size('identity');
  const [gzip, isGzip] = await size('gzip');
  const [brotli, isBrotli] = await size('br');

  t.diagnostic(`${raw} bytes, gzip ${gzip}, brotli ${brotli}`);
  assert.deepEqual([isGzip, isBrotli], ['gzip', 'br']);
  assert.ok(brotli <= BYTES);
});
