// What every type looks like, as screenshots below $CX_SHOTS, build/shots; and
// the measures that can be checked, in every state: axe, sizes, sides, heights,
// no layout shift, nothing in print.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  axe, choose, dialog, launch, newContext, newPage
} from './lib/browser.mjs';
import {
  arabic, four, long, others, pagesOf, plain, rtl
} from './lib/surveys.mjs';
import { Stack, build, sleep } from './lib/stack.mjs';

const shots = process.env.CX_SHOTS || join(build, 'shots');
const phone = { viewport: { width: 320, height: 640 }, hasTouch: true,
                isMobile: true };
const all = [...four, ...others];
const two = ['nps', 'choices', 'stars'].map((id) =>
  all.find((s) => s.id === id));

// [the browser's options, surveys that are looked at so]
const looks = {
  light: [{}, [...all, long]],
  dark: [{ colorScheme: 'dark' }, all],
  phone: [phone, all],
  'phone-dark': [{ ...phone, viewport: { width: 390, height: 700 },
                   colorScheme: 'dark' }, two],
  rtl: [{}, arabic],
  'rtl-phone': [phone, arabic.slice(0, 2)],
  forced: [{ forcedColors: 'active', colorScheme: 'dark' }, two],
  wide: [{ viewport: { width: 461, height: 600 } }, two]
};

let stack, browser;

