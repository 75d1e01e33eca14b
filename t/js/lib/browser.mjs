// Debian's Chromium under playwright-core, and what the tests ask of a page.

import { createRequire } from 'node:module';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './stack.mjs';

const modules = process.env.CX_NODE_MODULES || join(build, 'node/node_modules');
const need = createRequire(join(modules, 'from.cjs'));

export const axePath = need.resolve('axe-core/axe.min.js');
export const output = join(build, 'test-output');

const { chromium } = need('playwright-core');

mkdirSync(output, { recursive: true });

// Said to the browser, not to the page: what a page sends while it goes away
// would carry the headless browser's own name, and count as a robot's.
export const agent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 '
  + '(KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

// The card lives in a closed shadow root, which no selector can enter: the
// tests, and they alone, open it.  One test looks at the page without this.
function openRoots() {
  const real = Element.prototype.attachShadow;

  Element.prototype.attachShadow = function (options) {
    return real.call(this, { ...options, mode: 'open' });
  };
}

// Playwright keeps pages out of the back-forward cache unless told otherwise.
export const launch = ({ cached = true, args = [] } = {}) => chromium.launch({
  executablePath: process.env.CX_CHROMIUM || '/usr/bin/chromium',
  ignoreDefaultArgs: cached ? ['--disable-back-forward-cache'] : [],
  args: ['--no-sandbox', '--disable-dev-shm-usage',
    '--force-color-profile=srgb', `--user-agent=${agent}`, ...args]
});

export async function newContext(browser, { closed, init, ...options } = {}) {
  const context = await browser.newContext({
    viewport: { width: 1000, height: 700 }, ...options
  });

  if (!closed) {
    await context.addInitScript(openRoots);
  }

  if (init) {
    await context.addInitScript(init);
  }

  return context;
}

// A page with what went wrong in it, as page.wrong: errors and violations of
// a content security policy.
export async function newPage(context, url) {
  const page = await context.newPage();

  page.wrong = [];
  page.on('pageerror', (e) => page.wrong.push(String(e)));
  page.on('console', (m) => {
    if (/policy|trusted/i.test(m.text())) {
      page.wrong.push(m.text());
    }
  });

  if (url) {
    await page.goto(url);
  }

  return page;
}

// What hides a page that is left open: another tab in front of it is not
// enough in headless Chromium, so the page goes elsewhere.
// A page that is on its way to another one is let go there first.
export async function leave(page) {
  try {
    await page.goto('about:blank');
  } catch (e) {
    if (!/interrupted by another navigation/.test(e.message)) {
      throw e;
    }

    await page.waitForLoadState();
    await page.goto('about:blank');
  }
}

export const dialog = (page) => page.getByRole('dialog');

// chooses a score with the mouse, where it really is
export const choose = (page, name) =>
  page.getByRole('radio', { name: String(name), exact: true }).click();

export const shot = (page, name) =>
  page.screenshot({ path: join(output, `${name}.png`) });

export async function axe(page) {
  await page.addScriptTag({ path: axePath });

  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa',
        'best-practice']
    });

    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html)}`);
  });
}
