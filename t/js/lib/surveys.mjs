// The surveys that the tests show, one for each page, and these pages.

import { readFileSync } from 'node:fs';

export const plain = readFileSync(
  new URL('../pages/plain.html', import.meta.url), 'utf8');

export const survey = (id, metric, question, more = {}) => ({
  id, metric, question, where: { pages: [`/${id}.html`] }, ...more
});

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

export const pagesOf = (surveys) => Object.fromEntries(
  surveys.map(({ id }) => [`${id}.html`, plain]));
