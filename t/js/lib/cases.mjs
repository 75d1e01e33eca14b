// Cases of one test file: each a page of its own and a visit of its own, with
// real input.  What must fire, and the innocent that must not.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readFileSync } from 'node:fs';
import { launch, leave, newContext, newPage } from './browser.mjs';
import { Stack, sleep } from './stack.mjs';

const AT_ONCE = 6;              // cases that run beside each other
const TRIES = 4;                // of a struggle at most

export const WAIT = 3400;       // a dead click is known after 3 s

export const one = (name, target = '', count = 1) =>
  ({ [`${name} ${target}`]: count });

// the middle of an element, in CSS px of the window
export async function middle(page, selector) {
  const box = await page.locator(selector).boundingBox();

  return { ...box, x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

// The browser's input as the operating system would give it.  What is sent
// without waiting keeps its pace on a busy machine.
export async function input(page) {
  const cdp = await page.context().newCDPSession(page);

  return (method, options) => cdp.send(`Input.${method}`, options);
}

// How fast the machine is that runs the tests is not what a case is about.
const SPEED = /^(unresponsive|late_paint)$/;

async function visit({ stack, browser, options, wait }, name, act) {
  const context = await newContext(browser, { closed: true, ...options });
  const page = await newPage(context);
  const path = `/${file(name)}`;
  const before = (await stack.events()).map((e) => e.view);
  const mine = (e) => e.page === path && e.view && !before.includes(e.view);

  await page.goto(stack.url + path);
  await page.waitForFunction(() => window.cx);
  await sleep(100);
  const meanwhile = await act(page) || {};

  await sleep(wait);
  await leave(page);
  await stack.wait('leave', meanwhile.leaves || 1, mine);
  await sleep(100);
  await context.close();

  return Object.fromEntries((await stack.events('signal'))
    .filter((e) => mine(e) && e.source === 'browser'
      && !SPEED.test(e.name) && e.name !== meanwhile.but)
    .map((e) => [`${e.name} ${e.target ?? ''}`, Number(e.count)]));
}

const file = (name) => `${name.replace(/\W+/g, '-')}.html`;

/*
 * html       file of t/js/pages that all cases are about
 * struggles  {name: [what a person does (page), signals that come of it]}
 * innocent   {name: what a person does (page)}: no signal of any kind
 *            what is done may return {leaves: how often the page is hidden,
 *            but: a signal that is not looked at}
 * options    of the browser's context
 * cached     does the back-forward cache keep pages
 * server     more lines of nginx's server block
 * secret     what must not be in any event
 *
 * A page whose thread stands still for 250 ms after a click gets the benefit
 * of the doubt, by the rule; on a busy machine that happens to any page.  So a
 * struggle may be tried again, alone, when the others are done; an innocent
 * case never.
 */
export function cases({
  html, struggles = {}, innocent = {}, options, cached, server, secret,
  wait = WAIT, atOnce = AT_ONCE
}) {
  const text = readFileSync(new URL(`../pages/${html}`, import.meta.url),
                            'utf8');
  const names = [...Object.keys(struggles), ...Object.keys(innocent)];
  const failed = {};
  const found = {};             // name: {"signal target": count}

  let stack, browser;

  async function play(name) {
    const [act, told] = struggles[name] || [innocent[name], {}];

    try {
      found[name] = await visit({ stack, browser, options, wait }, name, act);
      assert.deepEqual(found[name], told);
      delete failed[name];
    } catch (e) {
      failed[name] = e;
    }
  }

  before(async () => {
    const queue = [...names];

    stack = await Stack.start({
      pages: Object.fromEntries(names.map((name) => [file(name), text])),
      server
    });
    browser = await launch({ cached });
    await Promise.all(Array.from({ length: atOnce }, async () => {
      while (queue.length) {
        await play(queue.shift());
      }
    }));

    for (const name of Object.keys(failed)) {
      for (let n = 1; failed[name] && struggles[name] && n < TRIES; n++) {
        await play(name);
      }
    }
  });

  after(async () => {
    await browser?.close();
    await stack?.stop();
  });

  for (const name of names) {
    test(`${struggles[name] ? 'struggle' : 'innocent'}: ${name}`, () => {
      if (failed[name]) {
        throw failed[name];
      }

      assert.ok(found[name]);
    });
  }

  test('no text, nothing typed and no query is on the wire', async () => {
    const events = await stack.events();

    assert.ok(events.length);
    events.forEach((event) =>
      assert.doesNotMatch(JSON.stringify(event), secret));
  });
}