before(async () => {
  const surveys = [...all, long, ...arabic];

  mkdirSync(shots, { recursive: true });
  stack = await Stack.start({
    pages: {
      ...pagesOf(surveys),
      ...Object.fromEntries(arabic.map(({ id }) => [`${id}.html`, rtl])),
      'page-wild.html': plain.replace('</head>', `<style>
        body > * {
          display: block; position: relative; z-index: 1; inset: 40px;
          inline-size: 50%; margin: 9px; padding: 9px; opacity: .5;
          font: 30px monospace; letter-spacing: 4px; filter: grayscale(1);
        }</style></head>`),
      'page-dark.html': plain.replace('<head>',
        '<head><meta name="color-scheme" content="dark">'),
      'page-light.html': plain.replace('<head>',
        '<head><meta name="color-scheme" content="only light">')
    },
    surveys: {
      version: 1,
      surveys: [...surveys, {
        ...four[3], id: 'scheme', where: { pages: ['/page-*.html'] }
      }]
    }
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const middle = (box) => box.x + box.width / 2;
const inputs = (page) => dialog(page).locator('input:visible');
const press = (page) => dialog(page).locator('.go:visible');

// every control has its size, and lies in the card
async function measure(page, narrow) {
  const card = await dialog(page).boundingBox();

  for (const input of await inputs(page).all()) {
    const box = await input.boundingBox();

    assert.ok(box.height >= 44 && box.width >= (narrow ? 40 : 28),
              JSON.stringify(box));
    assert.ok(box.x >= card.x && box.x + box.width <= card.x + card.width);
  }

  for (const b of await dialog(page).getByRole('button').all()) {
    const box = await b.boundingBox();

    assert.ok(box.height >= 44 && box.width >= 28, JSON.stringify(box));
  }

  return card;
}

// from the question to the thanks: state(name) is called at each stop
async function walk(page, state) {
  const area = page.locator('textarea:visible');
  const options = await inputs(page).all();

  await state('1-asked');

  if (options.length) {
    await options[1].focus();
    await page.keyboard.press(await options[1].getAttribute('type') === 'radio'
      ? 'ArrowLeft' : 'Space');
  } else {
    await area.fill('It is long, and the list at its end');
  }

  await state('2-chosen');
  await press(page).click();

  for (let n = 3; n < 8; n++) {
    await sleep(450);           // the cell is seen, the card has grown
    const thanks = await page.locator('.end:visible').count();

    await state(`${n}-${thanks ? 'thanks' : 'more'}`);

    if (thanks) {
      return;
    }

    if (await area.count()) {
      await area.fill('It is long, and the list at its end');
    } else if (await inputs(page).count()) {
      await inputs(page).nth(1).click();
      continue;
    }

    await press(page).click();
  }
}

for (const [look, [options, list]] of Object.entries(looks)) {
  for (const { id } of list) {
    test(`${id}, ${look}`, async () => {
      const context = await newContext(browser,
                                       { reducedMotion: 'reduce', ...options });
      const page = await newPage(context, `${stack.url}/${id}.html`);
      const { width, height } = page.viewportSize();
      const right = look.startsWith('rtl');
      let before = 0;

      await dialog(page).waitFor();
      await sleep(60);
      await walk(page, async (state) => {
        await page.screenshot({
          path: join(shots, `${id}-${look}-${state}.png`)
        });
        const card = await measure(page, width <= 320);

        assert.ok(card.height >= before, 'never smaller than before');
        before = card.height;

        if (look !== 'forced') {
          assert.deepEqual(await axe(page), [], state);
        }

        if (width <= 460) {
          assert.deepEqual([card.x, card.width, card.y + card.height],
                           [0, width, height], 'a sheet');
        } else if (width > 470) {
          assert.equal(middle(card) > width / 2, !right);
        }

        if (state === '1-asked' && /nps$/.test(id)) {
          const boxes = await Promise.all((await inputs(page).all())
            .map((input) => input.boundingBox()));

          assert.equal(boxes.filter((b) => b.y === boxes[0].y).length,
                       width <= 460 ? 6 : 11);
          assert.equal(boxes[0].x > boxes[1].x, right);
        }
      });

      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth
        <= innerWidth), 'no sideways scrolling');
      assert.deepEqual(page.wrong, []);
      await context.close();
    });
  }
}

test('no jump in height from a score to its text', async () => {
  const context = await newContext(browser);
  const page = await newPage(context, `${stack.url}/nps.html`);

  await dialog(page).waitFor();
  await sleep(400);
  const { height } = await dialog(page).boundingBox();

  await choose(page, 3);
  await page.getByRole('textbox').last().waitFor();
  assert.ok(Math.abs((await dialog(page).boundingBox()).height - height) < 2);
  await context.close();
});

test('no layout shift, nothing in print', async () => {
  const context = await newContext(browser);
  const page = await newPage(context);

  await page.goto(`${stack.url}/nps.html`, { waitUntil: 'commit' });
  await page.evaluate(() => {
    window.shift = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((e) => {
      window.shift += e.hadRecentInput ? 0 : e.value;
    })).observe({ type: 'layout-shift', buffered: true });
  });
  await dialog(page).waitFor();
  await choose(page, 3);
  await page.getByRole('textbox').last().waitFor();
  await sleep(300);
  assert.equal(await page.evaluate(() => window.shift), 0);
  await page.emulateMedia({ media: 'print' });
  assert.equal(await dialog(page).isVisible(), false);
  await context.close();
});

test('things move, unless the visitor wants them still', async () => {
  for (const [reducedMotion, moves] of [['no-preference', 1], ['reduce', 0]]) {
    const context = await newContext(browser, { reducedMotion });
    const page = await newPage(context, `${stack.url}/psat.html`);

    await dialog(page).waitFor();
    assert.equal(await dialog(page).evaluate((box) =>
      getComputedStyle(box).animationName !== 'none'), Boolean(moves));
    await context.close();
  }
});

test('at 400 % zoom everything can be reached', async () => {
  const context = await newContext(browser, {
    viewport: { width: 320, height: 256 }, deviceScaleFactor: 4
  });
  const page = await newPage(context, `${stack.url}/nps.html`);

  await dialog(page).waitFor();
  await sleep(400);
  const card = await dialog(page).boundingBox();

  assert.ok(card.y >= 0 && card.height <= 256);
  await page.getByRole('button', { name: 'Do not ask again' })
    .scrollIntoViewIfNeeded();
  await page.screenshot({ path: join(shots, 'nps-zoom.png') });
  await page.getByRole('button', { name: 'Close' }).scrollIntoViewIfNeeded();
  await choose(page, 10);
  await stack.wait('answer', 1, (e) => e.score === '10');
  await context.close();
});

// what a page says of all that is in it, it says of the card's element, too
test('a page\'s style does not reach the card', async () => {
  const context = await newContext(browser, { reducedMotion: 'reduce' });
  const look = async (name) => {
    const page = await newPage(context, `${stack.url}/${name}.html`);

    await dialog(page).waitFor();
    const box = await dialog(page).boundingBox();
    const own = await page.locator('cx-survey').evaluate((host) => {
      const style = getComputedStyle(host);

      return ['position', 'zIndex', 'opacity', 'filter', 'fontSize',
        'letterSpacing'].map((name) => style[name]);
    });

    await page.emulateMedia({ media: 'print' });
    assert.equal(await dialog(page).isVisible(), false, `${name} printed`);
    await page.evaluate(() => localStorage.clear());
    return [box, own];
  };

  assert.deepEqual(await look('page-wild'), await look('page-light'));
  await context.close();
});

// a page that has only one scheme gets a card in it
for (const [scheme, colorScheme] of [['dark', 'light'], ['light', 'dark']]) {
  test(`a ${scheme} page of a visitor who prefers ${colorScheme}`, async () => {
    const context = await newContext(browser, { colorScheme });
    const page = await newPage(context, `${stack.url}/page-${scheme}.html`);

    await dialog(page).waitFor();
    const [red] = await dialog(page).evaluate((box) =>
      getComputedStyle(box).backgroundColor.match(/\d+/g).map(Number));

    assert.equal(red < 100, scheme === 'dark');
    await context.close();
  });
}
