// The life of a page: leaving, coming back, single-page navigation, privacy
// signals, a server that is busy.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  agent, choose, dialog, launch, leave, newContext, newPage
} from './lib/browser.mjs';
import { pagesOf, plain, survey } from './lib/surveys.mjs';
import { Stack, sleep, until } from './lib/stack.mjs';

const surveys = ['ask', 'late', 'hide', 'spa', 'gpc', 'dnt', 'wait', 'kept',
  'old', 'online', 'expired', 'forged', 'big', 'cached', 'route',
  'one', 'other', 'flight', 'ahead']
  .map((id) => survey(id, 'nps', 'How likely?', {
    follow_up: { any: 'Why?' }, often: { between_days: 0 }
  }));

const names = ['sum', 'back', 'gone', 'twice', 'place', 'next'];

// a page that has the next one prerendered, and goes there when it may; the next
// one marks in the server's log how far it is
const rules = JSON.stringify({
  prerender: [{ urls: ['/soon.html'], eagerness: 'immediate' }]
});
const first = `<!DOCTYPE html><title>First</title>
  <script type="speculationrules">${rules}</script>
  <script>
    const go = async () => (await fetch('/may-go')).status === 204
      ? location.assign('/soon.html') : setTimeout(go, 100);

    go();
  </script>`;
const soon = `<!DOCTYPE html><title>Soon</title><script>
    const mark = (name) => fetch('/mark/' + name, { keepalive: true });

    mark(document.prerendering ? 'prerendered' : 'loaded');
    addEventListener('load', () => setTimeout(mark, 1000, 'ready'));
    document.addEventListener('prerenderingchange', () => {
      const at = performance.now();

      mark('activated');
      addEventListener('pagehide', () =>
        mark('stayed-' + Math.ceil(performance.now() - at)));
      setTimeout(() => location.assign('/next.html'), 1500);
    });
  </script><p>Soon`;

let stack, browser;

before(async () => {
  stack = await Stack.start({
    pages: {
      ...pagesOf(surveys),
      ...Object.fromEntries(names.map((n) => [`${n}.html`, plain])),
      'first.html': first, 'soon.html': soon
    },
    surveys: { version: 1, surveys },
    server: `location = /place.html { cx_touchpoint pay; cx_stage buy; }
      location = /first.html { cx off; }
      if (-f $document_root/lost) { rewrite ^/_cx/events$ /hang last; }
      location /mark/ { cx off; access_log logs/posts.log posts; return 204; }
      location = /may-go {
        cx off;
        if (-f $document_root/go) { return 204; }
        return 404;
      }`
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
    return performance.now();
  }, state);

  await sleep(700);
  await hide('hidden');
  const [first] = await stack.wait('leave', 1, at('/twice.html'));

  await sleep(400);
  const from = await hide('visible');

  await sleep(200);
  const time = await hide('hidden') - from;
  const [, second] = await stack.wait('leave', 2, at('/twice.html'));

  assert.equal(first.view, second.view);
  assert.ok(first.scroll_pct > 0 && first.lcp_ms > 0);
  assert.ok(Math.abs(second.visible_ms - time) < 100,
            `${second.visible_ms} of ${time}`);
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

// Under DevTools, and so under playwright, Chromium prerenders nothing: here it
// runs by itself, and only the server is asked.
test('prerendered for real: nothing is sent before it is seen, then one view',
     async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'cx-prerender-'));
  const child = spawn(process.env.CX_CHROMIUM || '/usr/bin/chromium',
    ['--headless', '--no-sandbox', '--disable-dev-shm-usage', '--no-first-run',
      `--user-data-dir=${dir}`, `--user-agent=${agent}`,
      `${stack.url}/first.html`],
    { stdio: 'ignore', detached: true });
  const ended = new Promise((done) => { child.on('exit', done); });
  const log = () => readFileSync(join(stack.dir, 'logs/posts.log'), 'utf8');
  const marked = (name) => until(name, () =>
    new RegExp(`/mark/${name} `).test(log()), 60000);

  t.after(async () => {
    process.kill(-child.pid, 'SIGKILL');    // and what it has started
    await ended;
    await until('its profile is removed', () => {
      try {
        rmSync(dir, { recursive: true, force: true });
        return true;
      } catch {
        return false;                       // one of them wrote meanwhile
      }
    });
  });

  const before = log().length;

  await marked('prerendered');
  await marked('ready');
  const seen = () => log().slice(before).split('\n').map((line) =>
    line.replace(/\?.*| -? ?\d+$/, '').trim());

  assert.deepEqual(seen().filter((line) => /events|surveys/.test(line)), []);
  writeFileSync(join(stack.root, 'go'), '');
  await marked('activated');
  await marked('stayed-\\d+');

  const [leaves] = await stack.wait('leave', 1, at('/soon.html'));
  const all = seen();
  const [, stayed] = /stayed-(\d+)/.exec(all.join());

  assert.ok(!all.includes('GET /mark/loaded'), all.join());
  assert.ok(all.findIndex((line) => /^POST/.test(line))
    > all.indexOf('GET /mark/activated'), all.join());
  assert.ok(all.indexOf('GET /_cx/cx-vitals.js')
    > all.indexOf('GET /mark/activated'), all.join());
  assert.ok(leaves.visible_ms > 0 && leaves.visible_ms <= +stayed + 500,
            `${leaves.visible_ms} of ${stayed} ms`);
  await sleep(300);
  assert.equal((await stack.events('leave')).filter(at('/soon.html')).length,
               1);
  assert.equal((await stack.events('view')).filter(at('/soon.html')).length, 1);
});

