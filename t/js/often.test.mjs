// When a survey shows and how often, by a clock that the tests move; and what
// window.cx says about it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  choose, dialog, launch, leave, newContext, newPage
} from './lib/browser.mjs';
import { pagesOf, plain, survey } from './lib/surveys.mjs';
import { Stack, sleep, until } from './lib/stack.mjs';

const DAY = 86400e3;
const START = Date.UTC(2030, 0, 1, 12);

const surveys = [
  survey('a', 'nps', 'A?'),
  survey('b', 'csat', 'B?'),
  survey('fast', 'csat', 'Fast?', { often: {
    answered_days: 3, dismissed_days: 2, showings: 3, between_days: 0
  } }),
  survey('delay', 'csat', 'Delayed?', { when: { delay: 4 } }),
  survey('scroll', 'csat', 'Scrolled?', { when: { scroll: 60 } }),
  survey('exit', 'csat', 'Leaving?', { when: { exit: true } }),
  survey('either', 'csat', 'Either?', { when: { delay: 6, scroll: 60 } }),
  survey('views', 'csat', 'Third view?', { when: { views: 3 } }),
  survey('first', 'csat', 'First?', {
    where: { pages: ['/two.html'] }, when: { views: 2 }
  }),
  survey('second', 'csat', 'Second?', { where: { pages: ['/two.html'] } }),
  survey('api', 'csat', 'By hand?', { when: { views: 1000 },
    often: { between_days: 0 } }),
  survey('dwell', 'csat', 'Still here?', { when: { dwell: 2 } }),
  survey('idle', 'csat', 'Stuck?', { when: { idle: 2 } }),
  survey('click', 'csat', 'Useful?', { when: { click: 'main > p button' } }),
  survey('spelt', 'csat', 'Never?', { when: { click: 'p[' } }),
  survey('rage', 'csat', 'What broke?', { when: { after: ['rage_click'] } }),
  survey('error', 'csat', 'Not there?', {
    when: { after: ['error_page', 'dead_click'] }
  }),
  survey('script', 'csat', 'Broken?', { when: { after: ['js_error'] } }),
  survey('visits', 'csat', 'Back again?', { when: { visits: 3 } }),
  survey('new', 'csat', 'First time?', {
    where: { pages: ['/who.html'], visitors: 'new' }, often: { between_days: 0 }
  }),
  survey('returning', 'csat', 'Welcome back?', {
    where: { pages: ['/who.html'], visitors: 'returning' },
    often: { between_days: 0 }
  }),
  survey('asked', 'csat', 'You asked?', { when: { ask: true } }),
  survey('low', 'csat', 'Second rank?', { where: { pages: ['/rank.html'] } }),
  survey('high', 'csat', 'First rank?', {
    where: { pages: ['/rank.html'] }, priority: 10
  }),
  survey('dry', 'csat', 'Nobody sees this?', {
    dry_run: true, sample: 100, often: { between_days: 0, showings: 2 }
  }),
  survey('beside', 'csat', 'Nobody sees this, either?', {
    dry_run: true, sample: 100, priority: 10, where: { pages: ['/both.html'] }
  }),
  survey('seen', 'csat', 'Seen?', { where: { pages: ['/both.html'] } }),
  survey('another', 'csat', 'Another?', {
    where: { pages: ['/both.html'] }, when: { delay: 1 },
    often: { between_days: 0 }
  }),
  survey('tabs', 'csat', 'Which tab?'),
  survey('modal', 'csat', 'On top?'),
  survey('old', 'csat', 'Can you see me?'),
  survey('fail', 'csat', 'At last?', { when: { views: 1 } })
];

let stack, browser;

