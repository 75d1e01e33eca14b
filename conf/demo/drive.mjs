// The demo's visitors: Debian's Chromium, by mouse, keyboard and touch, over
// the pages that nginx.conf serves.  Each step notes what it must have caused;
// in the end Redis has to say the same, counter by counter.
//
//   node drive.mjs URL REDIS-SOCKET SITE DIRECTORY-FOR-SCREENSHOTS

import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const [url, socket, site, shots] = process.argv.slice(2);
const need = createRequire(join(process.env.CX_NODE_MODULES, 'from.cjs'));
const { chromium } = need('playwright-core');

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const started = Date.now();

// HeadlessChrome would be taken for a bot.  Given to the whole browser: beacons
// of a page that closes do not know what a context says.
const desktop = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 '
  + '(KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
const phone = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 '
  + '(KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36';

const expected = {};            // {page: {counter: n}}
let doing = '';

function say(text) {
  doing = text;
  console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  `
    + text);
}

function note(page, counters) {
  const row = expected[page] = expected[page] || {};

  for (const [name, n] of Object.entries(counters)) {
    row[name] = (row[name] || 0) + n;
  }
}

async function until(what, test, ms = 15000) {
  for (const end = Date.now() + ms; ;) {
    const value = await test();

    if (value) {
      return value;
    }

    if (Date.now() > end) {
      throw new Error(`waited ${ms} ms in vain for ${what}`);
    }

    await sleep(50);
  }
}


// ---- the card: in a closed shadow root, which only the debugger can enter

const cdp = new Map();

async function session(page) {
  if (!cdp.has(page)) {
    cdp.set(page, await page.context().newCDPSession(page));
  }

  return cdp.get(page);
}

// f(root, argument) in the page, or undefined while there is no card
async function inCard(page, f, argument) {
  const client = await session(page);
  const { result } = await client.send('Runtime.evaluate', {
    expression: 'document.querySelector("cx-survey")'
  });

  if (!result.objectId) {
    return undefined;
  }

  const { node } = await client.send('DOM.describeNode', {
    objectId: result.objectId, depth: 1, pierce: true
  });
  const { object } = await client.send('DOM.resolveNode', {
    backendNodeId: node.shadowRoots[0].backendNodeId
  });
  const answer = await client.send('Runtime.callFunctionOn', {
    objectId: object.objectId, functionDeclaration:
      `function (argument) { return (${f})(this, argument); }`,
    arguments: [{ value: argument }], returnByValue: true
  });

  return answer.result.value;
}

// where the middle of what shows this text is, once it stands still; steps that
// have not come yet are there already, but not visible
async function place(page, text) {
  let last;

  return until(`"${text}" in the card`, async () => {
    const box = await inCard(page, (root, wanted) => {
      const all = [...root.querySelectorAll('label, button, textarea')];
      const element = all.find((e) =>
        e.checkVisibility({ visibilityProperty: true })
        && (wanted === e.textContent.trim() || wanted === e.localName));

      if (!element) {
        return null;
      }

      const { left, top, width, height } = element.getBoundingClientRect();

      return { x: left + width / 2, y: top + height / 2 };
    }, text);
    const still = box && last && box.x === last.x && box.y === last.y;

    last = box;
    return still && box;
  });
}

async function press(page, text) {
  const { x, y } = await place(page, text);

  if (page.viewportSize().width < 500) {
    await page.touchscreen.tap(x, y);
  } else {
    await page.mouse.move(x, y, { steps: 5 });
    await page.mouse.click(x, y);
  }
}

const cardShows = (page, text) => until(`a card with "${text}"`, () =>
  inCard(page, (root, wanted) => [...root.querySelectorAll('p')].some((p) =>
    p.checkVisibility({ visibilityProperty: true })
    && p.textContent === wanted), text));

const focused = (page) => inCard(page, (root) => {
  const e = root.activeElement;

  return e ? e.type || e.localName : '';
});

async function shot(page, name) {
  await sleep(600);
  await page.screenshot({ path: join(shots, `${name}.png`) });
}

// waits until the beacon with what was done is answered
const taken = (page) => page.waitForResponse((r) =>
  r.url().endsWith('/_cx/events') && r.status() === 204);


// ---- what visitors do

async function visit(page, path, expect = {}) {
  note(path, { views: 1, visits: 1, ...expect });
  await page.goto(url + path);
}

async function answersNps(page) {
  const path = '/python/tutorial/index.html';

  say('opens Python\'s front page, follows its link to the tutorial');
  note('/python/index.html', { views: 1, visits: 1 });
  await page.goto(url);
  note(path, { views: 1, visits: 1 });
  await page.getByRole('link', { name: 'Tutorial', exact: true }).first()
    .click();
  await page.waitForURL(url + path);

  await cardShows(page, 'How likely are you to recommend this tutorial to a '
    + 'colleague?');
  await shot(page, 'nps');
  say('is asked for NPS, clicks on 9, and writes why');
  note(path, { 'shown': 1, 'answered': 1, 'answers:asked': 1, 'nps:9': 1,
    'text': 1 });
  await press(page, '9');
  await cardShows(page, 'What did you like best?');
  await press(page, 'textarea');
  await page.keyboard.type('Short chapters. Questions to ada@example.org',
                           { delay: 5 });
  await shot(page, 'nps-why');
  await Promise.all([taken(page), press(page, 'Send')]);
  await cardShows(page, 'Thank you. We read every word.');
}

async function answersCsat(page) {
  const path = '/python/library/functions.html';

  say('scrolls through the reference, answers CSAT with 4 by keyboard');
  await visit(page, path, { 'shown': 1, 'answered': 1, 'answers:asked': 1,
    'csat:4': 1, 'text': 1 });
  await page.mouse.move(500, 300);

  for (let i = 0; i < 60 && !await inCard(page, () => 1); i++) {
    await page.mouse.wheel(0, 600);
    await sleep(150);
  }

  await cardShows(page, 'How satisfied are you with this reference page?');
  await shot(page, 'csat');

  // backwards: the card is the last thing on the page
  for (let i = 0; i < 10 && await focused(page) !== 'radio'; i++) {
    await page.keyboard.press('Shift+Tab');
  }

  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  await cardShows(page, 'What should we keep, what should we change?');
  await until('focus in the text', async () =>
    await focused(page) === 'textarea');
  await page.keyboard.type('Keep the table on top.', { delay: 5 });
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await Promise.all([taken(page), page.keyboard.press('Enter')]);
}

async function answersCes(page) {
  say('looks something up in SQLite\'s manual, finds it hard: CES 2');
  await visit(page, '/sqlite/lang_select.html', { 'shown': 1, 'answered': 1,
    'answers:asked': 1, 'ces:2': 1, 'text': 1 });
  await cardShows(page,
    'This page made it easy to find what I was looking for.');
  await shot(page, 'ces');
  await press(page, '2');
  await cardShows(page, 'What was hard to find?');
  await press(page, 'textarea');
  await page.keyboard.type('How a join is spelled. Nothing about LATERAL.',
                           { delay: 5 });
  await Promise.all([taken(page), press(page, 'Send')]);
}

async function answersPsat(page) {
  say('moves to leave libffi\'s page by the top, gives a thumb up');
  await visit(page, '/libffi/index.html', { 'shown': 1, 'answered': 1,
    'answers:asked': 1, 'psat:1': 1, 'text': 1 });
  await page.mouse.move(400, 200);
  await sleep(500);
  await page.mouse.move(400, -1, { steps: 10 });
  await cardShows(page, 'Was this page helpful?');
  await shot(page, 'psat');
  await press(page, 'Yes');
  await cardShows(page, 'What helped you most?');
  await press(page, 'textarea');
  await page.keyboard.type('The list of chapters', { delay: 5 });
  await Promise.all([taken(page), press(page, 'Send')]);
}

// The handler of this page's table of contents is inline, and nginx.conf's
// policy forbids it.
async function ragesAtDeadMenu(page) {
  const path = '/sqlite/howtocorrupt.html';

  say('clicks on a menu that is dead, again and again: rage and dead click');
  await visit(page, path, { 'signal:rage_click': 1, 'signal:dead_click': 1,
    'visits_signal:rage_click': 1, 'visits_signal:dead_click': 1 });

  const box = await page.locator('.fancy_toc > a').boundingBox();
  const at = [box.x + box.width / 2, box.y + box.height / 2];

  await page.mouse.move(...at, { steps: 5 });

  for (let i = 0; i < 7; i++) {
    await page.mouse.click(...at);
    await sleep(70);
  }

  await sleep(3500);
}

// A broken link of SQLite's own: "section_3_2", without the "#"
async function meets404(page) {
  const path = '/sqlite/atomiccommit.html';

  say('follows a broken link in SQLite\'s manual: 404, blamed on its page');
  await visit(page, path, { 'signal:broken_link': 1,
    'visits_signal:broken_link': 1 });
  note('/sqlite/section_3_2', { 'views': 1, 'visits': 1, 'status:4xx': 1 });
  await page.locator('a[href="section_3_2"]').click();
  await page.getByRole('heading', { name: '404 Not Found' }).waitFor();
}

async function waits(page) {
  const path = '/python/py-modindex.html';

  say('opens the module index, which is slow for the second who asks');
  await visit(page, path);
  await page.goto('about:blank');
  await sleep(1000);
  note(path, { 'views': 1, 'signal:slow_page': 2,
    'visits_signal:slow_page': 1 });
  await page.goto(url + path);

  say('and gives up waiting the third time: the third view within a minute');
  await page.goto('about:blank');
  note(path, { 'views': 1, 'signal:aborted_wait': 1, 'signal:reload': 1,
    'visits_signal:aborted_wait': 1, 'visits_signal:reload': 1,
    'status:4xx': 1 });
  await page.goto(url + path, { timeout: 1500 }).catch(() => {});
  await page.goto('about:blank');
}

async function reloads(page) {
  const path = '/python/whatsnew/index.html';

  say('reloads "What\'s new" thrice');
  await visit(page, path, { 'signal:reload': 1, 'visits_signal:reload': 1 });

  for (let i = 0; i < 3; i++) {
    await sleep(1000);
    note(path, { views: 1 });
    await page.reload();
  }
}

async function tapsOnPhone(page) {
  const tutorial = '/python/tutorial/index.html';

  say('on a phone: taps NPS 3, writes why');
  await visit(page, tutorial, { 'shown': 1, 'answered': 1, 'answers:asked': 1,
    'nps:3': 1, 'text': 1 });
  await cardShows(page, 'How likely are you to recommend this tutorial to a '
    + 'colleague?');
  await shot(page, 'nps-phone');
  await press(page, '3');
  await cardShows(page, 'What disappointed you most?');
  await press(page, 'textarea');
  await page.keyboard.type('Too small to read', { delay: 5 });
  await Promise.all([taken(page), press(page, 'Send')]);

  say('on a phone: closes a CSAT question unanswered');
  await visit(page, '/python/library/functions.html', { shown: 1,
    dismissed: 1 });
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight / 2));
  await cardShows(page, 'How satisfied are you with this reference page?');

  // the close button's name is in an attribute: Escape in the focused card
  for (let i = 0; i < 10 && !await focused(page); i++) {
    await page.keyboard.press('Shift+Tab');
  }

  await page.keyboard.press('Escape');
  await until('the card to go', async () => !await inCard(page, () => 1));
}


// ---- what Redis says

const redis = (...args) => execFileSync('redis-cli',
  ['-s', socket, '--raw', ...args], { encoding: 'utf8' })
  .split('\n').slice(0, -1);

// the day's counters of each page; of two days if it is midnight
function counters() {
  const pages = {};
  const prefix = `cx:{${site}}:page:d:`;

  for (const key of redis('--scan', '--pattern', `${prefix}*`)) {
    const page = key.slice(prefix.length + '20261121:'.length);
    const row = pages[page] = pages[page] || {};
    const list = redis('HGETALL', key);

    for (let i = 0; i + 1 < list.length; i += 2) {
      row[list[i]] = (row[list[i]] || 0) + Number(list[i + 1]);
    }
  }

  return pages;
}

// Lines about what differs.  A counter that no step notes must be absent.
function differences() {
  const found = counters();
  const counted = new RegExp('^(views|visits|shown|dismissed|answered|text'
    + '|status:[45]xx|answers:.*|signal:.*|visits_signal:.*|(nps|csat|ces'
    + '|psat):.*)$');
  const lines = [];

  for (const page of new Set([...Object.keys(found),
                              ...Object.keys(expected)])) {
    const is = found[page] || {};
    const should = expected[page] || {};

    for (const name of new Set([...Object.keys(is), ...Object.keys(should)])) {
      if (counted.test(name) && (is[name] || 0) !== (should[name] || 0)) {
        lines.push(`${page} ${name}: ${is[name] || 0} in Redis, `
          + `${should[name] || 0} in the browser`);
      }
    }
  }

  return lines;
}

async function check() {
  let lines;

  await until('Redis', () => {
    lines = differences();
    return !lines.length;
  }, 20000).catch(() => {});

  // and it stays so: nothing is counted twice a moment later
  await sleep(1000);
  lines = differences();

  const masked = redis('ZRANGE', `cx:{${site}}:verbatims`, '0', '-1')
    .flatMap((id) => redis('HGET', `cx:{${site}}:answer:${id}`, 'text'));

  if (!masked.includes('Short chapters. Questions to [email]')) {
    lines.push(`the address is not masked: ${JSON.stringify(masked)}`);
  }

  return lines;
}


// ---- all of it

mkdirSync(shots, { recursive: true });

let browser;

// a browser of its own for each visitor; f gets a page
async function visitor(agent, options, f) {
  browser = await chromium.launch({
    executablePath: process.env.CX_CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage',
      '--force-color-profile=srgb', `--user-agent=${agent}`]
  });

  try {
    const context = await browser.newContext({ userAgent: agent, ...options });

    const page = await context.newPage();

    await f(page);

    // the last page tells what it has still to tell
    await page.goto('about:blank');
    await sleep(500);
  } finally {
    await browser.close();
  }
}

process.on('SIGTERM', () => {
  browser.close().finally(() => process.exit(143));
});

let lines;

try {
  await visitor(desktop, { viewport: { width: 1100, height: 680 } },
    async (page) => {
      await answersNps(page);
      await answersCsat(page);
      await ragesAtDeadMenu(page);
      await meets404(page);
      await answersCes(page);
      await waits(page);
      await reloads(page);
      await answersPsat(page);
    });

  await visitor(phone, { viewport: { width: 390, height: 760 },
    hasTouch: true, isMobile: true, deviceScaleFactor: 2 }, tapsOnPhone);

  say('compares Redis with what the browser did');
  lines = await check();

} catch (e) {
  lines = [`${doing}: ${e.stack}`];
}

if (lines.length) {
  console.log(`\nFAILED\n${lines.join('\n')}`);
  process.exit(1);
}

console.log(`\nRedis says what the browser did, on ${
  Object.keys(expected).length} pages.`);
