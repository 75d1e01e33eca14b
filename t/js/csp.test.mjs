// Pages under three content security policies: card, survey in the page and
// tab are shown and styled there, and nothing is violated.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { choose, dialog, launch, newContext, newPage } from './lib/browser.mjs';
import { noteViolations, policies, underPolicies } from './lib/policies.mjs';
import { plain } from './lib/surveys.mjs';
import { Stack } from './lib/stack.mjs';

const where = { pages: Object.keys(policies).map((id) => `/${id}.html`) };
const surveys = [
  { id: 'card', metric: 'csat', look: 'stars', where,
    follow_up: { any: 'Why?' } },
  { id: 'part', metric: 'choice', place: 'inline', where,
    question: 'What are you?', options: ['A reader', 'A writer'] },
  { id: 'tab', metric: 'psat', place: 'tab', where }
];

let stack, browser;

before(async () => {
  stack = await Stack.start({
    pages: Object.fromEntries(where.pages.map((page) => [page.slice(1),
      plain.replace('<h2>', '<div data-cx-survey="part"></div><h2>')])),
    surveys: {
      version: 1, theme: { accent: '#7a1fa2', radius: 4 }, surveys
    },
    server: underPolicies
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const colour = (locator) => locator.evaluate((element) =>
  getComputedStyle(element).backgroundColor);

for (const id of Object.keys(policies)) {
  test(policies[id], async () => {
    const context = await newContext(browser, { init: noteViolations });
    const page = await newPage(context, `${stack.url}/${id}.html`);
    const mine = (survey) => (e) =>
      e.page === `/${id}.html` && e.survey === survey;

    await dialog(page).waitFor();
    const box = await dialog(page).boundingBox();

    assert.equal(Math.round(box.width), 420);
    assert.equal(Math.round(box.x + box.width), 980);
    await choose(page, '4 of 5');
    await page.getByRole('textbox', { name: 'Why?' }).fill('so');
    assert.equal(await colour(dialog(page).locator('.go:visible')),
                 'rgb(122, 31, 162)', 'in the colours of the theme');
    await page.getByRole('button', { name: 'Send' }).click();
    await stack.wait('answer', 2, mine('card'));
    await page.getByRole('button', { name: 'Close' }).click();

    await choose(page, 'A writer');
    await stack.wait('answer', 1, mine('part'));

    const tab = page.getByRole('button', { name: 'Feedback' });

    assert.equal(await colour(tab), 'rgb(122, 31, 162)');
    await tab.click();
    await choose(page, 'Yes');
    const [answer] = await stack.wait('answer', 1, mine('tab'));

    assert.equal(answer.source, 'volunteered');
    assert.deepEqual(await page.evaluate(() => window.violations), []);
    assert.deepEqual(page.wrong, []);
    await context.close();
  });
}
