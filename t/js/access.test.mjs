// The card without a mouse: keys, focus, names, what a screen reader is told.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { choose, dialog, launch, leave } from './lib/browser.mjs';
import { focused, four, long, open, others, pagesOf } from './lib/surveys.mjs';
import { Stack, sleep } from './lib/stack.mjs';

const surveys = [...four, ...others, long];

let stack, browser;

before(async () => {
  stack = await Stack.start({
    pages: pagesOf(surveys), surveys: { version: 1, surveys }
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const show = (id, options) => open(browser, stack, id, options);
const press = async (page, ...keys) => {
  for (const key of keys) {
    await page.keyboard.press(key);
  }
};
const backTo = (page) => page.evaluate(() => document.activeElement.id);

// the accessibility tree, as screen readers get it
async function tree(page) {
  const cdp = await page.context().newCDPSession(page);
  const { nodes } = await cdp.send('Accessibility.getFullAXTree');

  return nodes;
}

test('score and text by keyboard alone; the focus goes back', async () => {
  const page = await show('nps');
  const known = (await stack.events('answer')).length;

  await page.click('#more');
  await press(page, 'Tab', 'Tab');
  assert.equal(await focused(page), '0', 'the radio group is one tab stop');
  await press(page, 'ArrowRight', 'ArrowRight', 'ArrowRight');
  assert.equal(await focused(page), '3');
  await sleep(300);
  assert.equal((await stack.events('answer')).length, known,
               'moving sends nothing');
  await page.getByRole('button', { name: 'Next' }).waitFor();
  await press(page, 'Tab', 'Tab');
  assert.equal(await focused(page), 'Next');
  await press(page, 'Enter');
  await page.getByRole('dialog', { name: 'What disappointed you?' }).waitFor();
  await page.keyboard.type('s/it/them/');
  await press(page, 'Tab', 'Tab');
  assert.equal(await focused(page), 'Send');
  await press(page, 'Space');

  const [first, second] = (await stack.wait('answer', known + 2))
    .slice(known);

  assert.deepEqual([first.score, second.score, second.text],
                   ['3', '3', 's/it/them/']);
  await page.getByRole('dialog', { name: 'Thanks, that helps us.' }).waitFor();
  await sleep(4600);
  assert.ok(await dialog(page).isVisible(), 'open while it has the focus');
  await press(page, 'Escape');
  assert.equal(await dialog(page).count(), 0);
  assert.equal(await backTo(page), 'next');
  await page.context().close();
});

for (const key of ['Enter', 'Space']) {
  test(`${key} on a score sends it`, async () => {
    const page = await show('psat');
    const known = (await stack.events('answer')).length;

    await page.focus('#next');
    await press(page, 'Tab', 'ArrowRight', key);
    const all = await stack.wait('answer', known + 1);

    assert.equal(all[known].score, '1');
    await page.context().close();
  });
}

test('boxes: Space ticks, Tab goes on to Send', async () => {
  const page = await show('choices');
  const known = (await stack.events('answer')).length;

  await page.focus('#next');
  await press(page, 'Tab', 'Space', 'Tab', 'Tab', 'Space', 'Tab', 'Tab', 'Tab',
              'Tab');
  assert.equal(await focused(page), 'Send');
  await press(page, 'Enter');
  await page.getByRole('dialog', { name: /Thank/ }).waitFor();
  const all = await stack.wait('answer', known + 1,
                               (e) => e.survey !== 'choices' || e.done);

  assert.equal(all.at(-1).choice, '0,2');
  await page.context().close();
});

test('three steps and an offer by keyboard', async () => {
  const page = await show('long');

  await page.focus('#next');
  await press(page, 'Tab', 'ArrowRight', 'Enter');
  await page.getByRole('textbox').and(page.locator(':focus')).waitFor();
  await page.keyboard.type('all');
  await press(page, 'Tab', 'Tab', 'Enter');
  await page.getByRole('dialog', { name: 'One more question?' }).waitFor();
  assert.equal(await focused(page), 'Yes');
  await press(page, 'Enter');
  await page.getByRole('radiogroup', { name: 'Where did you look first?' })
    .waitFor();
  await press(page, 'ArrowDown', 'Space');
  await page.getByRole('dialog', { name: 'Thank you.' }).waitFor();
  const all = await stack.wait('answer', 3, (e) => e.survey === 'long');

  assert.deepEqual([all.at(-1).score, all.at(-1).text, all.at(-1).choice],
                   ['2', 'all', '1']);
  await press(page, 'Escape');
  assert.equal(await backTo(page), 'next');
  await page.context().close();
});

test('a later step\'s radios are a group of their own', async () => {
  const page = await show('long');

  await choose(page, 4);
  await page.getByRole('button', { name: 'Yes' }).click();
  const first = page.getByRole('radiogroup', {
    name: 'Where did you look first?'
  }).getByRole('radio').first();

  await first.and(page.locator(':focus')).waitFor();
  await press(page, 'Tab', 'Shift+Tab', 'ArrowDown');
  assert.deepEqual(await page.locator(':checked').evaluateAll((all) =>
    all.map((radio) => radio.value)), ['4', '1']);
  await page.context().close();
});

test('a score chosen by arrows is sent when the focus leaves', async () => {
  const page = await show('ces');
  const known = (await stack.events('answer')).length;

  await page.focus('#next');
  await press(page, 'Tab', 'ArrowRight');
  await page.click('#search');
  const all = await stack.wait('answer', known + 1);

  assert.equal(all[known].score, '2');
  await page.context().close();
});

test('the focus is never taken, the page\'s own typing goes on', async () => {
  const page = await show('nps');

  await page.reload({ waitUntil: 'commit' });
  await page.evaluate(() => localStorage.clear());
  await page.reload({ waitUntil: 'commit' });
  await page.focus('#search');
  await page.keyboard.type('ab');
  await dialog(page).waitFor();
  await sleep(400);
  await page.keyboard.type('cd');
  assert.equal(await page.inputValue('#search'), 'abcd');
  await page.context().close();
});

test('escape closes, the focus goes back, a dismissal is told', async () => {
  const page = await show('nps');

  await page.focus('#next');
  await press(page, 'Tab', 'Escape');
  assert.equal(await dialog(page).count(), 0);
  assert.equal(await backTo(page), 'next');
  await leave(page);
  const [dismiss] = await stack.wait('dismiss', 1, (e) => e.survey === 'nps');

  assert.equal(dismiss.how, 'escape');
  assert.match(dismiss.version, /^[0-9a-f]{8}$/);
  await page.context().close();
});

test('the close button', async () => {
  const page = await show('csat');

  await page.getByRole('button', { name: 'Close' }).click();
  assert.equal(await dialog(page).count(), 0);
  await leave(page);
  const [dismiss] = await stack.wait('dismiss', 1, (e) => e.survey === 'csat');

  assert.equal(dismiss.how, 'close');
  await page.context().close();
});

test('its appearance and each step are announced politely', async () => {
  const page = await show('nps');
  const says = (text) => page.getByRole('status').filter({ hasText: text })
    .waitFor({ state: 'attached' });

  await says('How likely');

  /* a mouse that does not move the focus, as in some browsers */
  await page.getByRole('radio', { name: '2', exact: true }).evaluate((radio) =>
    radio.addEventListener('pointerdown', () => setTimeout(() =>
      radio.blur(), 50)));
  await choose(page, 2);
  await says('What disappointed you?');
  await page.context().close();
});

test('the ends of the scale are the group\'s description', async () => {
  const page = await show('nps');
  const nodes = await tree(page);
  const group = nodes.find((n) => n.role?.value === 'radiogroup');

  assert.equal(group.description.value, 'Not at all likely Extremely likely');
  assert.equal(nodes.filter((n) => n.role?.value === 'radio').length, 11);
  await page.context().close();
});

test('stars and faces have names, their drawings are silent', async () => {
  const page = await show('faces');
  const nodes = await tree(page);

  assert.deepEqual(nodes.filter((n) => n.role?.value === 'radio')
    .map((n) => n.name.value), ['1 of 5, Very dissatisfied', '2 of 5', '3 of 5',
    '4 of 5', '5 of 5, Very satisfied']);
  assert.equal(nodes.filter((n) => !n.ignored
    && /image|graphic/i.test(n.role?.value)).length, 0);
  await page.context().close();
});

test('keys that are typed into the card are not the page\'s', async () => {
  const page = await show('nps');

  await page.evaluate(() => {
    window.keys = 0;
    document.addEventListener('keydown', () => { window.keys++; });
  });
  await choose(page, '1');
  await page.getByRole('textbox', { name: 'What disappointed you?' }).waitFor();
  await page.keyboard.type('hello');
  assert.equal(await page.evaluate(() => window.keys), 0);
  await page.context().close();
});

// a ring of 2 px, 3:1 against what it lies on
for (const [look, options] of Object.entries({
  light: {}, dark: { colorScheme: 'dark' },
  forced: { forcedColors: 'active' }
})) {
  test(`the focus can be seen at each stop, ${look}`, async () => {
    const page = await show('nps', options);

    await page.focus('#next');

    for (const stop of ['radio', 'quiet', 'close']) {
      await press(page, 'Tab');
      const [style, width, ring, behind] = await page.evaluate(() => {
        const { shadowRoot } = document.querySelector('cx-survey');
        const element = shadowRoot.activeElement;
        const drawn = getComputedStyle(element.nextElementSibling?.localName
          === 'span' ? element.nextElementSibling : element);

        return [drawn.outlineStyle, drawn.outlineWidth, drawn.outlineColor,
          getComputedStyle(shadowRoot.querySelector('.card')).backgroundColor];
      });

      assert.deepEqual([style, width], ['solid', '2px'], stop);
      assert.ok(contrast(ring, behind) >= 3, `${ring} on ${behind}`);
    }

    await page.context().close();
  });
}

function contrast(...colours) {
  const [high, low] = colours.map((colour) => {
    const [r, g, b] = colour.match(/[\d.]+/g).map((n) => n / 255)
      .map((n) => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);

    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  }).sort((a, b) => b - a);

  return high / low;
}