test('back-forward cache with an open card: it is asked again, once',
     async () => {
  const page = await open('/cached.html');
  const own = (e) => e.survey === 'cached';

  await dialog(page).waitFor();
  await page.evaluate(() => { window.mark = 1; });
  await page.goto(`${stack.url}/next.html`);
  await page.goBack({ waitUntil: 'commit' });
  assert.equal(await page.evaluate(() => window.mark), 1, 'was not kept');

  // another view: the card of the old one goes, its answer belongs to the new
  const [before] = await stack.wait('shown', 1, own);

  await until('another card', () => page.evaluate(() =>
    JSON.parse(localStorage.cx).s.cached.n === 2));
  await dialog(page).waitFor();
  assert.equal(await dialog(page).count(), 1);
  await choose(page, 9);
  const [answer] = await stack.wait('answer', 1, own);

  await page.goto('about:blank');
  const all = await stack.wait('shown', 2, own);

  await stack.wait('leave', 2, at('/cached.html'));
  assert.equal(all.length, 2);
  assert.notEqual(answer.view, before.view);
  assert.equal(answer.view, all[1].view);
  assert.deepEqual((await stack.events('dismiss')).filter(own), []);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a single-page route changes with a card in use: what was chosen stays '
     + 'the old page\'s', async () => {
  const page = await open('/route.html');
  const own = (e) => e.survey === 'route';

  await dialog(page).waitFor();
  await page.getByRole('radio', { name: '0', exact: true }).focus();
  await page.keyboard.press('ArrowRight');
  await page.evaluate(() => history.pushState(null, '', '/elsewhere'));
  await dialog(page).waitFor({ state: 'detached' });
  const [answer] = await stack.wait('answer', 1, own);

  await leave(page);
  await stack.wait('leave', 1, at('/elsewhere'));
  assert.deepEqual([answer.page, answer.score, answer.done],
                   ['/route.html', '1', '']);
  assert.equal((await stack.events('answer')).filter(own).length, 1);
  assert.deepEqual((await stack.events('dismiss')).filter(own), []);
  assert.deepEqual(page.wrong, []);
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

const stored = (page) => page.evaluate(() =>
  JSON.parse(localStorage.getItem('cx') || '{}').q);

// every beacon is lost, as without a network
async function cut(context) {
  await context.route('**/_cx/events', (route) => route.abort());

  return () => context.unroute('**/_cx/events');
}

// a page that is closed before its answer could be sent
async function unsent(page, score) {
  await dialog(page).waitFor();
  const mend = await cut(page.context());

  await choose(page, score);
  await until('it is stored', () => stored(page));
  await page.close();
  await mend();
}

test('refused, tab closed: the answer goes with the next page', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/kept.html`);

  await dialog(page).waitFor();
  await stack.redisDown();
  await choose(page, 3);
  await page.getByRole('textbox', { name: 'Why?' }).fill('no room');
  await page.getByRole('button', { name: 'Send' }).click();
  const [{ view }] = Object.values(await until('it is stored', async () =>
    /no room/.test(JSON.stringify(await stored(page))) && stored(page)));

  await page.close({ runBeforeUnload: true });
  await sleep(1000);
  await stack.redisUp();

  const next = await newPage(context);
  const sent = [];

  next.on('request', (r) => r.method() === 'POST'
    && sent.push(r.postDataJSON()));
  await next.goto(`${stack.url}/next.html`);

  // a request of the page that is gone may have waited for Redis: it had less
  const [e] = await stack.wait('answer', 1, (a) =>
    a.page === '/kept.html' && a.text === 'no room');

  assert.deepEqual([e.score, e.view], ['3', view]);
  await until('it is forgotten', async () => !await stored(next), 20000);
  assert.deepEqual([sent[0].view, sent[0].events.map((a) => a.text)],
                   [view, ['no room']], 'the last it said, in its own view');
  assert.equal(new Set((await stack.events('answer'))
    .filter(at('/kept.html')).map((a) => a.answer)).size, 1);
  await context.close();
});

test('lost in flight while the tab is closed: it goes with the next page',
     async () => {
  const page = await open('/flight.html');
  const context = page.context();
  const lost = join(stack.root, 'lost');

  await dialog(page).waitFor();
  writeFileSync(lost, '');
  await Promise.all([page.waitForRequest(/events$/), choose(page, 3)]);
  await page.close({ runBeforeUnload: true });
  rmSync(lost);

  const next = await newPage(context, `${stack.url}/next.html`);
  const all = await stack.wait('answer', 1, at('/flight.html'));

  assert.deepEqual(all.map((e) => e.score), ['3']);
  await until('nothing stored', () => next.evaluate(() =>
    !JSON.parse(localStorage.cx).q));
  await context.close();
});

test('two answers of one view were stored, each with its token: both are taken',
     async () => {
  const context = await newContext(browser);
  const page = await newPage(context);
  const own = (e) => e.view === 'feedfeedfeedfeed';
  const statuses = [];

  page.on('response', (r) => r.request().method() === 'POST'
    && statuses.push(r.status()));

  await page.goto(`${stack.url}/plain.css`);
  await page.evaluate(async (pages) => {
    const all = await Promise.all(pages.map(async ([path, key]) => {
      const query = new URLSearchParams({ surveys: key, page: path });
      const { surveys: [{ id, version, token, answer, chance }] }
        = await (await fetch(`/_cx/surveys?${query}`)).json();

      return [answer, {
        v: 1, page: path, view: 'feedfeedfeedfeed', token,
        t: Math.floor(Date.now() / 6e4),
        events: [{ type: 'answer', answer, survey: id, version, chance,
                   source: 'asked', trigger: 'load', score: 7 }]
      }];
    }));

    localStorage.cx = JSON.stringify({
      v: 1, s: {}, q: Object.fromEntries(all)
    });
  }, await Promise.all(['/one.html', '/other.html'].map(async (path) =>
    [path, /data-surveys="?([^" >]*)/.exec(
      await (await fetch(stack.url + path)).text())[1]])));

  await page.goto(`${stack.url}/next.html`);
  const all = await stack.wait('answer', 2, own);

  assert.deepEqual(all.map((e) => [e.survey, e.score]).sort(),
                   [['one', '7'], ['other', '7']]);
  await until('they are forgotten', async () => !await stored(page));
  assert.deepEqual(statuses, [204]);
  await context.close();
});

test('the network comes back: at once', async () => {
  const page = await open('/online.html');

  await dialog(page).waitFor();
  await page.context().setOffline(true);
  await choose(page, 6);
  await until('it is stored', () => stored(page));
  await sleep(4000);
  await page.context().setOffline(false);

  const start = Date.now();
  const [e] = await stack.wait('answer', 1, at('/online.html'));

  assert.equal(e.score, '6');
  assert.ok(Date.now() - start < 3000);
  await until('it is forgotten', async () => !await stored(page));
  await leave(page);
  await stack.wait('leave', 1, at('/online.html'));
  assert.equal((await stack.events('answer')).filter(at('/online.html')).length,
               1, 'once');
  await page.context().close();
});

test('a clock that is two days ahead: it goes all the same', async () => {
  const context = await newContext(browser);
  let sent = '';
  const ahead = async (path) => {
    const page = await newPage(context);

    page.on('request', (r) => { sent += r.postData() || ''; });
    await page.clock.setFixedTime(Date.now() + 48 * 3600e3);
    await page.goto(stack.url + path);
    return page;
  };

  await unsent(await ahead('/ahead.html'), 4);
  sent = '';

  const next = await ahead('/next.html');

  await until('it is sent', () => /"answer".*"score":4/.test(sent));
  await until('it is forgotten', async () => !await stored(next));
  await context.close();
});

test('after a day it is too late', async () => {
  const context = await newContext(browser);
  const sent = [];

  await unsent(await newPage(context, `${stack.url}/old.html`), 1);
  const other = await newPage(context);

  other.on('request', (r) => r.method() === 'POST' && sent.push(r.postData()));
  await other.clock.setFixedTime(Date.now() + 25 * 3600e3);
  await other.goto(`${stack.url}/next.html`);
  await until('it is forgotten', async () => !await stored(other));
  await sleep(300);
  assert.deepEqual(sent, []);
  await context.close();
});

test('at most 4 KB wait', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/big.html`);

  await dialog(page).waitFor();
  await cut(context);
  await page.evaluate(() => {
    const batch = (n) => ({
      v: 1, page: '/x', view: `000000000000000${n}`, token: 'ffffffff.x',
      t: Math.floor(Date.now() / 6e4),
      events: [{ type: 'answer', answer: 'x', text: 'y'.repeat(1500) }]
    });
    const state = JSON.parse(localStorage.cx);

    state.q = { 1: batch(1), 2: batch(2) };
    localStorage.cx = JSON.stringify(state);
  });
  await choose(page, 2);
  await page.getByRole('textbox', { name: 'Why?' }).fill('z'.repeat(1500));
  await page.getByRole('button', { name: 'Send' }).click();
  await until('it is stored', async () =>
    /zzz/.test(JSON.stringify(await stored(page))));

  const q = await stored(page);

  assert.ok(JSON.stringify(q).length <= 4096);
  assert.deepEqual([q[1], Boolean(q[2])], [undefined, true],
                   'the oldest is dropped');
  await context.close();
});

for (const id of ['expired', 'forged']) {
  test(`a token that is ${id}: another one, once`, async () => {
    const page = await open(`/${id}.html`);
    const posts = [];
    let spoil = true;

    page.on('response', (r) => r.request().method() === 'POST'
      && posts.push(r.status()));
    await page.route('**/_cx/events', (route) => {
      const text = route.request().postData();

      // the real server says no
      route.continue(spoil ? {
        postData: text.replace(/"token":"[^"]*"/, '"token":"00000000.'
          + `${'0'.repeat(16)}.${'0'.repeat(16)}"`)
      } : {});
      spoil = id === 'forged';
    });
    await dialog(page).waitFor();
    await choose(page, 7);
    await until('the answers', () => posts.length >= 2);
    await sleep(600);

    const scores = (await stack.events('answer')).filter(at(`/${id}.html`))
      .map((e) => e.score);

    if (spoil) {
      assert.deepEqual(posts, [403, 403], 'not a third time');
      assert.deepEqual(scores, []);
    } else {
      assert.deepEqual(posts.slice(0, 2), [403, 204]);
      assert.equal(scores[0], '7');
    }

    await page.context().close();
  });
}
