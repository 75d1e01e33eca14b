// rage_click, dead_click, error_click and js_error with real input: what must
// fire, and the innocent cases that must not.

import { leave } from './lib/browser.mjs';
import { cases, input, middle, one, WAIT } from './lib/cases.mjs';
import { sleep } from './lib/stack.mjs';

const click = (selector, options) => (page) => page.click(selector, options);

// n quick clicks at one point: to the browser they are double, triple, ...
// clicks, which select.  All are sent before the first is answered, so that a
// busy machine does not make them slow ones.
const clicks = (selector, n, step = 0) => async (page) => {
  const box = await middle(page, selector);
  const send = await input(page);
  const sent = [];

  for (let i = 0; i < n; i++) {
    const event = {
      x: box.x - Math.max(0, box.width / 2 - 12) + i * step, y: box.y,
      button: 'left', clickCount: i + 1
    };

    for (const type of ['mousePressed', 'mouseReleased']) {
      sent.push(send('dispatchMouseEvent', { type, ...event }));
    }
  }

  await Promise.all(sent);
};

// name: [what a person does, signals that must come of it]
const struggles = {
  'dead button': [click('#dead'), one('dead_click', 'button#dead')],
  'link to nowhere': [click('#hash'), one('dead_click', 'a#hash')],
  'cancelled link': [click('#cancelled'), one('dead_click', 'a#cancelled')],
  'role of a button': [click('#role'), one('dead_click', 'span#role')],
  'pointer cursor': [click('#pointer'), one('dead_click', 'span#pointer')],
  'press effect': [click('[data-testid=pressed]'),
    one('dead_click', 'button[data-test=pressed]')],
  'generated names': [click('.btn-save'), one('dead_click',
    'button.btn-save')],
  'in an open shadow root': [click('#inner'),
    one('dead_click', 'button#inner')],
  'two dead clicks': [async (page) => {
    await page.click('#dead');
    await sleep(WAIT);
    await page.click('#dead');
  }, one('dead_click', 'button#dead', 2)],
  'rage on a dead button': [clicks('#dead', 5), {
    ...one('rage_click', 'button#dead'), ...one('dead_click', 'button#dead')
  }],
  'long rage is one': [clicks('#dead', 12), {
    ...one('rage_click', 'button#dead'), ...one('dead_click', 'button#dead')
  }],
  'rage on a chip, which selects its text': [clicks('#chip', 5),
    one('rage_click', 'span#chip')],
  'rage before a late answer': [clicks('#slow', 5),
    one('rage_click', 'button#slow')],
  'error': [click('#throws'), { ...one('js_error'),
    ...one('error_click', 'button#throws'),
    ...one('dead_click', 'button#throws') }],
  'rejection': [click('#rejects'), { ...one('js_error'),
    ...one('error_click', 'button#rejects'),
    ...one('dead_click', 'button#rejects') }],
  'error of a button that works': [click('#half'), { ...one('js_error'),
    ...one('error_click', 'button#half') }],
  'error soon after': [click('#later'), { ...one('js_error'),
    ...one('error_click', 'button#later') }],
  'error by the keyboard': [async (page) => {
    await page.focus('#half');
    await page.keyboard.press('Enter');
  }, { ...one('js_error'), ...one('error_click', 'button#half') }],
  'error long after is no click\'s': [click('#much'), one('js_error')],
  'error of what is ignored': [click('#mine'), one('js_error')],
  'many errors': [async (page) => {
    for (let i = 0; i < 9; i++) {
      await page.evaluate(() => setTimeout(() => { throw new Error('x'); }));
    }
  }, { 'js_error ': 5 }]
};

const innocent = {
  'double click that selects a word': (page) => page.dblclick('#text'),
  'four quick clicks that select': clicks('#text', 4),
  'selecting by dragging': async (page) => {
    const box = await page.locator('#text').boundingBox();

    await page.mouse.move(box.x + 5, box.y + 8);
    await page.mouse.down();
    await page.mouse.move(box.x + 150, box.y + 8, { steps: 4 });
    await page.mouse.up();
  },
  'plain text': click('#text'),
  'clicks beside everything': clicks('body', 5),
  'stepper': clicks('#adds', 8),
  'acts on the press': click('#press'),
  'slider': clicks('#slider', 5, 2),
  'number': clicks('#number', 5),
  'checkbox': clicks('#check', 4),
  'label': clicks('#label', 5),
  'select': click('#select'),
  'video': clicks('#video', 5),
  'canvas': clicks('#canvas', 6),
  'new tab': click('#tab'),
  'mail': click('#mail'),
  'download': click('#file'),
  'section': click('#section'),
  'section twice': async (page) => {
    await page.click('#section');
    await page.evaluate(() => scrollTo(0, 0));
    await sleep(WAIT);
    await page.click('#section');
  },
  'slow page': (page) => page.click('#away', { noWaitAfter: true }),
  'fetch that takes 2 s': click('#fetch'),
  'XHR that takes 2 s': click('#xhr'),
  'fetch that goes on': click('#fetch-on'),
  'XHR that goes on': click('#xhr-on'),
  'an answer that stands still with its thread': clicks('#stall', 5),
  'copy': click('#copy'),
  'confirm, answered at once': (page) => {
    page.once('dialog', (d) => d.accept());
    return page.click('#confirm');
  },
  'confirm, answered late': (page) => {
    page.once('dialog', (d) => sleep(600).then(() => d.accept()));
    return page.click('#confirm');
  },
  'pushState only': click('#push'),
  'animation only': click('#animate'),
  'moves the focus': click('#focus'),
  'scrolls': click('#scroll'),
  'file picker': click('#pick'),
  'sound': click('#sound'),
  'popover': click('#popover'),
  'modal dialog': click('#show'),
  'print': click('#print'),
  'toggle in a closed shadow root': clicks('closed-box', 5),
  'works in an open shadow root': clicks('#works', 5),
  'summary': click('#summary'),
  'form that is not valid': click('#submit'),
  'data-cx-ignore': clicks('#ignored', 5),
  'control key': click('#dead', { modifiers: ['Control'] }),
  'right button': click('#dead', { button: 'right' }),
  'keyboard': async (page) => {
    await page.focus('#dead');
    await page.keyboard.press('Space');
    await page.keyboard.press('Enter');
  },
  'page left at once': async (page) => {
    await page.click('#dead');
    await leave(page);
  },
  'working button, then stopped': async (page) => {
    await clicks('#upto', 6)(page);
    await clicks('#upto', 3)(page);
  },
  'benign errors': (page) => page.evaluate(() => {
    dispatchEvent(new ErrorEvent('error', {
      message: 'ResizeObserver loop completed with undelivered notifications.'
    }));
    const control = new AbortController();
    fetch('late', { signal: control.signal });
    control.abort();
  })
};

cases({
  html: 'clicks.html', struggles, innocent, secret: /secret|pushed|Dead|Chip/,
  options: { permissions: ['clipboard-write', 'clipboard-read'] }
});
