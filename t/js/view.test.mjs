// What belongs to a page view as a whole: how old it is, the way back through
// the back-forward cache, tags without a page, consent that comes late, the
// opt-out, and thresholds that a site has made its own.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { leave, launch, newContext, newPage } from './lib/browser.mjs';
import { plain } from './lib/surveys.mjs';
import { Stack, sleep } from './lib/stack.mjs';

const names = ['age', 'twin', 'back', 'long', 'again', 'tuned', 'out',
  'never'];

// pages without a tag of the module: what a cache or a banner makes of them
const byHand = ['late', 'cached'];

let stack, browser;

before(async () => {
  const pages = Object.fromEntries(names.map((n) => [`${n}.html`, plain]));

  pages['late.html'] = plain;
  pages['cached.html'] = plain.replace('<head>', '<head><script async '
    + 'src="/_cx/cx.js" data-page="/cached.html"></script>');
  stack = await Stack.start({
    pages, thresholds: 'rage_clicks 3\nquick_back_ms 4000\n',
    server: byHand.map((n) => `location = /${n}.html { cx off; }`).join('\n')
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const at = (path) => (e) => e.page === path;
const beacons = (page) => {
  const list = [];

  page.on('request', (r) => {
    if (r.url().endsWith('/_cx/events')) {
      list.push(r.postDataJSON());
    }
  });
  return list;
};

async function open(path, options) {
  const context = await newContext(browser, options);
  const page = await newPage(context);

  page.sent = beacons(page);
  await page.goto(stack.url + path);
  await page.waitForFunction(() => window.cx);
  return page;
}

test('age: of the view that the navigation made, and of no other', async () => {
  const page = await open('/age.html');

  await sleep(600);
  await page.evaluate(() => history.pushState(null, '', '/spa/1'));
  const age = await page.evaluate(() => performance.now());
  await sleep(600);
  await page.evaluate(() => history.pushState(null, '', '/spa/two'));
  await sleep(300);

  const [first, second] = page.sent;

  assert.ok(Number.isInteger(first.age), first.age);
  assert.ok(first.age >= 600 && first.age <= age, `${first.age} ${age}`);
  assert.deepEqual([first.page, first.path], ['/age.html', undefined]);
  assert.deepEqual([second.page, second.path, second.age],
                   [undefined, '/spa/1', undefined]);
  await page.context().close();
});

test('age: the edge finds the view, and tells what it knew of it', async () => {
  const page = await open('/twin.html');

  await sleep(500);
  await page.evaluate(() => history.pushState(null, '', '/spa/three'));
  await sleep(400);
  await leave(page);

  const [joined] = await stack.wait('leave', 1, at('/twin.html'));
  const [view] = await stack.wait('view', 1, at('/twin.html'));
  const [other] = await stack.wait('leave', 1, at('/spa/three'));

  assert.equal(joined.view_ts, view.ts);
  assert.deepEqual([joined.status, joined.seen, joined.first], ['200', '1',
    '1']);
  assert.deepEqual([other.view_ts, other.status], ['', '']);
  await page.context().close();
});

test('age: a prerendered page was asked for when it was', async () => {
  const page = await open('/never.html', {
    init: () => Object.defineProperty(document, 'prerendering',
                                      { configurable: true, value: true })
  });

  await sleep(700);
  assert.deepEqual(page.sent, []);
  await page.evaluate(() => {
    delete document.prerendering;
    document.dispatchEvent(new Event('prerenderingchange'));
    setTimeout(() => history.pushState(null, '', '/spa/four'), 200);
  });
  await sleep(600);
  assert.ok(page.sent[0].age >= 900, JSON.stringify(page.sent));
  await page.context().close();
});

for (const [path, ms, told] of [['/back.html', 300, true],
  ['/long.html', 4500, false]]) {
  test(`back from the cache after ${ms} ms: ${told ? 'told' : 'not told'}, `
       + 'at once', async () => {
    const page = await open(path);

    await sleep(300);
    await page.evaluate(() => { window.mark = 1; });
    await page.click('#next');
    await sleep(ms);
    await page.goBack({ waitUntil: 'commit' });
    assert.equal(await page.evaluate(() => window.mark), 1, 'was not kept');
    await sleep(500);

    const now = page.sent.flatMap((b) => b.events.map((e) => ({ ...e, b })))
      .filter((e) => e.name === 'quick_back');

    assert.equal(now.length, told ? 1 : 0);

    if (told) {
      const [{ b, ...e }] = now;

      assert.deepEqual(e, { type: 'signal', name: 'quick_back',
                            value: e.value });
      assert.ok(e.value >= ms && e.value < 4000, e.value);
      assert.deepEqual([b.page, b.age, b.events.length], [path, undefined, 1]);

      // the edge puts it on the page that was left so soon
      const [s] = await stack.wait('signal', 1, (x) =>
        x.name === 'quick_back' && x.target === path);

      assert.deepEqual([s.page, s.value], ['/other.html', String(e.value)]);
      assert.notEqual(b.view, (await stack.wait('leave', 1, at(path)))[0].view);
    }

    await page.context().close();
  });
}

test('a page that is shown again is no way back', async () => {
  const page = await open('/again.html');

  await page.reload();
  await page.waitForFunction(() => window.cx);
  await sleep(400);
  await leave(page);
  await stack.wait('leave', 2, at('/again.html'));
  assert.deepEqual((await stack.events('signal')).filter((e) =>
    e.page === '/again.html' && e.source === 'browser'), []);
  await page.context().close();
});

test('a site\'s own thresholds reach the browser', async () => {
  const page = await open('/tuned.html');
  const tune = await page.evaluate(() =>
    document.querySelector('[data-tune]').dataset.tune);

  assert.match(tune, /^\d+=4000 \d+=3$/);
  await page.evaluate(() => { document.body.style.cursor = 'pointer'; });
  const { x, y, height } = await page.locator('h2').boundingBox();
  const cdp = await page.context().newCDPSession(page);
  const sent = [];

  for (let i = 0; i < 3; i++) {
    for (const type of ['mousePressed', 'mouseReleased']) {
      sent.push(cdp.send('Input.dispatchMouseEvent', {
        type, x: x + 20, y: y + height / 2, button: 'left', clickCount: i + 1
      }));
    }
  }

  await Promise.all(sent);
  await sleep(900);
  await leave(page);
  const [e] = await stack.wait('signal', 1, (s) =>
    s.page === '/tuned.html' && s.name === 'rage_click');

  assert.equal(e.target, 'h2');
  await page.context().close();
});

test('consent comes late: a tag without a page works by path', async () => {
  const context = await newContext(browser);
  const page = await newPage(context);

  page.sent = beacons(page);
  await page.goto(`${stack.url}/late.html?token=secret`);
  await sleep(300);
  assert.equal(await page.evaluate(() => typeof window.cx), 'undefined');
  await page.evaluate(() => {
    const script = document.createElement('script');

    script.src = '/_cx/cx.js';
    document.head.append(script);
  });
  await page.waitForFunction(() => window.cx);
  await sleep(300);
  await page.evaluate(() => history.pushState(null, '', '/spa/five'));
  await sleep(300);

  const [{ path, page: key, age, events: [{ type }] }] = page.sent;

  assert.deepEqual([path, key, type], ['/late.html', undefined, 'leave']);
  assert.ok(age >= 600, age);
  await stack.wait('leave', 1, at('/late.html'));
  await context.close();
});

test('opted out: nothing happens, in a page from a cache, too', async () => {
  const context = await newContext(browser);

  await context.addCookies([{ name: 'cx_opt_out', value: '1',
    url: stack.url }]);
  const page = await newPage(context);
  const requests = [];

  page.on('request', (r) => requests.push(new URL(r.url()).pathname));

  for (const path of ['/out.html', '/cached.html']) {
    await page.goto(stack.url + path);
    await sleep(500);
    await page.click('#more');
    assert.equal(await page.evaluate(() => typeof window.cx), 'undefined');
  }

  await leave(page);
  await sleep(300);
  assert.deepEqual(requests.filter((r) => /surveys|events/.test(r)), []);
  assert.deepEqual(await stack.events('leave').then((all) => all.filter((e) =>
    /out|cached/.test(e.page))), []);

  // the same page, without the cookie; and with one that looks like it
  await context.clearCookies();
  await context.addCookies([{ name: 'not_cx_opt_out', value: '1',
    url: stack.url }]);
  await page.goto(`${stack.url}/cached.html`);
  await page.waitForFunction(() => window.cx);
  await context.close();
});

// a page from a cache: nginx leaves the tag out otherwise
test('opted out: an answer that waits in the browser goes away', async () => {
  const context = await newContext(browser);
  const page = await newPage(context);

  await context.addCookies([{ name: 'cx_opt_out', value: '1',
    url: stack.url }]);
  await page.goto(`${stack.url}/cached.html`);
  await page.evaluate(() => {
    localStorage.cx = '{"v":3,"s":{},"q":{"0123456789abcdef":{"events":[]}}}';
  });
  await page.goto(`${stack.url}/cached.html`);
  await page.waitForFunction(() => !JSON.parse(localStorage.cx).q);
  assert.equal(await page.evaluate(() => JSON.parse(localStorage.cx).v), 3);
  await context.close();
});

// cookieStore is for https alone, and not in every browser
test('opted out, where cookies are read the old way', async () => {
  const context = await newContext(browser, {
    init: () => Object.defineProperty(window, 'cookieStore',
                                      { value: undefined })
  });
  const cookie = { name: 'cx_opt_out', value: '1', url: stack.url };
  const page = await newPage(context);
  const has = () => page.evaluate(() => typeof window.cx);

  await context.addCookies([cookie]);
  await page.goto(`${stack.url}/cached.html`);
  await sleep(500);
  assert.equal(await has(), 'undefined');

  await context.addCookies([{ ...cookie, value: '0' }]);
  await page.goto(`${stack.url}/cached.html`);
  await page.waitForFunction(() => window.cx);
  await context.close();
});
