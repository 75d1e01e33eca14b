// form_abandon, form_error, input_hesitation: people who fill in forms, give
// up, think; and forms that are sent, kept, or only ask.

import { cases, one } from './lib/cases.mjs';
import { leave } from './lib/browser.mjs';
import { sleep } from './lib/stack.mjs';

const THINK = 10400;

// as somebody types: a click into the field, and keys
async function fill(page, selector, text) {
  await page.click(selector);
  await page.keyboard.type(text, { delay: 25 });
}

const typed = (...fields) => async (page) => {
  for (const field of fields) {
    await fill(page, field, 'Jane');
  }
};

// what is typed after a while is kept by the page, which is all about waiting
async function answer(page) {
  await page.keyboard.type('Jane');
  await page.evaluate(() => fetch('plain.css?kept').then((r) => r.text()));
  await sleep(300);
}

const hesitate = (selector, more = () => sleep(THINK)) => async (page) => {
  await page.click(selector);
  await more(page);
  await answer(page);
};

// hidden as by another tab, which a headless browser does not do
const hide = (page, hidden) => page.evaluate((value) => {
  const state = { hidden: true, visibilityState: 'hidden' };

  for (const name of Object.keys(state)) {
    delete document[name];
    value && Object.defineProperty(document, name,
                                   { configurable: true, value: state[name] });
  }

  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
}, hidden);

const struggles = {
  'abandoned': [typed('#first'), one('form_abandon', 'input#first')],
  'the field touched last': [typed('#first', '[name=town]'),
    one('form_abandon', 'input[name=town]')],
  'the field has no stable name': [typed('[name="user[x4711y]"]'),
    one('form_abandon', 'input')],
  'a checkbox': [(page) => page.click('#terms'),
    one('form_abandon', 'input#terms')],
  'by a link': [async (page) => {
    await typed('#note')(page);
    await page.click('#out');
    await page.waitForURL(/plain/);
  }, one('form_abandon', 'textarea#note')],
  'a form of scripts': [typed('#street', '#city'),
    one('form_abandon', 'input#city')],
  'after a look elsewhere': [async (page) => {
    await typed('#first')(page);
    await hide(page, true);
    await sleep(200);
    await hide(page, false);
    return { leaves: 2 };
  }, one('form_abandon', 'input#first')],
  'not valid, twice': [async (page) => {
    await page.click('#try');
    await sleep(900);
    await page.click('#try');
  }, one('form_error', 'input#mail')],
  'not valid, four times': [async (page) => {
    for (let i = 0; i < 4; i++) {
      await page.click('#try');
      await sleep(900);
    }
  }, one('form_error', 'input#mail', 2)],
  'not valid, by the enter key, then abandoned': [async (page) => {
    await fill(page, '#mail', 'jane');
    await page.keyboard.press('Enter');
    await sleep(900);
    await page.keyboard.press('Enter');
  }, { ...one('form_error', 'input#mail'),
    ...one('form_abandon', 'input#mail') }],
  'the second field, twice': [async (page) => {
    await page.fill('#mail', 'a@b.test');
    await fill(page, '#zip', 'x');
    await page.click('#try');
    await sleep(900);
    await fill(page, '#zip', 'y');
    await page.click('#try');
    await answer(page);
  }, one('form_error', 'input#zip')],
  'thinks before a field': [hesitate('#first'),
    one('input_hesitation', 'input#first')],
  'comes by the tab key, and thinks': [async (page) => {
    await page.focus('#modal');
    await page.keyboard.press('Tab');
    await sleep(THINK);
    await answer(page);
  }, one('input_hesitation', 'input#first')],
  'by the label': [hesitate('label[for=first]'),
    one('input_hesitation', 'input#first')]
};

const send = (page, selector) => Promise.all([
  page.waitForURL(/plain/), page.click(selector)]);

