// The surveys that the tests show, one for each page, and these pages; and the
// way through a card.

import { readFileSync } from 'node:fs';
import { dialog, newContext, newPage } from './browser.mjs';

export const plain = readFileSync(
  new URL('../pages/plain.html', import.meta.url), 'utf8');

export const words = JSON.parse(readFileSync(
  new URL('../../../ngx_cx_module/languages.json', import.meta.url), 'utf8'));

export const survey = (id, metric, question, more = {}) => ({
  id, metric, question, where: { pages: [`/${id}.html`] }, ...more
});

// never asked again in earnest: a context is a browser of its own
export const four = [
  survey('nps', 'nps', 'How likely are you to recommend this manual to a '
    + 'colleague?', {
    labels: { low: 'Not at all likely', high: 'Extremely likely' },
    follow_up: {
      detractor: 'What disappointed you?',
      passive: 'What would make it a nine or ten?',
      promoter: 'What do you like best?'
    },
    thanks: 'Thanks, that helps us.'
  }),
  survey('csat', 'csat', 'How satisfied are you with this page?', {
    labels: { low: 'Very dissatisfied', high: 'Very satisfied' },
    follow_up: { dissatisfied: 'What went wrong?', any: 'Tell us more?' }
  }),
  survey('ces', 'ces', 'This page made it easy to find what I was looking for.',
    {
      labels: { low: 'Strongly disagree', high: 'Strongly agree' },
      follow_up: { hard: 'What was hard to find?' }
    }),
  survey('psat', 'psat', 'Was this page helpful?', {
    labels: { low: 'No', high: 'Yes' },
    follow_up: { down: 'What is missing?' }
  })
];

const options = ['Find a manual', 'Compare versions', 'Report a fault',
  'Something else'];

// every other question type and look
export const others = [
  survey('csat7', 'csat7', 'How satisfied are you with the search?',
         { follow_up: { neutral: 'What would make it better?' } }),
  survey('stars', 'csat', 'How satisfied are you with the examples?',
         { look: 'stars', follow_up: { any: 'What would you change?' } }),
  survey('stars7', 'csat7', 'How satisfied are you with the index?',
         { look: 'stars' }),
  survey('faces', 'csat', 'How do you feel about this chapter?',
         { look: 'faces', follow_up: { any: 'Why?' } }),
  survey('psat5', 'psat5', 'How happy are you with the pictures?',
         { follow_up: { satisfied: 'Which one is best?' } }),
  survey('psat5-faces', 'psat5', 'And with the tables?', { look: 'faces' }),
  survey('psat5-stars', 'psat5', 'And with the fonts?', { look: 'stars' }),
  survey('choice', 'choice', 'What did you come here to do?', { options }),
  survey('choices', 'choices', 'What was missing?', {
    options: ['An example that I can copy and run', 'A picture', 'A table',
      'The version it applies to', 'Something else']
  }),
  survey('text', 'text', 'If you could change one thing, what would it be?')
];

// all that one survey can have: three steps, branches, an offer, a link
export const long = survey('long', 'ces', 'It was easy to find {title}.', {
  follow_up: { hard: 'What was hard at {touchpoint}?' },
  more: [{
    kind: 'choice', if: ['hard', 'neutral'], offer: true,
    question: 'Where did you look first?', options
  }],
  thanks: {
    text: 'Thank you.', link: { url: '/other.html', label: 'What we changed' }
  }
});

const ar = (id, metric, more) => ({
  id: `ar-${id}`, metric, where: { pages: [`/ar-${id}.html`] }, ...more
});
const why = { any: {
  ar: '\u0645\u0627 \u0627\u0644\u0633\u0628\u0628\u061f'
} };

// from right to left: standard wording, and some of its own
export const arabic = [
  ar('nps', 'nps', { follow_up: why, language: 'ar' }),
  ar('ces', 'ces'),
  ar('psat', 'psat'),
  ar('stars', 'csat', { look: 'stars', follow_up: why, language: 'ar' }),
  ar('faces', 'csat', { look: 'faces' }),
  ar('csat7', 'csat7'),
  ar('choices', 'choices', {
    language: 'ar',
    question: '\u0645\u0627\u0630\u0627 \u064a\u0646\u0642\u0635\u061f',
    options: ['\u0645\u062b\u0627\u0644', '\u0635\u0648\u0631\u0629',
      '\u062c\u062f\u0648\u0644']
  })
];

export const rtl = plain.replace('lang="en-GB"', 'lang="ar" dir="rtl"');

export const pagesOf = (surveys) => Object.fromEntries(
  surveys.map(({ id }) => [`${id}.html`, plain]));

// The page of a survey with its card open, in a browser of its own.
export async function open(browser, stack, id, options) {
  const context = await newContext(browser, options);
  const page = await newPage(context, `${stack.url}/${id}.html`);

  await dialog(page).waitFor();
  return page;
}

// what has the focus, through the card's shadow root
export const focused = (page) => page.evaluate(() => {
  let element = document.activeElement;

  while (element.shadowRoot?.activeElement) {
    element = element.shadowRoot.activeElement;
  }

  return element.value || element.textContent || element.ariaLabel
    || element.localName;
});

// events of a survey; in the order they came
export const of = (id) => (e) => e.survey === id;