before(async () => {
  stack = await Stack.start({
    pages: {
      ...pagesOf(surveys), 'two.html': plain, 'none.html': plain,
      'who.html': plain, 'rank.html': plain,
      'both.html': plain
    },
    surveys: { version: 1, surveys },
    server: 'error_page 404 /error.html;'
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

// opens a page as somebody who comes back days later; says whether it asked
async function visit(context, id, days, ask = true) {
  const page = await newPage(context);

  await page.clock.setFixedTime(START + days * DAY);
  await page.goto(`${stack.url}/${id}.html`);

  if (ask) {
    await dialog(page).waitFor();
  } else {
    await page.waitForFunction(() =>
      window.cx && !/not loaded/.test(window.cx.why()[0]));
    await sleep(500);
    assert.equal(await dialog(page).count(), 0, `day ${days}: asks`);
  }

  return page;
}

const why = (page) => page.evaluate(() => window.cx.why());

test('after an answer 90 days of peace', async () => {
  const context = await newContext(browser);
  let page = await visit(context, 'a', 0);

  await choose(page, 9);
  await page.getByRole('dialog', { name: /Thank/ }).waitFor();
  page = await visit(context, 'a', 89.9, false);
  assert.deepEqual(await why(page), ['a: answered, not before 2030-04-01']);
  await visit(context, 'a', 90.1);
  await context.close();
});

test('after a dismissal 30 days of peace, and no third showing', async () => {
  const context = await newContext(browser);
  let page = await visit(context, 'a', 0);

  await page.getByRole('button', { name: 'Close' }).click();
  page = await visit(context, 'a', 29.9, false);
  assert.deepEqual(await why(page), ['a: dismissed, not before 2030-01-31']);
  page = await visit(context, 'a', 30.1);
  await page.getByRole('button', { name: 'Close' }).click();
  page = await visit(context, 'a', 400, false);
  assert.deepEqual(await why(page), ['a: shown 2 times']);
  await context.close();
});

test('seven days between any two surveys, two showings of one', async () => {
  const context = await newContext(browser);
  let page = await visit(context, 'a', 0);

  page = await visit(context, 'b', 6.9, false);
  assert.deepEqual(await why(page),
                   ['b: another survey was shown, not before 2030-01-08']);
  await visit(context, 'a', 6.9, false);
  await visit(context, 'b', 7.1);
  await visit(context, 'a', 14.2);
  await visit(context, 'a', 90, false);
  await visit(context, 'b', 91);
  await context.close();
});

test('what a clock stored that was years ahead keeps nobody from being asked',
     async () => {
  const context = await newContext(browser);
  const page = await visit(context, 'a', 4000);

  await page.getByRole('button', { name: 'Close' }).click();
  await visit(context, 'b', 0);
  await visit(context, 'a', 7.1);
  await context.close();
});

test('a survey\'s own figures', async () => {
  const context = await newContext(browser);

  await visit(context, 'a', 0);
  let page = await visit(context, 'fast', 0.1);
  await choose(page, 5);
  await page.getByRole('dialog', { name: /Thank/ }).waitFor();
  await visit(context, 'fast', 2.9, false);
  page = await visit(context, 'fast', 3.2);
  await page.getByRole('button', { name: 'Close' }).click();
  await visit(context, 'fast', 5.1, false);
  await visit(context, 'fast', 5.3);
  await visit(context, 'fast', 5.4);
  page = await visit(context, 'fast', 5.5, false);
  assert.deepEqual(await why(page), ['fast: shown 3 times']);
  await context.close();
});

test('"do not ask again" is one click, for good, for all surveys', async () => {
  const context = await newContext(browser);
  let page = await visit(context, 'a', 0);
  const gets = [];

  await page.getByRole('button', { name: 'Do not ask again' }).click();
  assert.equal(await dialog(page).count(), 0);
  await leave(page);
  const [dismiss] = await stack.wait('dismiss', 1, (e) => e.how === 'never');

  assert.equal(dismiss.survey, 'a');
  context.on('request', (r) => gets.push(r.url()));

  for (const days of [1, 400, 4000]) {
    for (const id of ['a', 'b', 'fast']) {
      page = await visit(context, id, days, false);
    }
  }

  assert.deepEqual(await why(page),
                   ['the visitor asked not to be asked again']);
  assert.equal(await page.evaluate(() => window.cx.ask('fast')), false);
  assert.deepEqual(gets.filter((url) => /surveys\?/.test(url)), []);
  await context.close();
});

test('what is stored is the frequency state', async () => {
  const context = await newContext(browser);
  const page = await visit(context, 'a', 0);

  await choose(page, 10);
  await page.getByRole('dialog', { name: /Thank/ }).waitFor();
  const minutes = START / 60e3;

  assert.deepEqual(JSON.parse(await page.evaluate(() => localStorage.cx)), {
    v: 1, w: 1, l: minutes, t: minutes, s: { a: { n: 0, a: minutes } }
  });
  assert.deepEqual(await why(page),
                   ['a: a survey was shown in this page view']);
  await context.close();
});

for (const [what, init] of [
  ['blocked', () => Object.defineProperty(window, 'localStorage', {
    get() { throw new DOMException('no', 'SecurityError'); }
  })],
  ['spoilt', () => localStorage.setItem('cx', '"x"')],
  ['another program\'s', () => localStorage.setItem('cx', '{"s":1}')],
  ['spoilt inside', () => localStorage.setItem('cx',
    '{"s":{"a":1,"b":"x"},"q":{"x":5}}')]
]) {
  test(`storage that is ${what} is no obstacle`, async () => {
    const context = await newContext(browser, { init });
    const page = await newPage(context, `${stack.url}/a.html`);

    await dialog(page).waitFor();
    await choose(page, 3);
    await page.getByRole('dialog', { name: /Thank/ }).waitFor();
    await page.evaluate(() => history.pushState(null, '', '/b.html'));
    await sleep(600);
    assert.equal(await page.getByRole('dialog', { name: 'B?' }).count(), 0);
    assert.match((await why(page))[0], /another survey was shown/);
    assert.deepEqual(page.wrong, []);
    await context.close();
  });
}

// its surveys are there
const waits = (page) => page.waitForFunction(() =>
  window.cx && /waits/.test(window.cx.why()[0]));

const shown = (id) => stack.wait('shown', 1, (e) => e.survey === id)
  .then(([e]) => e);

test('trigger: delay', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/delay.html`);
  const start = Date.now();

  await waits(page);
  await dialog(page).waitFor();
  assert.ok(Date.now() - start > 3900);
  await leave(page);
  assert.equal((await shown('delay')).trigger, 'delay');
  await context.close();
});

test('nothing ticks when nothing waits', async () => {
  const context = await newContext(browser, { init: () => {
    const { setInterval: set, clearInterval: clear } = window;

    window.ticking = new Set();
    window.setInterval = (...all) => {
      const id = set(...all);

      window.ticking.add(id);
      return id;
    };
    window.clearInterval = (id) => {
      window.ticking.delete(id);
      clear(id);
    };
  } });
  const page = await newPage(context, `${stack.url}/dwell.html`);

  await waits(page);
  assert.equal(await page.evaluate(() => window.ticking.size), 1);
  await dialog(page).waitFor();
  assert.equal(await page.evaluate(() => window.ticking.size), 0);
  await context.close();
});

test('trigger: scroll', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/scroll.html`);

  await sleep(500);
  await page.mouse.wheel(0, 200);
  await sleep(400);
  assert.equal(await dialog(page).count(), 0);
  await page.mouse.wheel(0, 1200);
  await dialog(page).waitFor();
  await leave(page);
  assert.equal((await shown('scroll')).trigger, 'scroll');
  await context.close();
});

test('what lies beneath a modal dialog is not shown: it waits', async () => {
  const context = await newContext(browser, { init: () =>
    addEventListener('DOMContentLoaded', () => {
      const own = document.createElement('dialog');

      own.append('Cookies?');
      document.body.append(own);
      own.showModal();
    }) });
  const page = await newPage(context, `${stack.url}/modal.html`);
  const card = page.locator('cx-survey');

  await page.waitForFunction(() => window.cx
    && window.cx.why()[0] === 'modal: something covers the page');
  assert.equal(await page.evaluate(() => window.cx.ask('modal')), false);
  await sleep(1500);
  assert.equal(await card.count(), 0);
  assert.equal(await page.evaluate(() => JSON.parse(localStorage.cx).s.modal),
               undefined, 'it does not count as shown');
  await page.evaluate(() => document.querySelector('dialog').close());
  await card.waitFor();
  assert.deepEqual(page.wrong, []);
  await context.close();
});

test('trigger: exit', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/exit.html`);

  await waits(page);
  await page.mouse.move(300, 300);
  await page.mouse.move(300, 20, { steps: 5 });
  assert.equal(await dialog(page).count(), 0);
  await page.mouse.move(300, -5);
  await dialog(page).waitFor();
  await leave(page);
  assert.equal((await shown('exit')).trigger, 'exit');
  await context.close();
});

test('trigger: the first of two, once', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/either.html`);

  await waits(page);
  await page.mouse.wheel(0, 1500);
  await dialog(page).waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  await sleep(6200);
  assert.equal(await dialog(page).count(), 0);
  await leave(page);
  assert.equal((await shown('either')).trigger, 'scroll');
  await context.close();
});