const innocent = {
  'filled and sent': async (page) => {
    await typed('#first', '[name=town]')(page);
    await page.click('#terms');
    await send(page, '#send');
  },
  'filled and sent, by keys': async (page) => {
    await page.focus('#modal');

    for (const text of ['Jane', 'Ash', 'x']) {
      await page.keyboard.press('Tab');
      await page.keyboard.type(text);
    }

    await Promise.all([page.waitForURL(/plain/),
      page.keyboard.press('Enter')]);
  },
  'sent by a script': async (page) => {
    await page.evaluate(() => byScript());
    await typed('#first')(page);
    await page.selectOption('#how', 'Van');
    await page.waitForURL(/plain/);
  },
  'a choice that sends': async (page) => {
    await page.evaluate(() => byScript());
    await page.focus('#how');
    await page.keyboard.press('ArrowDown');
    await page.waitForURL(/plain/);
  },
  'sent by a request': async (page) => {
    await page.evaluate(() => byFetch());
    await typed('#street', '#city')(page);
    await page.keyboard.press('Enter');
    await sleep(300);
  },
  'a button that leads away': async (page) => {
    await typed('#first')(page);
    await page.click('#own');
    await page.waitForURL(/plain/);
  },
  'cleared': async (page) => {
    await typed('#first')(page);
    await page.click('#clear');
  },
  'kept while it is typed': async (page) => {
    await page.evaluate(() => autosave());
    await typed('#first', '[name=town]')(page);
    await sleep(1200);
  },
  'kept as a draft in the browser': async (page) => {
    await page.evaluate(() => draft());
    await typed('#first', '[name=town]')(page);
  },
  'typed and taken back': async (page) => {
    await fill(page, '#first', 'J');
    await page.keyboard.press('Backspace');
    await page.click('#terms');
    await page.click('#terms');
  },
  'only looked at': async (page) => {
    await page.click('#first');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
  },
  'filled by a script': async (page) => {
    await page.evaluate(() => {
      first.value = 'Jane';
      first.dispatchEvent(new Event('input', { bubbles: true }));
    });
  },
  'a search': typed('#words'),
  'a filter': typed('#from', '#till'),
  'a form without method': typed('#q', '#near'),
  'a field and a button': typed('#find'),
  'no form': typed('#loose'),
  'ignored': typed('#ignored', '#secret'),
  'in another tab for a while': async (page) => {
    await typed('#first')(page);
    await hide(page, true);
    await sleep(400);
    await hide(page, false);
    await sleep(200);
    await send(page, '#send');
    return { leaves: 2 };
  },
  'not valid once': async (page) => {
    await page.click('#try');
    await sleep(500);
    await page.fill('#mail', 'a@b.test');
    await page.fill('#zip', '12345');
    await send(page, '#try');
  },
  'a double click on a button that sends': (page) => page.dblclick('#try'),
  'not valid: first one field, then the next': async (page) => {
    await page.click('#try');
    await sleep(900);
    await fill(page, '#mail', 'a@b.test');
    await page.click('#try');
    await sleep(900);
    await fill(page, '#zip', '12345');
    await send(page, '#try');
  },
  'a page that checks at each key': async (page) => {
    await page.evaluate(() => eager());
    await fill(page, '#mail', 'jane@b.test');
    await fill(page, '#zip', '12345');
    await send(page, '#try');
  },
  'a filter that is not valid': async (page) => {
    await page.click('#filter');
    await sleep(900);
    await page.click('#filter');
  },
  'types at once': hesitate('#first', () => sleep(1500)),
  'thinks in a field that is filled': async (page) => {
    await page.evaluate(() => { first.value = 'June'; });
    await hesitate('#first')(page);
  },
  'thinks in a field that a script chose': async (page) => {
    await page.click('#modal');
    await sleep(THINK);
    await answer(page);
  },
  'thinks what to write': hesitate('#note'),
  'waits for a code': hesitate('#code'),
  'thinks what to search': hesitate('#words'),
  'looks it up in another tab': hesitate('#first', async (page) => {
    await sleep(500);
    await hide(page, true);
    await sleep(THINK);
    await hide(page, false);
  }),
  'goes elsewhere and comes back': hesitate('#first', async (page) => {
    await sleep(4000);
    await page.click('[name=town]');
    await sleep(4000);
    await page.click('#first');
    await sleep(4000);
  })
};

cases({
  html: 'forms.html', struggles, innocent,
  secret: /Jane|jane|June|Ash|a@b|x4711y|Van/, wait: 300
});
