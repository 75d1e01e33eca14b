// Controls that people use fast, or that answer where no script can see it:
// nothing here may raise a signal of any kind.

import { cases, input, middle } from './lib/cases.mjs';
import { sleep } from './lib/stack.mjs';

// n clicks with a person's fast hand, each with its own press and release
const clicks = (selector, n, { x = 0, y = 0, step = 0, ms = 90 } = {}) =>
  async (page) => {
    const at = await middle(page, selector);

    for (let i = 0; i < n; i++) {
      await page.mouse.click(at.x + x + i * step, at.y + y);
      await sleep(ms);
    }
  };

async function drag(page, from, to, steps = 8) {
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(to.x, to.y, { steps });
  await page.mouse.up();
}

const innocent = {
  'double click to select': (page) => page.dblclick('#word'),
  'triple click to select': (page) => page.click('#text', { clickCount: 3 }),
  'select by dragging, and copy': async (page) => {
    const at = await middle(page, '#text');

    await drag(page, { x: at.x - 200, y: at.y }, { x: at.x + 200, y: at.y });
    await page.keyboard.press('Control+c');
  },
  'select again and again': async (page) => {
    const at = await middle(page, '#text');

    for (let i = 0; i < 4; i++) {
      await drag(page, { x: at.x - 200, y: at.y },
                 { x: at.x + i * 30, y: at.y }, 3);
    }
  },
  'stepper': clicks('#plus', 9),
  'stepper up and down': async (page) => {
    await clicks('#plus', 5)(page);
    await clicks('#less', 5)(page);
  },
  'number stepper': async (page) => {
    const { width } = await middle(page, '#spin');

    await page.hover('#spin');
    await clicks('#spin', 6, { x: width / 2 - 8, y: -5 })(page);
  },
  'slider, dragged to and fro': async (page) => {
    const at = await middle(page, '#slider');

    await page.mouse.move(at.x, at.y);
    await page.mouse.down();

    for (let i = 0; i < 12; i++) {
      await page.mouse.move(at.x + (i % 2 ? 200 : -200), at.y, { steps: 3 });
    }

    await page.mouse.up();
  },
  'slider, clicked': clicks('#slider', 5, { step: 3 }),
  'calendar pager': async (page) => {
    await clicks('#next', 12, { ms: 60 })(page);
    await clicks('#prev', 6, { ms: 60 })(page);
  },
  // next moves away from under the pointer when the month's name is a short one
  'calendar pager, in no hurry': clicks('#next', 18, { ms: 230 }),
  'calendar pager on a slow device': async (page) => {
    const cdp = await page.context().newCDPSession(page);

    await cdp.send('Emulation.setCPUThrottlingRate', { rate: 6 });
    await clicks('#next', 16, { ms: 60 })(page);
    await clicks('#prev', 6, { ms: 60 })(page);
  },
  'a stepper that takes its time, to its end': async (page) => {
    const { x, y } = await middle(page, '#heavy');
    const sent = [];

    // at a person's pace, whatever the machine's is
    for (let i = 0; i < 6; i++) {
      sent.push(page.mouse.click(x, y));
      await sleep(300);
    }

    await Promise.all(sent);
  },
  'a stepper of a field, in no hurry, to its end and on':
    clicks('#sell', 10, { ms: 260 }),
  'video, played and scrubbed': async (page) => {
    const at = await middle(page, '#video');

    await page.mouse.click(at.x - 130, at.y);
    await drag(page, { x: at.x - 20, y: at.y }, { x: at.x + 60, y: at.y });
    await clicks('#video', 6, { step: 4 })(page);
  },
  'a scrubber of its own': clicks('#scrub', 6, { step: 5 }),
  'mute': clicks('#mute', 4),
  'canvas game: clicks': clicks('#game', 12, { ms: 50, step: 2 }),
  'canvas game: the mouse steers': async (page) => {
    const at = await middle(page, '#game');

    for (let i = 0; i < 24; i++) {
      await page.mouse.move(at.x + (i % 2 ? 140 : -140), at.y, { steps: 3 });
    }
  },
  'canvas game: out of it and in again': async (page) => {
    const at = await middle(page, '#game');

    for (let i = 0; i < 24; i++) {
      await page.mouse.move(at.x + (i % 2 ? 290 : -150), at.y, { steps: 4 });
    }
  },
  'canvas game: a button beside it': clicks('#turn', 6),
  'editor: clicks and typing': async (page) => {
    await clicks('#editor', 5)(page);
    await page.keyboard.type('more text');
  },
  'editor: bold': async (page) => {
    await page.dblclick('#editor');
    await clicks('#bold', 4)(page);
  },
  'drag and drop': async (page) => {
    await page.dragAndDrop('#three', '#one');
    await page.dragAndDrop('#two', '#three');
  },
  'a card, moved by pointer events': async (page) => {
    const at = await middle(page, '#card');

    for (let i = 0; i < 5; i++) {
      await drag(page, { x: at.x, y: at.y }, { x: at.x + 400, y: at.y }, 4);
      await drag(page, { x: at.x + 400, y: at.y }, { x: at.x, y: at.y }, 4);
    }
  },
  'checkbox that only style shows': clicks('.styled label', 5),
  'toggle in a closed shadow root': clicks('closed-box', 6),
  'file picker by its label': (page) => Promise.all([
    page.waitForEvent('filechooser'), page.click('.upload')]),
  'link in a new tab': (page) => page.click('#tab'),
  'link in a new tab, by the wheel': (page) =>
    page.click('#here', { button: 'middle' }),
  'link in a new tab, by a key': (page) =>
    page.click('#here', { modifiers: ['Control'] }),
  'mail': (page) => page.click('#mail'),
  'download, twice': async (page) => {
    await page.click('#file');
    await sleep(500);
    await page.click('#file');
  },
  'confirm': (page) => {
    page.on('dialog', (dialog) => sleep(400).then(() => dialog.accept()));
    return clicks('#confirm', 2)(page);
  },
  'a tone': clicks('#tone', 3),
  'a worker that takes its time': clicks('#work', 1),
  'print': (page) => page.click('#print'),
  'print, by the menu': (page) => page.pdf(),
  'browser zoom': async (page) => {
    const cdp = await page.context().newCDPSession(page);

    for (const by of [1.25, 1.5, 2, 1]) {
      await cdp.send('Emulation.setDeviceMetricsOverride', {
        width: Math.round(1000 / by), height: Math.round(700 / by),
        deviceScaleFactor: by, mobile: false
      });
      await sleep(150);
    }
  },
  'browser zoom, by wheel and keys': async (page) => {
    const send = await input(page);

    await page.mouse.move(300, 300);

    for (let i = 0; i < 5; i++) {
      await page.keyboard.press('Control+Equal');
      await send('dispatchMouseEvent', {
        type: 'mouseWheel', x: 300, y: 300, deltaX: 0, deltaY: -120,
        modifiers: 2
      });
    }
  },
  'data-cx-ignore': clicks('#ignored', 6),
  'keyboard only': async (page) => {
    for (let i = 0; i < 14; i++) {
      await page.keyboard.press('Tab');
      await page.keyboard.press('ArrowDown');
    }

    await page.focus('#ignored');
    await page.keyboard.press('Enter');
    await page.focus('#plus');

    for (let i = 0; i < 6; i++) {
      await page.keyboard.press('Space');
    }

    for (const key of ['PageDown', 'End', 'Home', 'Space', 'Home']) {
      await page.keyboard.press(key);
    }
  }
};

cases({
  html: 'widgets.html', innocent, secret: /plain words|rich|Upload|a@b/,
  options: { permissions: ['clipboard-write', 'clipboard-read'] }
});

// Chromium asks before it calls.  A page that is left under that question goes
// to the back-forward cache, is refused there, and its process may be ended
// before its listeners of pagehide have run: no script can tell of it.  Out of
// that cache, pagehide comes first.
cases({
  html: 'widgets.html', cached: false, secret: /plain words|rich|Upload|a@b/,
  innocent: { 'telephone': (page) => page.click('#phone') }
});