test('trigger: views of this site', async () => {
  const context = await newContext(browser);

  await visit(context, 'none', 0, false);
  const page = await visit(context, 'views', 0, false);
  assert.deepEqual(await why(page), ['views: page view 2 of 3']);
  await leave(await visit(context, 'views', 0));
  assert.equal((await shown('views')).trigger, 'views');
  await context.close();
});

test('the first survey that may be shown is', async () => {
  const context = await newContext(browser);
  let page = await visit(context, 'two', 0);

  await page.getByRole('dialog', { name: 'Second?' }).waitFor();
  page = await visit(context, 'two', 8);
  await page.getByRole('dialog', { name: 'First?' }).waitFor();
  assert.equal(await dialog(page).count(), 1);
  await context.close();
});

test('a page without surveys asks for none', async () => {
  const context = await newContext(browser);
  const gets = [];

  context.on('request', (r) => gets.push(r.url()));
  const page = await visit(context, 'none', 0, false);

  assert.deepEqual(await why(page), ['no survey is meant for this page']);
  assert.deepEqual(gets.filter((url) => /surveys/.test(url)), []);
  await context.close();
});

test('cx.ask()', async () => {
  const context = await newContext(browser);
  let page = await visit(context, 'api', 0, false);

  assert.match((await why(page))[0], /^api: page view 1 of 1000/);
  assert.equal(await page.evaluate(() => window.cx.ask('nothing')), false);
  await page.evaluate(() => {
    document.getElementById('more').onclick = () => {
      window.asked = window.cx.ask('api');
    };
  });
  await page.click('#more');
  await dialog(page).waitFor();
  assert.equal(await page.evaluate(() => window.asked), true);
  assert.equal(await page.evaluate(() =>
    document.activeElement.localName), 'cx-survey', 'who asks for it gets it');
  assert.equal(await page.evaluate(() => window.cx.ask('api')), false,
               'one prompt a page view');
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'more');
  await leave(page);
  assert.equal((await shown('api')).trigger, 'api');
  await context.close();
});

