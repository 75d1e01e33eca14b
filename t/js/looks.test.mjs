// What the card looks like, as screenshots below build/test-output; and the
// measures that can be checked: sizes, sides, no layout shift, no print.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  axe, choose, dialog, launch, newContext, newPage, shot
} from './lib/browser.mjs';
import { four, pagesOf, plain } from './lib/surveys.mjs';
import { Stack, sleep } from './lib/stack.mjs';

const phone = { viewport: { width: 320, height: 640 }, hasTouch: true,
                isMobile: true };

const looks = {
  light: {},
  dark: { colorScheme: 'dark' },
  phone,
  'phone-dark': { ...phone, viewport: { width: 390, height: 700 },
                  colorScheme: 'dark' },
  rtl: { rtl: true },
  forced: { forcedColors: 'active', colorScheme: 'dark' },
  wide: { viewport: { width: 461, height: 600 } }
};

// all four in the first three looks, two in the others
const shows = (look, id) =>
  ['light', 'dark', 'phone'].includes(look) || ['nps', 'psat'].includes(id);

const rtl = plain.replace('lang="en-GB"', 'lang="ar" dir="rtl"');

let stack, browser;

before(async () => {
  stack = await Stack.start({
    pages: {
      ...pagesOf(four),
      ...Object.fromEntries(four.map(({ id }) => [`rtl-${id}.html`, rtl]))
    },
    surveys: {
      version: 1,
      surveys: four.map((s) => ({
        ...s, where: { pages: [`/${s.id}.html`, `/rtl-${s.id}.html`] }
      }))
    }
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const middle = (box) => box.x + box.width / 2;

for (const [look, { rtl: right, ...options }] of Object.entries(looks)) {
  for (const { id } of four.filter((s) => shows(look, s.id))) {
    test(`${id}, ${look}`, async () => {
      const context = await newContext(browser,
                                       { reducedMotion: 'reduce', ...options });
      const page = await newPage(context,
        `${stack.url}/${right ? 'rtl-' : ''}${id}.html`);
      const { width, height } = page.viewportSize();

      await dialog(page).waitFor();
      await sleep(60);
      await shot(page, `${id}-${look}-1-score`);

      const card = await dialog(page).boundingBox();
      const radios = await page.getByRole('radio').all();
      const boxes = await Promise.all(radios.map((r) => r.boundingBox()));

      for (const box of boxes) {
        assert.ok(box.height >= 44 && box.width >= (width > 320 ? 28 : 40),
                  JSON.stringify(box));
        assert.ok(box.x >= card.x && box.x + box.width <= card.x + card.width);
      }

      for (const b of await dialog(page).getByRole('button').all()) {
        assert.ok((await b.boundingBox()).height >= 44);
      }

      assert.deepEqual([boxes[0].x > boxes.at(-1).x, middle(card) > width / 2],
        right ? [true, false]
          : [false, width > 470 ? true : middle(card) > width / 2]);

      if (width <= 460) {
        assert.deepEqual([card.x, card.width, card.y + card.height],
                         [0, width, height], 'a sheet');
      }

      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth
        <= innerWidth), 'no sideways scrolling');

      if (id === 'nps' && width <= 460) {
        assert.equal(boxes.filter((b) => b.y === boxes[0].y).length, 6);
      }

      await radios[1].focus();
      await page.keyboard.press('ArrowLeft');
      await shot(page, `${id}-${look}-2-chosen`);
      await page.keyboard.press('Enter');
      await page.getByRole('textbox', { name: /\?$/ }).waitFor();
      await page.keyboard.type('It is long, and the list at its end');
      assert.ok(Math.abs((await dialog(page).boundingBox()).height
                         - card.height) <= 24, 'height kept');
      await shot(page, `${id}-${look}-3-why`);

      if (look !== 'forced') {
        assert.deepEqual(await axe(page), []);
      }

      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByRole('dialog', { name: /Thank/ }).waitFor();
      await shot(page, `${id}-${look}-4-thanks`);
      await context.close();
    });
  }
}

test('no layout shift, nothing in print, reduced motion kept still',
     async () => {
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

test('at 400 % zoom everything can be reached', async () => {
  const context = await newContext(browser, {
    viewport: { width: 320, height: 256 }, deviceScaleFactor: 4
  });
  const page = await newPage(context, `${stack.url}/nps.html`);

  await dialog(page).waitFor();
  const card = await dialog(page).boundingBox();

  assert.ok(card.y >= 0 && card.height <= 256);
  await page.getByRole('button', { name: 'Don\u2019t ask again' })
    .scrollIntoViewIfNeeded();
  await shot(page, 'nps-zoom');
  await choose(page, 10);
  await stack.wait('answer', 1, (e) => e.score === '10');
  await context.close();
});
