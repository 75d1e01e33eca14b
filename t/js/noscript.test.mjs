// A browser without JavaScript: pages are as they were, and a survey is a form
// behind a link.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, launch, newContext, newPage, shot } from './lib/browser.mjs';
import { plain, survey } from './lib/surveys.mjs';
import { Stack, sleep } from './lib/stack.mjs';

const surveys = [
  survey('page', 'nps', 'How likely?'),
  survey('mail', 'csat', 'How was it?', {
    follow_up: { any: 'Why?' }, where: { pages: ['/nowhere'] },
    more: [{ kind: 'choices', question: 'Which?', options: ['This', 'That'] }]
  })
];
const linked = plain.replace('<h2>', '<noscript><a '
  + 'href="/_cx/survey/mail">Tell us</a></noscript><h2>');

let stack, browser;

before(async () => {
  stack = await Stack.start({
    pages: { 'page.html': linked, 'bare.html': linked },
    surveys: { version: 1, surveys },
    server: 'location = /bare.html { cx off; }'
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const open = async (path, options) => newPage(
  await newContext(browser, { javaScriptEnabled: false, ...options }),
  stack.url + path);

test('the page looks as it does without the module', async () => {
  const page = await open('/page.html');
  const bare = await open('/bare.html');

  await sleep(500);
  assert.match(await page.content(), /\/_cx\/cx\.js/);
  assert.doesNotMatch(await bare.content(), /_cx\/cx\.js/);
  assert.deepEqual(await page.screenshot({ fullPage: true }),
                   await bare.screenshot({ fullPage: true }));
  await stack.wait('view', 1, (e) => e.page === '/page.html');
  assert.deepEqual(await stack.events('leave'), []);
  await page.context().close();
  await bare.context().close();
});

test('the form behind a link in <noscript>: answered, thanked', async () => {
  const page = await open('/page.html');

  await page.getByRole('link', { name: 'Tell us' }).click();
  await page.waitForURL('**/_cx/survey/mail');
  const group = page.getByRole('group', { name: /How was it\?/ });

  // nothing chosen: the browser says so, and nothing is lost
  const posts = [];

  page.on('request', (r) => r.method() === 'POST' && posts.push(r.url()));
  await page.getByRole('textbox').fill('as typed');
  await page.getByRole('button').click();
  await group.locator('input:focus').waitFor({ state: 'attached' });
  assert.deepEqual(posts, []);
  assert.equal(await page.getByRole('textbox').inputValue(), 'as typed');
  await group.getByRole('radio', { name: '4', exact: true }).check();
  await shot(page, 'noscript-form');
  await page.getByRole('button').click();
  await page.getByText('Thank').first().waitFor();
  const [e] = await stack.wait('answer', 1, (a) => a.survey === 'mail');

  assert.deepEqual([e.score, e.text, e.trigger, e.source],
                   ['4', 'as typed', 'form', 'volunteered']);
  assert.equal((await stack.events('answer')).length, 1);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

// axe is a script, which the form's own policy forbids
for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing in the form and its answers, ${colorScheme}`,
       async () => {
    const page = await open('/_cx/survey/mail', {
      javaScriptEnabled: true, bypassCSP: true, colorScheme
    });
    const send = (status) => Promise.all([
      page.waitForResponse((r) => r.status() === status),
      page.getByRole('button').click()
    ]);

    assert.deepEqual(await axe(page), []);
    await page.evaluate(() => { document.forms[0].noValidate = true; });
    await send(422);
    assert.deepEqual(await axe(page), [], 'without a score');
    await page.getByRole('radio', { name: '5', exact: true }).check();
    await send(200);
    await page.getByText('Thank').first().waitFor();
    assert.deepEqual(await axe(page), [], 'thanks');
    await page.goto(`${stack.url}/_cx/opt-out`);
    assert.deepEqual(await axe(page), [], 'opt-out');
    await page.context().close();
  });
}

test('the form has the colours of the card', async () => {
  const page = await open('/_cx/survey/mail', { javaScriptEnabled: true });
  const card = await open('/page.html', { javaScriptEnabled: true });
  const colours = (locator) => locator.evaluate((element) =>
    ['accent', 'on-accent', 'background', 'text', 'muted', 'border', 'radius']
      .map((name) => {
        const probe = document.createElement('i');

        probe.style.borderRadius = probe.style.color = `var(--cx-${name})`;
        element.append(probe);
        const { color, borderTopLeftRadius } = getComputedStyle(probe);

        probe.remove();
        return name === 'radius' ? borderTopLeftRadius : color;
      }));

  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await card.emulateMedia({ colorScheme });
    await card.getByRole('dialog').waitFor();
    assert.deepEqual(await colours(page.locator('body')),
                     await colours(card.getByRole('dialog')), colorScheme);
  }

  await page.context().close();
  await card.context().close();
});