const hide = (page, hidden) => page.evaluate((value) => {
  Object.defineProperty(document, 'hidden', { configurable: true, value });
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
}, hidden);

test('trigger: dwell counts what is seen of the page', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/dwell.html`);

  await waits(page);
  await hide(page, true);
  await sleep(3000);
  assert.equal(await dialog(page).count(), 0, 'hidden');
  await hide(page, false);
  await sleep(900);
  assert.equal(await dialog(page).count(), 0, 'too soon');
  await dialog(page).waitFor();
  await leave(page);
  assert.equal((await shown('dwell')).trigger, 'dwell');
  await context.close();
});

test('trigger: idle begins again with each sign of a person', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/idle.html`);

  await waits(page);

  for (let i = 0; i < 7; i++) {
    await page.mouse.move(300 + i, 300);
    await sleep(500);
    assert.equal(await dialog(page).count(), 0, `busy ${i}`);
  }

  await dialog(page).waitFor();
  await leave(page);
  assert.equal((await shown('idle')).trigger, 'idle');
  await context.close();
});

test('trigger: a click on what the selector names, or inside', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/click.html`);

  await waits(page);
  await page.evaluate(() => {
    const button = document.getElementById('more');

    button.innerHTML = '<b>More</b>';
    button.addEventListener('click', (e) => e.stopPropagation());
  });
  await page.click('h1');
  await sleep(300);
  assert.equal(await dialog(page).count(), 0);
  await page.click('#more b');
  await dialog(page).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'more',
               'nobody asked for it: it does not take the focus');
  await leave(page);
  assert.equal((await shown('click')).trigger, 'click');
  await context.close();
});

test('a selector that is none shows nothing and breaks nothing', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/spelt.html`);

  await waits(page);
  await page.click('#more');
  await sleep(300);
  assert.equal(await dialog(page).count(), 0);
  assert.deepEqual(page.wrong, []);
  await context.close();
});

