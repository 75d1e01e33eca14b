// thrash_cursor, scroll_thrash, excessive_scroll: mouse and wheel that go to
// and fro, and people who read, look and wander.

import { cases, input, middle, one } from './lib/cases.mjs';
import { sleep } from './lib/stack.mjs';

// the mouse at these points, one each ms: a page that is slow sees the last
async function move(page, points, ms = 50, type = 'mouseMoved') {
  const send = await input(page);
  const sent = [];

  for (const [x, y] of points) {
    sent.push(send('dispatchMouseEvent', { type, x, y }));
    await sleep(ms);
  }

  await Promise.all(sent);
}

// n sweeps along a line, each in three steps
const sweeps = (n, [x, y], [dx, dy]) =>
  Array.from({ length: 3 * n }, (_, i) => {
    const part = (Math.floor(i / 3) % 2 ? 3 - i % 3 : i % 3) / 3;

    return [x + dx * part, y + dy * part];
  });

const over = (selector, n, [dx, dy], ms) => async (page) => {
  const { x, y } = await middle(page, selector);

  await move(page, sweeps(n, [x - dx / 2, y - dy / 2], [dx, dy]), ms);
};

// turns of the wheel, of so many px
async function wheel(page, steps, ms = 250) {
  const send = await input(page);

  for (const deltaY of steps) {
    await send('dispatchMouseEvent', {
      type: 'mouseWheel', x: 500, y: 400, deltaX: 0, deltaY
    });
    await sleep(ms);
  }
}

const repeat = (n, ...steps) => Array.from({ length: n }, () => steps).flat();

const struggles = {
  'shaken to and fro': [over('#lead', 14, [300, 0], 25),
    one('thrash_cursor', 'p#lead')],
  'shaken up and down': [
    (page) => move(page, sweeps(14, [500, 420], [0, 240]), 25),
    one('thrash_cursor', 'p#s1')],
  'a slanting shake is one': [
    (page) => move(page, sweeps(20, [300, 420], [260, 200]), 25),
    one('thrash_cursor', 'p#s1')],
  'shaken twice': [async (page) => {
    await over('#lead', 14, [300, 0], 25)(page);
    await sleep(2500);
    await over('#lead', 14, [300, 0], 25)(page);
  }, one('thrash_cursor', 'p#lead', 2)],
  'scrolled to and fro': [
    (page) => wheel(page, [600, ...repeat(4, 500, -500)], 300),
    one('scroll_thrash')],
  'scrolled far': [(page) => wheel(page, [
    ...repeat(2, ...repeat(10, 700), ...repeat(10, -700)),
    ...repeat(12, 700)], 160), one('excessive_scroll')],
  'a timer that fails': [async (page) => {
    await page.evaluate(() => poll());
    await sleep(2000);
  }, one('js_error')],
  'a page that fails all the time blames no click': [async (page) => {
    await page.evaluate(() => broken());
    await sleep(400);
    await page.click('#lead');
    await page.click('#nav');
  }, one('js_error', '', 5)]
};

const innocent = {
  'reading with the mouse': async (page) => {
    const { y } = await middle(page, '#s1');

    for (let line = 0; line < 9; line++) {
      await page.mouse.move(20, y - 200 + 20 * line);
      await page.mouse.move(600, y - 200 + 20 * line, { steps: 12 });
      await sleep(900);
    }
  },
  'wandering about': async (page) => {
    for (const [x, y] of [[900, 20], [40, 600], [500, 300], [60, 40],
      [700, 500], [200, 90]]) {
      await page.mouse.move(x, y, { steps: 8 });
      await sleep(200);
    }
  },
  'a tremor': (page) =>
    move(page, sweeps(40, [400, 500], [60, 40]), 15),
  'a shake that is too short': over('#lead', 6, [300, 0], 25),
  'a shake that is too slow': over('#lead', 12, [300, 0], 130),
  'shaken with a button down': async (page) => {
    const { x, y } = await middle(page, '#s1');

    await page.mouse.move(x, y);
    await page.mouse.down();

    for (let i = 0; i < 14; i++) {
      await page.mouse.move(x + (i % 2 ? 150 : -150), y, { steps: 2 });
    }

    await page.mouse.up();
  },
  'over a canvas': over('#canvas', 14, [260, 0], 25),
  'over a picture that a lens is on': over('#photo', 14, [260, 0], 25),
  'over a text field': over('#area', 14, [200, 0], 25),
  'over what is ignored': over('#private', 14, [300, 0], 25),
  'between clicks': async (page) => {
    for (let i = 0; i < 4; i++) {
      await over('#lead', 4, [300, 0], 20)(page);
      await page.click('#lead');
    }
  },
  'between quick clicks': async (page) => {
    const { x, y } = await middle(page, '#lead');
    const send = await input(page);
    const sent = [];

    for (let i = 0; i < 5; i++) {
      for (const [type, by] of [['mousePressed', 0], ['mouseReleased', 0],
        ['mouseMoved', 60], ['mouseMoved', 150], ['mouseMoved', 60]]) {
        sent.push(send('dispatchMouseEvent', {
          type, x: x + by, y, button: by ? 'none' : 'left', clickCount: 1
        }));
        await sleep(20);
      }
    }

    await Promise.all(sent);
  },
  'a long read': (page) => wheel(page, repeat(14, 300), 350),
  'a read with looks back': (page) => wheel(page, [
    ...repeat(4, 400), -300, ...repeat(4, 400), -400, ...repeat(4, 400)], 400),
  'read, and up again': (page) => wheel(page, [
    ...repeat(8, 600), ...repeat(8, -600)], 150),
  'by keys': async (page) => {
    await page.click('#lead');

    for (const key of ['Space', 'Space', 'PageDown', 'End', 'Home', 'Space']) {
      await page.keyboard.press(key);
      await sleep(400);
    }
  },
  'a list that never ends': async (page) => {
    await page.evaluate(() => endless());
    await wheel(page, repeat(40, 700), 100);
  },
  'what was said before, put on top': async (page) => {
    await page.evaluate(() => history_());
    await wheel(page, [600, ...repeat(20, -500)], 180);
    return { but: 'layout_shift' };     // the page does shift
  },
  'a short page, to and fro a little': async (page) => {
    await page.evaluate(() => fill(1));
    await wheel(page, repeat(10, 200, -200), 200);
  },
  'a list of contents': async (page) => {
    await page.click('a[href="#s4"]');
    await sleep(900);
    await page.click('a[href="#s1"]');
    await sleep(900);
    await page.click('a[href="#s4"]');
  },
  'a page that scrolls by itself': async (page) => {
    await page.evaluate(() => shake());
    await sleep(3000);
  },
  'ignored as a whole': async (page) => {
    await page.evaluate(() => document.body.setAttribute('data-cx-ignore', ''));
    await wheel(page, [600, ...repeat(5, 500, -500)], 300);
    await over('#lead', 14, [300, 0], 25)(page);
  }
};

cases({
  html: 'moves.html', struggles, innocent, secret: /Words|Section|poll/,
  wait: 900, atOnce: 4
});
