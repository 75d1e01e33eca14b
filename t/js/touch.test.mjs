// pinch_zoom and dead_swipe, with fingers on a telephone.

import { cases, input, middle, one } from './lib/cases.mjs';
import { sleep } from './lib/stack.mjs';

// one finger from a point by so many px, in so many ms
async function swipe(page, { x, y }, [dx, dy = 0], ms = 120) {
  const send = await input(page);
  const sent = [];
  const touch = (type, part) => sent.push(send('dispatchTouchEvent', {
    type, touchPoints: type === 'touchEnd' ? []
      : [{ x: x + dx * part, y: y + dy * part }]
  }));

  touch('touchStart', 0);

  for (let i = 1; i <= 6; i++) {
    await sleep(ms / 6);
    touch('touchMove', i / 6);
  }

  touch('touchEnd');
  await Promise.all(sent);
}

const swiped = (selector, by, ms) => async (page) =>
  swipe(page, await middle(page, selector), by, ms);

// two fingers beside each other, which go apart or come together
const pinched = (selector, by) => async (page) => {
  const { x, y } = await middle(page, selector);
  const send = await input(page);
  const [from, to] = by > 1 ? [40, 40 * by] : [40 / by, 40];
  const touch = (type, half) => send('dispatchTouchEvent', {
    type, touchPoints: type === 'touchEnd' ? []
      : [{ x: x - half, y, id: 0 }, { x: x + half, y, id: 1 }]
  });

  await touch('touchStart', from);

  for (let i = 1; i <= 10; i++) {
    await sleep(20);
    await touch('touchMove', from + (to - from) * i / 10);
  }

  await touch('touchEnd');
};

const scale = (page) => page.evaluate(() => visualViewport.scale);

// proves that the gesture did what it was meant to do
const zoomed = (selector, by) => async (page) => {
  await pinched(selector, by)(page);

  if (await scale(page) < 1.2) {
    throw new Error(`not zoomed: ${await scale(page)}`);
  }
};

const struggles = {
  'text that is too small': [zoomed('#text', 2), one('pinch_zoom', 'p#text')],
  'zoomed, and back, and again': [async (page) => {
    await zoomed('#text', 2)(page);
    await sleep(300);
    await pinched('#text', 0.3)(page);
    await sleep(300);
    await zoomed('#text', 2)(page);
  }, one('pinch_zoom', 'p#text', 2)],
  'a gallery that is none': [swiped('#gallery', [-150]),
    one('dead_swipe', 'img')],
  'to the other side': [swiped('#text', [150]), one('dead_swipe', 'p#text')],
  'swiped twice': [async (page) => {
    await swiped('#text', [-150])(page);
    await sleep(1300);
    await swiped('#text', [-150])(page);
  }, one('dead_swipe', 'p#text', 2)]
};

const innocent = {
  'a picture that is zoomed': zoomed('#photo img', 2),
  'a map with a zoom of its own': pinched('#map', 2),
  'zoomed a little': pinched('#text', 1.1),
  'made smaller': pinched('#text', 0.5),
  'zoomed by the browser': async (page) => {
    const cdp = await page.context().newCDPSession(page);

    await cdp.send('Emulation.setPageScaleFactor', { pageScaleFactor: 2 });
  },
  'ignored': async (page) => {
    await swiped('#private', [-150])(page);
    await sleep(1200);
    await zoomed('#private', 2)(page);
  },
  'a strip that scrolls': swiped('#strip', [-150]),
  'a strip at its end': async (page) => {
    await page.evaluate(() => strip.scrollTo(900, 0));
    await sleep(200);
    await swiped('#strip', [-150])(page);
  },
  'slides that follow the finger': swiped('#slides', [-150]),
  'a page that turns': swiped('#steps', [-150]),
  'a range': swiped('#range', [60]),
  'a canvas': swiped('#canvas', [-150]),
  'from the edge': (page) => swipe(page, { x: 8, y: 200 }, [200]),
  'up and down': async (page) => {
    await swiped('#text', [0, -150])(page);
    await swiped('#text', [20, 100])(page);
  },
  'askew': swiped('#photo', [90, -110]),
  'a little to the side': swiped('#text', [40]),
  'a finger that rests and drags': swiped('#text', [-150], 1500),
  'a page that is zoomed, moved': async (page) => {
    await zoomed('#photo img', 2)(page);
    await swiped('#text', [-150])(page);
  },
  'text that is selected': async (page) => {
    await page.evaluate(() => getSelection().selectAllChildren(text));
    await swiped('#text', [-150])(page);
  },
  'taps': async (page) => {
    await page.tap('#text');
    await page.tap('#button');
    await page.tap('#button');
  }
};

cases({
  html: 'touch.html', struggles, innocent, secret: /Words|First|Page/,
  wait: 1600, atOnce: 4, options: {
    viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true
  }
});