test('trigger: after a signal of this page', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/rage.html`);

  await waits(page);
  await page.evaluate(() => { document.body.style.cursor = 'pointer'; });
  const { x, y, height } = await page.locator('h2').boundingBox();
  const cdp = await page.context().newCDPSession(page);

  await Promise.all([1, 2, 3, 4].flatMap((clickCount) =>
    ['mousePressed', 'mouseReleased'].map((type) =>
      cdp.send('Input.dispatchMouseEvent', {
        type, x: x + 20, y: y + height / 2, button: 'left', clickCount
      }))));
  await dialog(page).waitFor();
  await leave(page);
  assert.equal((await shown('rage')).trigger, 'rage_click');
  await context.close();
});

test('trigger: a signal that came before the surveys did', async () => {
  const context = await newContext(browser);
  const page = await newPage(context);

  await page.route('**/_cx/surveys?*', async (route) => {
    await page.evaluate(() => { setTimeout(() => { throw Error('x'); }); });
    await sleep(300);
    await route.continue();
  });
  await page.goto(`${stack.url}/script.html`);
  await dialog(page).waitFor();
  await leave(page);
  assert.equal((await shown('script')).trigger, 'js_error');
  await context.close();
});

test('trigger: after what the server saw on the page before', async () => {
  const context = await newContext(browser);
  const page = await newPage(context);

  await page.goto(`${stack.url}/error.html`);
  await waits(page);
  await sleep(400);
  assert.equal(await dialog(page).count(), 0, 'nothing has happened yet');
  await page.goto(`${stack.url}/nothing-here`);
  await page.goto(`${stack.url}/error.html`);
  await dialog(page).waitFor();
  await leave(page);
  assert.equal((await shown('error')).trigger, 'error_page');
  await context.close();
});

test('trigger: visits, half an hour apart', async () => {
  const context = await newContext(browser);
  const minute = 1 / 1440;

  let page = await visit(context, 'visits', 0, false);
  assert.deepEqual(await why(page), ['visits: visit 1 of 3']);
  page = await visit(context, 'visits', 29 * minute, false);
  assert.deepEqual(await why(page), ['visits: visit 1 of 3']);
  page = await visit(context, 'visits', 60 * minute, false);
  assert.deepEqual(await why(page), ['visits: visit 2 of 3']);
  page = await visit(context, 'visits', 2);
  await leave(page);
  assert.equal((await shown('visits')).trigger, 'visits');
  await context.close();
});

test('new and returning visitors', async () => {
  const context = await newContext(browser);
  let page = await visit(context, 'who', 0);

  await page.getByRole('dialog', { name: 'First time?' }).waitFor();
  page = await visit(context, 'who', 1);
  await page.getByRole('dialog', { name: 'Welcome back?' }).waitFor();
  await context.close();
});

test('ask: only window.cx.ask() shows it', async () => {
  const context = await newContext(browser);
  const page = await visit(context, 'asked', 0, false);

  await page.mouse.wheel(0, 1500);
  await sleep(500);
  assert.equal(await dialog(page).count(), 0);
  assert.equal(await page.evaluate(() => window.cx.ask('asked')), true);
  await dialog(page).waitFor();
  await leave(page);
  assert.equal((await shown('asked')).trigger, 'api');
  await context.close();
});

test('of several the one with the highest priority', async () => {
  const context = await newContext(browser);
  const page = await visit(context, 'rank', 0);

  await page.getByRole('dialog', { name: 'First rank?' }).waitFor();
  await leave(page);
  assert.equal((await shown('high')).trigger, 'load');
  assert.deepEqual((await stack.events('shown')).filter((e) =>
    e.survey === 'low'), []);
  await context.close();
});

test('a dry run tells, counts for itself, and shows nothing', async () => {
  const context = await newContext(browser);

  for (const day of [0, 1, 2]) {
    await leave(await visit(context, 'dry', day, false));
  }

  const all = await stack.wait('shown', 2, (e) => e.survey === 'dry');

  assert.deepEqual(all.map((e) => [e.dry, e.trigger, e.chance]),
                   [['1', 'load', '10000'], ['1', 'load', '10000']]);
  const page = await visit(context, 'dry', 3, false);

  assert.deepEqual(await why(page), ['dry: shown 2 times']);
  assert.equal(await page.evaluate(() => JSON.parse(localStorage.cx).t),
               undefined, 'nobody has been asked');
  await visit(context, 'a', 3);
  await context.close();
});

for (const locks of [true, false]) {
  test(`a dry run beside a survey, ${locks ? 'by' : 'without'} locks`,
       async () => {
    const context = await newContext(browser, {
      init: locks ? undefined : () => {
        Object.defineProperty(navigator, 'locks', { value: undefined });
      }
    });
    const seen = () => stack.events('shown').then((all) => all.filter((e) =>
      /beside|seen|another/.test(e.survey)).map((e) => e.survey).sort());
    const before = await seen();
    const page = await newPage(context, `${stack.url}/both.html`);

    await page.getByRole('dialog', { name: 'Seen?' }).waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await sleep(1800);
    assert.equal(await dialog(page).count(), 0, 'one prompt a page view');
    await leave(page);
    await stack.wait('dismiss', before.length / 2 + 1, (e) =>
      e.survey === 'seen');
    assert.deepEqual(await seen(), [...before, 'beside', 'seen'].sort());
    await context.close();
  });
}

// what another tab has stored is known 200 ms later, as on a busy machine
function lag() {
  const { getItem, setItem } = Storage.prototype;
  let known = getItem.call(localStorage, 'cx');
  let writes = 0;

  Storage.prototype.getItem = () => known;
  Storage.prototype.setItem = function (key, value) {
    writes += 1;
    known = value;
    setItem.call(this, key, value);
  };
  setInterval(() => {
    const value = getItem.call(localStorage, 'cx');
    const before = writes;

    setTimeout(() => { known = writes === before ? value : known; }, 200);
  }, 10);
}

for (const locks of [true, false]) {
  test(`two tabs at once: one asks, ${locks ? 'by' : 'without'} locks`,
       async () => {
    const context = await newContext(browser, {
      init: locks ? lag : () => {
        Object.defineProperty(navigator, 'locks', { value: undefined });
      }
    });
    const pages = await Promise.all([0, 1].map(() => newPage(context)));
    let free;
    const both = new Promise((done) => { free = done; });
    let waiting = 0;

    // both get their surveys in the same moment
    await context.route('**/_cx/surveys?*', async (route) => {
      waiting += 1;
      waiting === 2 && free();
      await both;
      await route.continue();
    });
    await Promise.all(pages.map((page) =>
      page.goto(`${stack.url}/tabs.html`)));
    await until('one to ask', async () => (await Promise.all(pages.map((page) =>
      dialog(page).count()))).includes(1), 20000);
    await until('the other to know', async () =>
      (await Promise.all(pages.map(why))).some(([text]) =>
        /another survey was shown/.test(text)));
    assert.deepEqual((await Promise.all(pages.map((page) =>
      dialog(page).count()))).sort(), [0, 1]);
    assert.equal(await pages[0].evaluate(() =>
      JSON.parse(localStorage.cx).c), undefined, 'the claim is over');
    assert.equal(await pages[0].evaluate(() =>
      JSON.parse(localStorage.cx).s.tabs.n), 1, 'one showing');
    await context.close();
  });
}

test('a browser that cannot draw it: no card, no showing, no error of the page',
     async () => {
  const context = await newContext(browser, { init: () => {
    delete CSSStyleSheet.prototype.replaceSync;
  } });
  const page = await newPage(context);
  const before = await stack.events('signal');

  await page.goto(`${stack.url}/old.html`);
  await page.waitForRequest(/cx-ask/);
  await sleep(500);
  assert.deepEqual(page.wrong, []);
  assert.deepEqual(await why(page), ['old: waits for its moment']);
  await leave(page);
  await stack.wait('leave', 1, (e) => e.page === '/old.html');
  assert.deepEqual((await stack.events('shown')).filter((e) =>
    e.survey === 'old'), []);
  assert.equal((await stack.events('signal')).length, before.length);
  await context.close();
});

test('an answer in one tab is known in the other', async () => {
  const context = await newContext(browser);
  const one = await visit(context, 'fast', 0);
  const two = await visit(context, 'api', 0, false);

  await choose(one, 5);
  await one.getByRole('dialog', { name: /Thank/ }).waitFor();
  await two.evaluate(() => history.pushState(null, '', '/fast.html'));
  await two.waitForFunction(() =>
    /^fast: answered/.test(window.cx.why()[0]));
  assert.equal(await dialog(two).count(), 0);
  assert.equal(await two.evaluate(() => window.cx.ask('fast')), false);
  await context.close();
});

test('a dismissal in one tab is known in the other', async () => {
  const context = await newContext(browser);
  const one = await visit(context, 'fast', 0);
  const two = await visit(context, 'api', 0, false);

  await one.getByRole('button', { name: 'Close' }).click();
  await two.evaluate(() => history.pushState(null, '', '/fast.html'));
  await two.waitForFunction(() =>
    /^fast: dismissed/.test(window.cx.why()[0]));
  assert.equal(await dialog(two).count(), 0);
  assert.equal(await two.evaluate(() => window.cx.ask('fast')), false);
  await context.close();
});

// the aggregator counts an answer's id once, and refuses it from another view:
// t/agg_survey.t
test('two tabs with the same card: it is the same answer, by its id',
     async () => {
  const context = await newContext(browser);
  const pages = [];

  for (let n = 0; n < 2; n++) {
    pages.push(await visit(context, 'fast', 0));
  }

  for (const page of pages) {
    await choose(page, 5);
    await page.getByRole('dialog', { name: /Thank/ }).waitFor();
  }

  const { s: { fast } } = JSON.parse(
    await pages[0].evaluate(() => localStorage.cx));

  assert.deepEqual(fast, { n: 0, a: START / 60e3 }, 'one state for both');

  // an answer is in the stream before its 204, and thanks may come before that
  const answers = await until('both answers', async () => {
    const all = (await stack.events('answer')).filter((e) =>
      e.survey === 'fast').slice(-2);

    return all.length === 2 && all[0].view !== all[1].view && all;
  });

  assert.equal(answers[0].answer, answers[1].answer);
  await visit(context, 'fast', 1, false);
  await context.close();
});

test('a part that cannot be had: nothing breaks, and it is tried again',
     async () => {
  const context = await newContext(browser);
  const page = await newPage(context);
  let refuse = true;

  await page.route('**/_cx/cx-ask.js?*', (route) =>
    refuse ? route.abort() : route.continue());
  await page.goto(`${stack.url}/fail.html`);
  await waits(page);
  await sleep(500);
  assert.equal(await dialog(page).count(), 0);
  assert.equal(await page.evaluate(() => JSON.parse(localStorage.cx).t),
               undefined, 'it has not been shown');
  refuse = false;
  assert.equal(await page.evaluate(() => window.cx.ask('fail')), true);
  await dialog(page).waitFor();
  assert.deepEqual(page.wrong, []);
  await context.close();
});
