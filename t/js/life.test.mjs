// The life of a page: leaving, coming back, single-page navigation, privacy
// signals, a server that is busy.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  choose, dialog, launch, leave, newContext, newPage
} from './lib/browser.mjs';
import { pagesOf, plain, survey } from './lib/surveys.mjs';
import { Stack, sleep, until } from './lib/stack.mjs';

const surveys = ['ask', 'late', 'hide', 'spa', 'gpc', 'dnt', 'wait']
  .map((id) => survey(id, 'nps', 'How likely?', {
    follow_up: { any: 'Why?' }, often: { between_days: 0 }
  }));

const names = ['sum', 'back', 'gone', 'shift', 'twice', 'old', 'place',
  'errors'];

let stack, browser;

before(async () => {
  stack = await Stack.start({
    pages: {
      ...pagesOf(surveys),
      ...Object.fromEntries(names.map((n) => [`${n}.html`, plain]))
    },
    surveys: { version: 1, surveys },
    server: `location = /place.html { cx_touchpoint pay; cx_stage buy; }`
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const at = (path) => (e) => e.page === path;

async function open(path, options) {
  const context = await newContext(browser, options);
  const page = await newPage(context, stack.url + path);

  await page.waitForFunction(() => window.cx);
  return page;
}

test('leave: visible time, depth, vitals', async () => {
  const page = await open('/sum.html');
  const start = Date.now();

  await page.waitForLoadState();
  await page.evaluate(() => {
    document.getElementById('more').onclick = () => {
      const end = performance.now() + 120;

      while (performance.now() < end) {
        /* a slow handler */
      }

      document.body.append('done');
    };
    setTimeout(() => {
      document.querySelector('h1').style.marginTop = '200px';
    });
  });
  await sleep(700);
  await page.click('#more');
  await page.mouse.wheel(0, 600);
  await sleep(700);
  const { seen, height } = await page.evaluate(() => ({
    seen: scrollY + innerHeight, height: document.body.scrollHeight
  }));
  await leave(page);
  const spent = Date.now() - start;
  const [e] = await stack.wait('leave', 1, at('/sum.html'));

  await sleep(500);
  assert.equal((await stack.events('leave')).filter(at('/sum.html')).length, 1);
  assert.ok(e.visible_ms > 1300 && e.visible_ms < spent + 1000, e.visible_ms);
  assert.ok(Math.abs(e.scroll_pct - 100 * seen / height) < 4,
            `${e.scroll_pct} ${seen} ${height}`);
  assert.ok(e.lcp_ms > 0 && e.lcp_ms < 5000, e.lcp_ms);
  assert.ok(e.inp_ms >= 112 && e.inp_ms < 1000, e.inp_ms);
  assert.ok(e.cls_milli > 20 && e.cls_milli < 1000, e.cls_milli);
  assert.match(e.view, /^[0-9a-f]{16}$/);
  await page.context().close();
});

test('touchpoint and stage of the tag', async () => {
  const page = await open('/place.html');

  await sleep(300);
  await leave(page);
  const [e] = await stack.wait('leave', 1, at('/place.html'));

  assert.deepEqual([e.touchpoint, e.stage], ['pay', 'buy']);
  await page.context().close();
});

test('hidden twice: only what is new the second time', async () => {
  const page = await open('/twice.html');
  const hide = (state) => page.evaluate((value) => {
    Object.defineProperty(document, 'hidden',
                          { configurable: true, value: value === 'hidden' });
    Object.defineProperty(document, 'visibilityState',
                          { configurable: true, value });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  }, state);

  await sleep(700);
  await hide('hidden');
  const [first] = await stack.wait('leave', 1, at('/twice.html'));

  await sleep(400);
  await hide('visible');
  await sleep(200);
  await hide('hidden');
  const [, second] = await stack.wait('leave', 2, at('/twice.html'));

  assert.equal(first.view, second.view);
  assert.ok(first.scroll_pct > 0 && first.lcp_ms > 0);
  assert.ok(second.visible_ms >= 190 && second.visible_ms < 390,
            second.visible_ms);
  assert.deepEqual([second.scroll_pct, second.lcp_ms, second.cls_milli],
                   ['', '', '']);
  await page.context().close();
});

test('back-forward cache: kept, and a new view', async () => {
  const page = await open('/back.html');

  await sleep(500);
  await page.evaluate(() => { window.mark = 1; });
  await page.click('#next');
  await page.goBack({ waitUntil: 'commit' });
  assert.equal(await page.evaluate(() => window.mark), 1, 'was not kept');
  await sleep(500);
  await page.goto('about:blank');
  const [first, second] = await stack.wait('leave', 2, at('/back.html'));

  assert.notEqual(first.view, second.view);
  assert.ok(second.visible_ms >= 490 && second.visible_ms < 5000,
            second.visible_ms);
  await page.context().close();
});

// Chromium does this to pages in full screen, or busy with another program.
test('a page that goes without becoming hidden', async () => {
  const page = await open('/gone.html', { init: () => {
    addEventListener('visibilitychange', (e) => e.stopImmediatePropagation(),
                     true);
  } });

  await sleep(300);
  await page.goto('about:blank');
  const [{ visible_ms: ms }] = await stack.wait('leave', 1, at('/gone.html'));

  assert.ok(ms >= 290, ms);
  await page.context().close();
});

for (const navigation of [true, false]) {
  test(`single-page navigation ${navigation ? 'by' : 'without'} the `
       + 'Navigation API', async () => {
    const page = await open(`/spa.html`, {
      init: navigation ? undefined : () => { delete window.navigation; }
    });
    const path = `/orders/${navigation ? 1 : 2}23456/notes`;
    const place = '/orders/:id/notes';
    const known = (await stack.events('leave')).map((e) => e.view);
    const fresh = (e) => !known.includes(e.view)
      && [place, path, '/spa.html', '/other'].includes(e.page);

    await dialog(page).waitFor();
    await page.evaluate(() => history.pushState(null, '', '#part'));
    await page.evaluate(() => history.replaceState(null, '', '?filter=s'));
    await sleep(300);
    assert.ok(await dialog(page).isVisible(), 'still the same view');
    await page.evaluate((to) => history.pushState(null, '', `${to}?q=1`), path);
    await dialog(page).waitFor({ state: 'detached' });
    await sleep(300);
    await page.evaluate(() => history.back());
    await sleep(300);
    await page.evaluate(() => history.replaceState(null, '', '/other'));
    await sleep(300);
    await leave(page);

    const all = await stack.wait('leave', 4, fresh);

    assert.deepEqual(all.map((e) => e.page.replace(path, place)),
                     ['/spa.html', place, '/spa.html', '/other']);
    assert.equal(new Set(all.map((e) => e.view)).size, 4);
    assert.ok(all[0].lcp_ms > 0 && all[1].lcp_ms === '');
    assert.deepEqual(page.wrong, []);
    await page.context().close();
  });
}

for (const [id, init] of [
  ['gpc', () => Object.defineProperty(navigator, 'globalPrivacyControl',
                                      { value: true })],
  ['dnt', () => Object.defineProperty(navigator, 'doNotTrack',
                                      { value: '1' })]
]) {
  test(`${id}: nothing happens`, async () => {
    const context = await newContext(browser, { init });
    const page = await newPage(context);
    const requests = [];

    page.on('request', (r) => requests.push(new URL(r.url()).pathname));
    await page.goto(`${stack.url}/${id}.html`);
    await sleep(600);
    await page.click('#more');
    await leave(page);
    await sleep(300);
    assert.deepEqual(requests.filter((r) => /surveys|events/.test(r)), []);
    assert.equal((await stack.events('leave')).filter(at(`/${id}.html`)).length,
                 0);
    await context.close();
  });
}

test('while it is prerendered nothing happens', async () => {
  const page = await open('/ask.html', {
    init: () => Object.defineProperty(document, 'prerendering',
                                      { configurable: true, value: true })
  });

  await sleep(500);
  assert.equal(await dialog(page).count(), 0);
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  await page.evaluate(() => {
    Object.defineProperty(document, 'prerendering', { value: false });
    document.dispatchEvent(new Event('prerenderingchange'));
  });
  await dialog(page).waitFor();
  await page.context().close();
});

test('a score is kept when the page goes away in the middle', async () => {
  const page = await open('/hide.html');

  await dialog(page).waitFor();
  await choose(page, 4);
  await page.close({ runBeforeUnload: true });
  const all = await stack.wait('answer', 1, at('/hide.html'));

  await stack.wait('leave', 1, at('/hide.html'));
  assert.deepEqual(all.map((e) => e.score), ['4']);
});

test('Redis is away: 503, the same answer comes again, once', async () => {
  const page = await open('/late.html');
  const statuses = [];

  page.on('response', (r) => {
    if (r.url().endsWith('/events')) {
      statuses.push(r.status());
    }
  });
  await dialog(page).waitFor();
  await stack.redisDown();
  await Promise.all([
    page.waitForResponse((r) => r.status() === 503), choose(page, 8)
  ]);
  await page.getByRole('textbox', { name: 'Why?' }).fill('late');
  await page.getByRole('button', { name: 'Send' }).click();
  await stack.redisUp();
  await until('204', () => statuses.at(-1) === 204, 30000);
  const all = await stack.wait('answer', 1, (e) =>
    e.page === '/late.html' && e.text === 'late');

  const ids = (await stack.events('answer')).filter(at('/late.html'))
    .map((e) => e.answer);

  assert.equal(all.at(-1).score, '8');
  assert.equal(new Set(ids).size, 1);
  await page.context().close();
});

test('what waits for a second try goes when the page does', async () => {
  const page = await open('/wait.html');
  let refuse = true;

  await page.route('**/_cx/events', (route) => refuse
    ? route.fulfill({ status: 503, headers: { 'Retry-After': '60' } })
    : route.continue());
  await dialog(page).waitFor();
  await Promise.all([
    page.waitForResponse((r) => r.status() === 503), choose(page, 2)
  ]);
  refuse = false;
  await leave(page);
  const [e] = await stack.wait('answer', 1, at('/wait.html'));

  assert.equal(e.score, '2');
  await page.context().close();
});
