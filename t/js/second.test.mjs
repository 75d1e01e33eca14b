// A second set of cases, written after the rules were finished and from the
// published rules alone (include/cx_signal.h), by somebody who had not seen
// the widget.  No case was changed because it failed.  At its first run 6
// innocent ones raised a signal and 5 struggles were missed; the rules were
// mended for 5 of the 6 and one of the 5.  What still fails stands in known,
// with the reason, and is reported with each run.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, leave, newContext, newPage } from './lib/browser.mjs';
import { WAIT } from './lib/cases.mjs';
import { Stack, sleep } from './lib/stack.mjs';
import { innocent, struggles } from './lib/second.mjs';

const AT_ONCE = 10;
const TRIES = 3;                // of a struggle: the machine may stand still

const known = {
  // the case is wrong: its rows do shift as CLS has it
  'a list that draws what is seen': 'layout_shift',
  // a false alarm that is left
  'night by a style sheet':
    'rage_click, dead_click: a sheet that is switched twice in a moment',
  // struggles that are missed
  'a menu item beside a clock': 'dead_click: the tick counts as the answer',
  'up and down in a pane': 'scroll_thrash: only of the document',
  'a name that is taken, twice': 'form_error: aria-invalid is not read',
  'a text that does not begin': 'input_hesitation: not in a textarea'
};

const file = (name, part = '') => `${name.replace(/\W+/g, '-')}${part}.html`;
const read = (name) =>
  readFileSync(new URL(`pages/${name}`, import.meta.url), 'utf8');

const sections = Object.fromEntries(
  ['app', 'forms', 'read', 'touch', 'bad'].flatMap((part) =>
    [...read(`second-${part}.html`)
      .matchAll(/<section id="([\w-]+)">([\s\S]*?)<\/section>/g)]
      .map(([, id, html]) => [`${part}/${id}`, html])));

function compose(name, id) {
  assert.ok(sections[id], id);

  return read('second.html').replace(/<!--.*-->/,
    () => `<section>${sections[id]}</section>`
      .replace('NAME', name.replace(/\W+/g, '-')));
}

// What pages talk with beside nginx: a socket that answers after 1.5 s, news
// that come 1.2 s after a vote, answers that take 100 ms and some that take 1 s.
function backEnd() {
  const listeners = new Set();
  const server = createServer((request, response) => {
    request.resume();

    if (request.url === '/second/news') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.flushHeaders();
      listeners.add(response);
      return;
    }

    if (request.url === '/second/vote') {
      setTimeout(() => listeners.forEach((r) => r.write('data: 1\n\n')), 1200);
    }

    setTimeout(() => response.writeHead(204).end(),
               request.url === '/second/wait' ? 1000 : 100);
  });

  server.on('upgrade', (request, socket) => {
    const key = createHash('sha1').update(request.headers['sec-websocket-key']
      + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');

    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n'
      + `Connection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`);
    socket.on('error', () => {});
    socket.on('data', () => setTimeout(() => socket.writable
      && socket.write(Buffer.from('\x81\x02ok', 'latin1')), 1500));
  });

  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => done(server));
  });
}

// How fast the machine is that runs the tests is not what most are about.
const SPEED = /^(unresponsive|late_paint)$/;

async function visit({ stack, browser }, name, thing) {
  const { act, told = {}, wait = WAIT, options, leaves = 1 } = thing;
  const context = await newContext(browser, { closed: true, ...options });
  const page = await newPage(context);
  const paths = [file(name), file(name, '-b')].map((path) => `/${path}`);
  const began = Date.now();
  const seen = (await stack.events()).map((e) => e.view);
  const mine = (e) => paths.includes(e.page) && e.view
    && !seen.includes(e.view);

  try {
    await page.goto(stack.url + paths[0]);
    await page.waitForFunction(() => window.cx);
    await sleep(100);
    await act(page);
    await sleep(wait);
    await leave(page);
    await stack.wait('leave', leaves, mine);
    await sleep(100);
  } finally {
    await context.close();
  }

  // what counts on another view than its own bears no view
  const list = (await stack.events('signal')).filter((e) => (mine(e)
    || !e.view && paths.includes(e.page) && Number(e.ts) > began)
    && e.source === 'browser' && (told[e.name] || !SPEED.test(e.name)));

  return list.map((e) => ({
    name: e.name, count: Number(e.count || 1), target: e.target ?? ''
  }));
}

// told: {signal: count, or [least]}; may: what may come beside
function compare(list, { told = {}, may = [], target }) {
  const text = JSON.stringify(list);

  for (const [signal, count] of Object.entries(told)) {
    const found = list.filter((e) => e.name === signal);
    const sum = found.reduce((n, e) => n + e.count, 0);

    assert.ok(Array.isArray(count) ? sum >= count[0] : sum === count,
              `${signal} ${count}: ${text}`);
    assert.ok(!target || found.every((e) => target.test(e.target)), text);
  }

  assert.deepEqual(
    list.filter((e) => !told[e.name] && !may.includes(e.name)), []);
}

const all = { ...struggles, ...innocent };
const failed = {};

// Visitors are told apart by their address: all are one here.  So the cases
// that are about the way from page to page have servers of their own.
let stacks, browser, server;

async function play(name, stack) {
  for (let n = struggles[name] && !known[name] ? TRIES : 1; n > 0; n--) {
    try {
      compare(await visit({ stack, browser }, name, all[name]), all[name]);
      delete failed[name];
      return;
    } catch (e) {
      failed[name] = e;
    }
  }
}

async function startStack() {
  const stack = await Stack.start({ server: `
    location /second/ {
      proxy_pass http://127.0.0.1:${server.address().port};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $http_connection;
      proxy_buffering off;
    }
    location = /second-sent { return 303 /plain.html; }` });

  for (const name of Object.keys(all)) {
    writeFileSync(`${stack.root}/${file(name)}`,
                  compose(name, all[name].page));
    writeFileSync(`${stack.root}/${file(name, '-b')}`,
                  compose(name, 'read/other'));
  }

  return stack;
}

async function playAll(stack, names, atOnce) {
  // the longest first
  const queue = names
    .sort((a, b) => (all[b].long || 0) - (all[a].long || 0));

  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (queue.length) {
      await play(queue.shift(), stack);
    }
  }));
}

before(async () => {
  const names = Object.keys(all);

  server = await backEnd();
  stacks = await Promise.all([startStack(), startStack()]);
  browser = await launch();
  await Promise.all([
    playAll(stacks[0], names.filter((name) => !all[name].alone), AT_ONCE),
    playAll(stacks[1], names.filter((name) => all[name].alone), 1)
  ]);
});

after(async () => {
  await browser?.close();
  await Promise.all((stacks || []).map((stack) => stack.stop()));
  server?.closeAllConnections();
  server?.close();
});

for (const name of Object.keys(all)) {
  test(`${struggles[name] ? 'struggle' : 'innocent'}: ${name}`,
       { todo: known[name] }, () => {
         if (failed[name]) {
           throw failed[name];
         }
       });
}

test('what was typed is in no event', async () => {
  const events = (await Promise.all(stacks.map((stack) => stack.events())))
    .flat();

  assert.ok(events.length);
  events.forEach((e) => assert.doesNotMatch(JSON.stringify(e), /zebra/i));
});
