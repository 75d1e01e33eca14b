// What people do in the cases of second.test.mjs, with real input.  {name:
// {page: section of t/js/pages/second-*.html, act (page), told, may, ...}}

import { input, middle } from './cases.mjs';
import { sleep } from './stack.mjs';

const phone = {
  viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true
};

// n clicks, one every gap ms, as fast as the hand is and not the machine;
// jitter: px to the side of each other one
async function burst(page, selector, n, { gap = 130, jitter = 0 } = {}) {
  const { x, y } = await middle(page, selector);
  const send = await input(page);
  const sent = [];

  for (let i = 0; i < n; i++) {
    for (const type of ['mousePressed', 'mouseReleased']) {
      sent.push(send('dispatchMouseEvent', {
        type, x: x + (i % 2) * jitter, y, button: 'left', clickCount: i + 1
      }));
    }

    await sleep(gap);
  }

  await Promise.all(sent);
}

// the mouse along points, ms between them
async function along(page, points, ms = 60, pressed = false) {
  const [first] = points;

  await page.mouse.move(...first);

  if (pressed) {
    await page.mouse.down();
  }

  const sent = [];
  let [from] = points;

  for (const to of points.slice(1)) {
    for (let i = 1; i <= 3; i++) {
      await sleep(ms / 3);
      sent.push(page.mouse.move(from[0] + (to[0] - from[0]) * i / 3,
                                from[1] + (to[1] - from[1]) * i / 3));
    }

    from = to;
  }

  await Promise.all(sent);

  if (pressed) {
    await page.mouse.up();
  }
}

const times = async (n, what) => {
  for (let i = 0; i < n; i++) {
    await what(i);
  }
};

const wheel = async (page, n, dy, ms) => times(n, async () => {
  await page.mouse.wheel(0, dy);
  await sleep(ms);
});

