// Browsers without a screen, many of them in one process: the widget as nginx
// serves it, byte for byte, each page load with a window, a storage and a clock
// of its own.  Only two things are not the widget's: what draws cards (hand.js
// takes its place) and the parts for signals, which are not to be had.
//
// The clock is moved by hand; timers run in its order, and requests take none
// of its time.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { top } from './stack.mjs';

const NAMES = ['window', 'self', 'document', 'location', 'history',
  'navigator', 'localStorage', 'Date', 'performance', 'setTimeout',
  'clearTimeout', 'setInterval', 'clearInterval', 'requestIdleCallback',
  'requestAnimationFrame', 'fetch', 'addEventListener', 'removeEventListener',
  'matchMedia', 'MutationObserver', 'PerformanceObserver', 'XMLHttpRequest',
  'innerHeight', 'scrollY', 'load', 'prompted'];

const IDLE_MS = 1;              // until a browser has nothing better to do

const here = dirname(fileURLToPath(import.meta.url));
const turn = () => new Promise((done) => setImmediate(done));

class Nothing {
  observe() {}
  disconnect() {}
  takeRecords() { return []; }
}

// Node's import() knows nothing of our addresses and globals: a module's text
// becomes a function's that returns its default export.
function program(text) {
  const body = text.replace(/\bexport\s*\{\s*([\w$]+) as default\s*\};?\s*$/,
                            (all, name) => `return ${name};`);

  return new Function(...NAMES, body.replace(/\bimport\(/g, 'load('));
}

function hand() {
  const dir = mkdtempSync(join(tmpdir(), 'cx-hand-'));
  const names = join(dir, 'names.json');

  try {
    copyFileSync(join(top, 'build/widget/names.json'), names);
    return execFileSync(process.env.ESBUILD || 'esbuild',
      [join(here, 'hand.js'), '--bundle', '--format=esm', '--target=es2020',
        '--mangle-props=^_', `--mangle-cache=${names}`, '--log-level=warning'],
      { encoding: 'utf8' });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/* Who speaks to nginx: all browsers of a test. */
export class Net {
  constructor(stack) {
    this.url = stack.url;
    this.port = stack.port;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
    this.programs = new Map([['cx-ask.js', program(hand())]]);
    this.requests = 0;
  }

  // {status, headers, text}
  ask(method, path, headers, body) {
    this.requests += 1;

    return new Promise((done, fail) => {
      const request = http.request({
        host: '127.0.0.1', port: this.port, agent: this.agent, method, path,
        headers: body == null ? headers : {
          ...headers, 'Content-Type': 'text/plain;charset=UTF-8',
          'Content-Length': Buffer.byteLength(body)
        }
      }, (response) => {
        let text = '';

        response.setEncoding('utf8');
        response.on('data', (data) => { text += data; });
        response.on('end', () => done({
          status: response.statusCode, headers: response.headers, text
        }));
      });

      request.on('error', fail);
      request.end(body);
    });
  }

  // what nginx serves must be what the hand has the names of
  async program(file) {
    if (!this.programs.has(file)) {
      const { text } = await this.ask('GET', `/_cx/${file}`, {});

      if (text !== readFileSync(join(top, 'build/widget', file), 'utf8')) {
        throw new Error(`nginx serves another ${file} than build/widget has: `
          + 'run make');
      }

      this.programs.set(file, program(text));
    }

    return this.programs.get(file);
  }

  // a part that cannot begin must not pass for a page without surveys
  async begin(file, tab) {
    try {
      return tab.enter(await this.program(file));
    } catch (e) {
      this.wrong = this.wrong || e;
      throw e;
    }
  }

  close() {
    this.agent.destroy();
  }
}

/*
 * agent    User-Agent
 * now      ms, what its clock says
 * stores   false: its storage is blocked, as in some private windows
 * locks    false: it has no navigator.locks, as on plain http
 */
export class Browser {
  constructor(net, { now, stores = true, locks = true }) {
    Object.assign(this, { net, now, stores, locks });
    this.lock = Promise.resolve();
    this.timers = new Map();
    this.flying = new Set();
    this.number = 0;
    this.stored = {};

    const browser = this;

    this.Date = class extends Date {
      constructor(...all) {
        super(...all.length ? all : [browser.now]);
      }

      static now() {
        return browser.now;
      }
    };

    const blocked = () => {
      if (!this.stores) {
        throw new DOMException('no', 'SecurityError');
      }
    };

    this.storage = {
      getItem: (key) => { blocked(); return this.stored[key] ?? null; },
      setItem: (key, value) => { blocked(); this.stored[key] = String(value); }
    };
  }

  // of all locks the widget has one; who closes a tab gives its back
  request(f, tab) {
    const mine = this.lock.then(() =>
      !tab.gone && Promise.race([f({ name: 'cx' }), tab.end]));

    this.lock = mine.catch(() => {});
    return mine;
  }

  timer(f, ms, every, tab, all) {
    this.number += 1;
    this.timers.set(this.number, {
      at: this.now + (Number(ms) || 0), f: () => f(...all), every, tab
    });
    return this.number;
  }

  // a request is under way until its answer has been read
  fly(promise) {
    const mine = promise.finally(() => this.flying.delete(mine));

    this.flying.add(mine);
    mine.catch(() => {});
    return mine;
  }

  async settle() {
    do {
      await Promise.allSettled(this.flying);
      await turn();
    } while (this.flying.size);
  }

  // so many ms go by
  async run(ms) {
    const end = this.now + ms;

    for (;;) {
      await this.settle();
      let id, next;

      for (const [key, timer] of this.timers) {
        if (timer.at <= end && !(next && next.at <= timer.at)) {
          [id, next] = [key, timer];
        }
      }

      if (!next) {
        break;
      }

      this.now = Math.max(this.now, next.at);

      if (next.every) {
        next.at += next.every;
      } else {
        this.timers.delete(id);
      }

      next.f();
    }

    this.now = end;
  }

  async open(path, agent, heard) {
    const { text } = await this.net.ask('GET', path, {
      'User-Agent': agent, Accept: 'text/html', 'Sec-Fetch-Dest': 'document'
    });
    const tab = new Tab(this, path, agent, heard);
    const [, tag] = /<script async ([^>]+)><\/script>/.exec(text) || [];

    if (tag) {
      const all = [...tag.matchAll(/([\w-]+)(?:="([^"]*)")?/g)];

      await tab.begin(Object.fromEntries(all.map(([, name, value = '']) =>
        [name, value.replace(/&amp;/g, '&')])));
    }

    return tab;
  }
}

/* heard: {prompted(card), offered(query, surveys), sent(batch, status)} */
class Tab {
  constructor(browser, path, agent, heard) {
    Object.assign(this, { browser, agent, heard, path });
    this.listeners = new Map();
    this.born = browser.now;
    this.end = new Promise((done) => { this.ended = done; });
  }

  async begin(tag) {
    const { net } = this.browser;
    const src = new URL(tag.src, net.url);
    const data = (name) => name.replace(/-(\w)/g, (m, c) => c.toUpperCase());

    this.script = {
      src: src.href, localName: 'script', getAttribute: () => src.href,
      dataset: Object.fromEntries(Object.entries(tag)
        .filter(([name]) => name.startsWith('data-'))
        .map(([name, value]) => [data(name.slice(5)), value]))
    };
    this.world = this.make();
    await net.begin(src.pathname.split('/').pop(), this);
  }

  enter(f) {
    return f.apply(undefined, NAMES.map((name) => this.world[name]));
  }

  make() {
    const { browser } = this;
    const { net } = browser;
    const listen = (type, f) => {
      this.listeners.has(type) || this.listeners.set(type, new Set());
      this.listeners.get(type).add(f);
    };
    const location = {};
    const timer = (every) => (f, ms, ...all) =>
      browser.timer(f, ms, every && ms, this, all);
    const clear = (id) => browser.timers.delete(id);

    Object.defineProperties(location, {
      pathname: { get: () => this.path },
      href: { get: () => net.url + this.path }
    });
    location.search = '';

    this.document = {
      currentScript: this.script, cookie: '', hidden: false,
      documentElement: {
        lang: 'en', scrollHeight: 700, addEventListener() {}
      },
      body: {}, addEventListener: listen, querySelector: () => null
    };

    const window = {
      addEventListener: listen, screen: { width: 1280 },
      fetch: (...all) => this.fetch(...all)
    };

    return {
      window, self: window, document: this.document, location,
      history: {
        pushState: (state, title, path) => { this.path = path; },
        replaceState() {}
      },
      navigator: {
        locks: browser.locks ? {
          request: (name, f) => browser.request(f, this)
        } : undefined,
        onLine: true, maxTouchPoints: 0,
        sendBeacon: (url, body) => { this.post(url, body); return true; }
      },
      localStorage: browser.storage,
      Date: browser.Date,
      performance: { now: () => browser.now - this.born },
      setTimeout: timer(), clearTimeout: clear,
      setInterval: timer(1), clearInterval: clear,
      requestIdleCallback: (f) =>
        browser.timer(f, IDLE_MS, 0, this, []),
      requestAnimationFrame: (f) => browser.timer(f, 16, 0, this, []),
      fetch: (...all) => window.fetch(...all),
      addEventListener: listen,
      removeEventListener: (type, f) => this.listeners.get(type)?.delete(f),
      matchMedia: () => ({ matches: false }),
      MutationObserver: Nothing, PerformanceObserver: Nothing,
      XMLHttpRequest: class { send() {} },
      innerHeight: 700, scrollY: 0,
      load: (url) => this.load(url),
      prompted: (card) => this.heard.prompted(card)
    };
  }

  load(url) {
    const [, file] = /\/(cx-(?:survey|ask)\.js)\?/.exec(url) || [];

    return this.browser.fly(file
      ? this.browser.net.begin(file, this).then((f) => ({ default: f }))
      : Promise.reject(new TypeError(`no ${url} here`)));
  }

  post(url, body) {
    const asked = this.browser.net.ask('POST', new URL(url).pathname, {
      'User-Agent': this.agent
    }, body);

    this.heard.sending(JSON.parse(body));
    return this.browser.fly(asked.then((answer) => {
      this.heard.sent(JSON.parse(body), answer);
      return answer;
    }));
  }

  async fetch(url, { method, body } = {}) {
    const { pathname, search, searchParams } = new URL(url);
    let answer;

    if (method === 'POST') {
      answer = await this.post(url, body);
    } else {
      const told = this.heard.asking(searchParams);

      answer = await this.browser.fly(this.browser.net.ask('GET',
        pathname + search, { 'User-Agent': this.agent }));
      told(JSON.parse(answer.text));
    }

    return {
      status: answer.status,
      headers: { get: (name) => answer.headers[name] ?? null },
      json: async () => JSON.parse(answer.text)
    };
  }

  // to another page of a single-page application
  navigate(path) {
    this.world.history.pushState(null, '', path);
  }

  async close() {
    const tell = (type) => [...this.listeners.get(type) || []].forEach((f) =>
      f({ type, target: this.world.window, composedPath: () => [] }));

    tell('pagehide');
    this.document.hidden = true;
    tell('visibilitychange');
    await this.browser.run(0);

    for (const [id, { tab }] of this.browser.timers) {
      tab === this && this.browser.timers.delete(id);
    }

    this.gone = true;
    this.ended();
  }
}