// fingers: each a list of points, all of the same length
async function fingers(page, paths, ms = 150) {
  const send = await input(page);
  const steps = paths[0].length;
  const sent = [];

  for (let i = 0; i < steps; i++) {
    sent.push(send('dispatchTouchEvent', {
      type: i ? 'touchMove' : 'touchStart',
      touchPoints: paths.map((path, id) => ({
        x: path[i][0], y: path[i][1], id
      }))
    }));
    await sleep(ms / steps);
  }

  sent.push(send('dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] }));
  await Promise.all(sent);
}

const line = ([x, y], [dx, dy], n = 8) =>
  Array.from({ length: n }, (_, i) =>
    [x + dx * i / (n - 1), y + dy * i / (n - 1)]);

async function pinch(page, selector, by) {
  const { x, y } = await middle(page, selector);
  const half = 40;

  await fingers(page, [
    line([x - half, y], [-half * (by - 1), 0], 12),
    line([x + half, y], [half * (by - 1), 0], 12)
  ], 400);
}

const swipe = async (page, selector, dx, dy = 0) => {
  const { x, y } = await middle(page, selector);

  await fingers(page, [line([x - dx / 2, y], [dx, dy])]);
};

const click = (page, selector, act = (p) => p.click(selector)) =>
  ({ page, act });

const apps = {
  'a date range with fast paging': { page: 'app/dates', act: async (page) => {
    await burst(page, '#next', 8);
    await burst(page, '#prev', 3);
    await page.click('#d10');
    await page.click('#d15');
  } },
  'paging back past the first month': {
    page: 'app/dates', act: (page) => burst(page, '#prev', 5)
  },
  'tags': { page: 'app/tags', act: async (page) => {
    for (const text of ['zebra', 'ape', 'cat', 'dog', 'eel']) {
      await page.fill('#tag', '');
      await page.type('#tag', text);
      await page.keyboard.press('Enter');
    }
    await burst(page, '.x >> nth=0', 4);
  } },
  'stars': { page: 'app/stars', act: async (page) => {
    await burst(page, 'label[for=s3]', 5);
    await burst(page, 'label[for=s1]', 1);
    await burst(page, 'label[for=s3]', 1);
  } },
  'a carousel to its end': { page: 'app/carousel', act: async (page) => {
    await burst(page, '#on', 7);
    await page.click('.dot >> nth=1');
    await page.click('.dot >> nth=0');
  } },
  'accordions': { page: 'app/accordion', act: async (page) => {
    for (const id of ['#a1', '#a2', '#a1', '#m1', '#m2', '#m2']) {
      await page.click(id);
      await sleep(150);
    }
  } },
  'tabs that are radios': { page: 'app/tabs', act: async (page) => {
    await page.click('#l2');
    await page.click('#l1');
    await burst(page, '#l2', 5);
  } },
  'a double click on a tab': { page: 'app/twice',
    act: (page) => page.dblclick('#near', { delay: 40 }) },
  'tooltips': { page: 'app/tips', act: async (page) => {
    await page.hover('#q1');
    await sleep(400);
    await page.click('#q1');
    await page.hover('#q2');
    await page.click('#q2');
  } },
  'rows that are dragged': { page: 'app/reorder', act: async (page) => {
    await page.dragAndDrop('#i1', '#i3');
    await page.dragAndDrop('#i3', '#i2');
  } },
  'a handle taken and put back': { page: 'app/handles',
    act: async (page) => {
      const { x, y } = await middle(page, '#handle');
      await times(3, () =>
        along(page, [[x, y], [x, y + 40], [x, y - 40], [x, y]], 40, true));
    } },
  'a split pane': { page: 'app/split', act: async (page) => {
    const { x, y } = await middle(page, '#bar');
    const points = Array.from({ length: 13 }, (_, i) =>
      [x + (i % 2 ? 250 : 0), y]);
    await along(page, points, 30, true);
  } },
  'a colour picker': { page: 'app/colour', act: async (page) => {
    const { x, y } = await middle(page, '#field');
    await along(page, [[x, y], [x + 50, y + 40], [x - 60, y]], 60, true);
    await page.mouse.click(x + 20, y + 20);
    await page.click('#thumb');
  } },
  'files that are dropped': { page: 'app/drop', act: async (page) => {
    const { x, y } = await middle(page, '#zone');
    const send = await input(page);
    const data = {
      items: [], files: ['/etc/hostname'], dragOperationsMask: 1
    };
    for (const type of ['dragEnter', 'dragOver', 'drop']) {
      await send('dispatchDragEvent', { type, x, y, data });
    }
    await page.waitForFunction(() => /1 file/.test(zone.textContent));
  } },
  'files chosen, then not': { page: 'app/drop', act: async (page) => {
    page.on('filechooser', () => {});
    await page.click('#zone');
    await sleep(3200);
    await page.click('#zone');
  } },
  'an editor in a frame': { page: 'app/editor', act: async (page) => {
    const { x, y } = await middle(page, '#frame');
    await page.mouse.click(x, y);
    await page.mouse.click(x - 150, y - 70, { clickCount: 3 });
    await page.click('#bold');
    await page.frameLocator('#frame').locator('b').waitFor();
    await page.keyboard.press('End');
    await page.keyboard.type(' zebra');
    await burst(page, '#frame', 5);
  } },
  'a list that draws what is seen': { page: 'app/virtual',
    act: async (page) => {
      await page.mouse.move(300, 200);
      await wheel(page, 10, 900, 60);
      await page.mouse.click(300, 200);
      await sleep(300);
      await wheel(page, 3, -500, 60);
      await page.mouse.click(300, 260);
    } },
  'an answer 800 ms after the last click': { page: 'app/debounce',
    act: (page) => burst(page, '#plus', 3, { gap: 250 }) },
  'like and unlike': { page: 'app/like',
    act: (page) => burst(page, '#heart', 6) },
  'only the title answers': click('app/head', '#title'),
  'only the icon answers': click('app/head', '#icon'),
  'only vibration answers': click('app/felt', '#buzz'),
  'a drum of Web Audio': { page: 'app/felt',
    act: (page) => burst(page, '#beep', 5) },
  'a socket answers': click('app/live', '#ask'),
  'news answer': click('app/live', '#vote'),
  'a worker answers': click('app/live', '#count'),
  'a service worker answers': { page: 'app/live', act: async (page) => {
    await page.waitForFunction(() => navigator.serviceWorker.controller);
    await page.click('#cached');
  } },
  'a link out of a frame': { page: 'app/frame', act: (page) =>
    page.frameLocator('#inner').locator('#out').click() },
  'a file that is made here': { page: 'app/export', act: async (page) => {
    const file = page.waitForEvent('download');
    await page.click('#csv');
    await file;
  } },
  'the next page after 1500 ms': click('app/go', '#go-on'),
  'night by a style sheet': { page: 'app/theme',
    act: (page) => burst(page, '#night', 5) },
  'full screen': { page: 'app/theme', wait: 500, act: async (page) => {
    await page.click('#full');
    await sleep(3300);
    await page.evaluate(() => document.exitFullscreen());
  } },
  'a chart that is zoomed': { page: 'app/chart',
    act: (page) => burst(page, '#zoom', 5) },
  'beside a dialog': { page: 'app/modal', act: async (page) => {
    await page.click('#open');
    await burst(page, '#veil', 2);
    await page.mouse.click(900, 600);
    await page.click('#h');
    await page.click('#close');
  } },
  'text copied from a card': { page: 'app/card', act: async (page) => {
    const { x, y } = await middle(page, '#sku');
    await along(page, [[x - 150, y], [x, y], [x + 100, y]], 50, true);
    await page.keyboard.press('Control+c');
  } },
  'a preview that is passed by': { page: 'app/preview', act: (page) =>
    along(page, [[500, 400], [100, 60], [500, 400], [100, 60], [500, 400]],
          200) },
  'a text area that grows': { page: 'app/resize', act: async (page) => {
    await sleep(500);
    await page.click('#grow');
  } },
  'a map': { page: 'app/map', act: async (page) => {
    const { x, y } = await middle(page, '#world');
    const points = Array.from({ length: 13 }, (_, i) =>
      [x + (i % 2 ? 180 : 0), y]);
    await along(page, points, 40, true);
    await wheel(page, 6, -100, 80);
    await wheel(page, 6, 100, 80);
    await page.mouse.dblclick(x, y);
    await page.mouse.click(x + 30, y);
  } },
  'a drawing': { page: 'app/board', act: async (page) => {
    await along(page, Array.from({ length: 24 }, (_, i) =>
      [i % 2 ? 500 : 60, 50 + i * 10]), 30, true);
    await page.mouse.click(300, 200);
  } },
  'a game with a mouse': { page: 'app/game', act: async (page) => {
    await along(page, Array.from({ length: 26 }, (_, i) =>
      [i % 2 ? 600 : 100, 300]), 30);
    await page.mouse.click(300, 200);
    await times(12, (i) => page.keyboard.press('wasd'[i % 4]));
    await burst(page, '#arena', 6);
  } }
};

const forms = {
  'a login that was filled in': { page: 'forms/login', wait: 600,
    act: async (page) => {
    await page.evaluate(() => { mail.value = word.value = 'zebra'; });
    await page.focus('#word');
    await page.keyboard.press('Enter');
  } },
  'a password that is shown': { page: 'forms/login', wait: 600,
    act: async (page) => {
    await page.type('#mail', 'zebra');
    await page.type('#word', 'zebra');
    await burst(page, '#eye', 5);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
  } },
  'a form that a script sends': { page: 'forms/fetched',
    act: async (page) => {
      await page.type('#name', 'zebra');
      await page.type('#words', 'zebra zebra');
      await page.click('#send');
    } },
  'steps of one form': { page: 'forms/wizard', wait: 600,
    act: async (page) => {
    await page.click('#next-one');
    await page.type('#first', 'zebra');
    await page.click('#next-one');
    await page.click('#next-two');
    await page.type('#second', 'zebra');
    await page.click('#next-two');
    await page.type('#third', 'zebra');
    await page.click('#done');
  } },
  'a form that is cleared': { page: 'forms/reset', act: async (page) => {
    await page.type('#a', 'zebra');
    await page.focus('#b');
    await page.keyboard.press('ArrowDown');
    await page.click('#clear');
  } },
  'search while one types': { page: 'forms/suggest', wait: 600,
    act: async (page) => {
    await page.click('#query');
    await page.keyboard.type('zebra', { delay: 90 });
    await page.click('#hit');
  } },
  'search in a form while one types': { page: 'forms/search-form', wait: 600,
    act: async (page) => {
      await page.click('#query');
      await page.keyboard.type('zebra', { delay: 90 });
      await page.click('#hit');
    } },
  'filters that act at once': { page: 'forms/filters', wait: 600,
    act: async (page) => {
    await page.check('#red');
    await page.focus('#sort');
    await page.keyboard.press('ArrowDown');
    await sleep(500);
    await page.click('#hit');
  } },
  'a box that is ticked after 2 s': { page: 'forms/robot',
    act: async (page) => {
      await page.click('#human');
      await sleep(700);
      await page.click('#human');
    } },
  'a code of four digits': { page: 'forms/otp', wait: 600,
    act: async (page) => {
    await page.click('#c1');
    await page.keyboard.type('4711', { delay: 120 });
  } },
  'numbers by wheel and arrows': { page: 'forms/number',
    act: async (page) => {
      const box = await page.locator('#n').boundingBox();
      await page.click('#n');
      await wheel(page, 4, -100, 60);
      await times(7, () =>
        page.mouse.click(box.x + 90, box.y + 6, { delay: 30 }));
      await burst(page, '#more', 6);
      await burst(page, '#less', 6);
      await page.click('#ok');
    } },
  'a stepper at its least': { page: 'forms/number',
    act: (page) => burst(page, '#less', 5) },
  'only keys, errors put right at once': { page: 'forms/keys', wait: 600,
    act: async (page) => {
      await page.keyboard.press('Tab');
      await page.keyboard.type('zebra', { delay: 40 });
      await page.keyboard.press('Tab');
      await page.keyboard.type('zebra', { delay: 40 });
      await page.keyboard.press('Enter');
      await sleep(800);
      await page.keyboard.type('@zebra.test', { delay: 40 });
      await page.keyboard.press('Tab');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Space');
      await page.keyboard.press('Enter');
    } },
  'a form in a dialog': { page: 'forms/dialog', act: async (page) => {
    await page.click('#open');
    await page.type('#n', 'zebra');
    await page.click('#ok');
  } },
  'a field that is left for later': { page: 'forms/login', long: 12,
    wait: 600, act: async (page) => {
      await page.click('#mail');
      await sleep(500);
      await page.click('#word');
      await page.keyboard.type('zebra', { delay: 60 });
      await sleep(10500);
      await page.click('#mail');
      await page.keyboard.type('zebra');
      await page.keyboard.press('Enter');
    } },
  'a page that focuses its field by itself': { page: 'forms/auto',
    long: 12, wait: 600, act: async (page) => {
      await sleep(11000);
      await page.keyboard.type('zebra');
      await page.keyboard.press('Enter');
    } }
};

const reading = {
  'a long text, read again': { long: 12, page: 'read/article', wait: 600,
    act: async (page) => {
    await page.mouse.move(400, 300);
    await wheel(page, 4, 500, 250);
    await wheel(page, 1, -500, 2500);
    await wheel(page, 3, 500, 800);
    await wheel(page, 2, -500, 1300);
    await wheel(page, 6, 500, 150);
    await page.keyboard.press('Home');
    await sleep(2000);
  } },
  'the mouse follows the lines': { page: 'read/article', wait: 600,
    act: (page) =>
    along(page, Array.from({ length: 12 }, (_, i) =>
      [i % 2 ? 700 : 60, 100 + i * 20]), 380) },
  'a feed without end': { page: 'read/feed', wait: 600,
    act: async (page) => {
    await page.mouse.move(400, 300);
    await wheel(page, 30, 700, 90);
  } },
  'sections that snap': { page: 'read/snap', wait: 600,
    act: async (page) => {
    await page.mouse.move(400, 300);
    await wheel(page, 3, 700, 900);
    await wheel(page, 3, -700, 700);
  } },
  'things that move with the page': { page: 'read/parallax', wait: 600,
    act: async (page) => {
      await page.mouse.move(400, 300);
      await wheel(page, 8, 300, 60);
      await along(page, Array.from({ length: 7 }, (_, i) =>
        [i % 2 ? 700 : 100, 300]), 60);
    } },
  'the link to the page itself': { page: 'read/menu', leaves: 2,
    act: (page) => page.click('#self') },
  'back after 12 s': { page: 'read/menu', long: 13, leaves: 3, alone: true,
    wait: 1500,
    act: async (page) => {
      await page.click('#to');
      await page.waitForSelector('#back');
      await sleep(12000);
      await page.click('#back');
      await page.waitForSelector('#to');
    } },
  'pages of a list, and back': { page: 'read/menu', leaves: 3,
    alone: true, wait: 1500,
    act: async (page) => {
      await page.click('#two');
      await page.waitForURL(/page=2/);
      await sleep(1000);
      await page.goBack({ waitUntil: 'commit' });
    } }
};

const touches = {
  'a photo of the background': { page: 'touch/photo', wait: 1600,
    act: (page) => pinch(page, '#picture', 2) },
  'text a little larger': { page: 'touch/words', wait: 1600,
    act: (page) => pinch(page, '#text', 1.12) },
  'a phone that is turned': { page: 'touch/words', wait: 1600,
    act: async (page) => {
    await fingers(page, [line([180, 600], [0, -300])]);
    await sleep(600);
    await page.setViewportSize({ width: 740, height: 360 });
    await sleep(800);
    await page.setViewportSize({ width: 360, height: 740 });
  } },
  'pulled to be new': { page: 'touch/pull', wait: 1600,
    act: (page) =>
    fingers(page, [line([180, 150], [30, 300])], 400) },
  'swiped between tabs': { page: 'touch/swipes', wait: 1600,
    act: async (page) => {
    await swipe(page, '#tab', -180);
    await sleep(400);
    await swipe(page, '#tab', 180, 20);
  } },
  'a long press': { page: 'touch/press', act: (page) =>
    fingers(page, [Array(8).fill([180, 150])], 900) },
  'a drawer': { page: 'touch/drawer', act: async (page) => {
    await page.tap('#open');
    await sleep(400);
    await page.tap('#open');
  } }
};

export const innocent = Object.fromEntries(
  [...Object.entries({ ...apps, ...forms, ...reading }),
   ...Object.entries(touches).map(([name, thing]) =>
     [name, { ...thing, options: phone }])]);

export const struggles = {
  'a button that was never wired': { page: 'bad/hydrate',
    told: { rage_click: 1 }, may: ['dead_click'],
    act: (page) => burst(page, '#svg', 6, { jitter: 14, gap: 150 }) },
  'taps on a heart that is only drawn': { page: 'touch/table',
    options: phone, told: { rage_click: 1 }, may: ['dead_click'],
    act: async (page) => {
      const { x, y } = await middle(page, '#dead');
      await times(5, () => page.touchscreen.tap(x, y));
    } },
  'a menu item beside a clock': { page: 'bad/clock', told: { dead_click: 1 },
    act: (page) => page.click('#item') },
  'a link that its script stops': { page: 'bad/spinner',
    told: { dead_click: 1 }, act: (page) => page.click('#stopped') },
  'text in a box with a hand': { page: 'bad/spinner',
    told: { dead_click: 1 }, act: (page) => page.click('#deep') },
  'an answer after 6 s': { page: 'bad/spinner',
    told: { dead_click: 1 }, act: (page) => page.click('#slow') },
  'saved, but nothing says so': { page: 'bad/spinner',
    told: { dead_click: 1 }, act: (page) => page.click('#save') },
  'a dead button in an open shadow root': { page: 'bad/spinner',
    told: { dead_click: 1 }, act: (page) => page.click('#inside') },
  'a handler that fails after its wait': { page: 'bad/throws',
    told: { error_click: 1, js_error: 1 }, wait: 1000,
    act: (page) => page.click('#soon') },
  'an error long after the click': { page: 'bad/throws',
    told: { js_error: 1 }, act: (page) => page.click('#late') },
  'a storm of errors': { page: 'bad/throws', told: { js_error: 5 },
    wait: 2500, act: (page) => page.click('#storm') },
  'an error of another origin': { page: 'bad/third',
    told: { js_error: 1 }, wait: 1200, act: () => {} },
  'the mouse is shaken askew': { page: 'bad/essay',
    told: { thrash_cursor: [1] }, wait: 300,
    act: (page) => along(page, Array.from({ length: 14 }, (_, i) =>
      [i % 2 ? 500 : 300, i % 2 ? 500 : 250]), 90) },
  'up and down by keys': { page: 'read/article',
    told: { scroll_thrash: [1] }, may: ['excessive_scroll'], wait: 300,
    act: (page) => times(9, async (i) => {
      await page.keyboard.press(i % 2 ? 'PageUp' : 'PageDown');
      await sleep(500);
    }) },
  'up and down in a pane': { page: 'read/inner',
    told: { scroll_thrash: [1] }, may: ['excessive_scroll'], wait: 300,
    act: async (page) => {
      await page.mouse.move(400, 300);
      await times(9, async (i) => {
        await page.mouse.wheel(0, i % 2 ? -500 : 600);
        await sleep(450);
      });
    } },
  'where is it on this page': { page: 'read/short', long: 14,
    told: { excessive_scroll: 1 }, may: ['scroll_thrash'], wait: 300,
    act: async (page) => {
      await page.mouse.move(400, 300);
      await times(8, (i) => wheel(page, 5, i % 2 ? -400 : 400, 320));
    } },
  'one error at a time': { page: 'bad/signup', told: { form_error: [1] },
    wait: 300, act: async (page) => {
      await page.type('#mail', 'zebra');
      await page.click('#go');
      await sleep(400);
      await page.fill('#mail', 'zebra.test');
      await page.click('#go');
      await sleep(400);
      await page.fill('#mail', 'zebra@zebra.test');
      await page.fill('#plan', 'zebra');
      await page.click('#go');
    } },
  'a name that is taken, twice': { page: 'bad/server',
    told: { form_error: [1] }, wait: 500, act: async (page) => {
      for (const text of ['zebra', 'zebra2', 'zebra3']) {
        await page.fill('#user', text);
        await page.click('#go');
        await sleep(600);
      }
    } },
  'fields outside of their form': { page: 'bad/apart',
    told: { form_abandon: 1 }, target: /gift/, wait: 300,
    act: async (page) => {
      await page.focus('#size');
      await page.keyboard.press('ArrowDown');
      await page.check('#gift');
      await page.click('#away');
    } },
  'a text that does not begin': { page: 'bad/essay', long: 12,
    told: { input_hesitation: 1 }, target: /essay|words/, wait: 300,
    act: async (page) => {
      await page.type('#title', 'zebra');
      await page.keyboard.press('Tab');
      await sleep(10600);
      await page.keyboard.type('zebra');
      await page.click('#go');
    } },
  'letters that come late': { page: 'bad/busy', told: { unresponsive: 1 },
    wait: 500, act: async (page) => {
      await page.click('#query');
      await page.keyboard.type('zeb', { delay: 100 });
    } },
  'a headline after 5 s': { page: 'bad/late', told: { late_paint: 1 },
    long: 5, wait: 5500, act: () => {} },
  'a page that jumps': { page: 'bad/shift', told: { layout_shift: 1 },
    wait: 2500, act: () => {} },
  'a table in small print': { page: 'touch/table', options: phone,
    told: { pinch_zoom: 1 }, wait: 800,
    act: (page) => pinch(page, '#cell', 2) },
  'a deck of cards that does not turn': { page: 'touch/deck',
    options: phone, told: { dead_swipe: 1 }, wait: 1600,
    act: (page) => swipe(page, '#deal', -160) },
  'a page that was not it': { page: 'read/menu', leaves: 3, alone: true,
    told: { quick_back: 1 }, wait: 1500, act: async (page) => {
      await page.click('#to');
      await page.waitForSelector('#back');
      await sleep(2500);
      await page.click('#back');
      await page.waitForSelector('#to');
    } }
};
