// What a 95 % interval promises: of a thousand surveys whose truth is known,
// about 950 have it in theirs, by the figures of cxctl.  CX_SEED=n repeats.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { random } from './lib/people.mjs';
import { Stack, build } from './lib/stack.mjs';

const SITES = 5;                // as a day of a site has 200 surveys at most
const MANY = 1000;
const SHOWN = 60;               // of each

const seed = Number(process.env.CX_SEED || Date.now() % 1e9);
const run = promisify(execFile);

let stack;

before(async () => { stack = await Stack.start(); });
after(() => stack?.stop());

const ask = (program, site, ...args) => run(join(build, program), [...args,
  '--redis', `unix:${stack.socket}`, '--site', site], { maxBuffer: 1 << 28 });

const FIELDS = {
  shown: ['ts', 'page', 'visit', 'touchpoint', 'stage', 'segment', 'view',
    'survey', 'version', 'trigger', 'chance', 'dry'],
  answer: ['ts', 'page', 'visit', 'touchpoint', 'stage', 'segment', 'view',
    'answer', 'survey', 'version', 'metric', 'score', 'choice', 'text', 'done',
    'lang', 'source', 'trigger', 'chance', 'view_ts', 'status', 'request_ms',
    'first_ms', 'upstream_ms', 'cache', 'signals']
};

// entries as the module writes them, one connection for all
function write(site, events) {
  const line = (args) => `*${args.length}\r\n` + args.map((arg) =>
    `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`).join('');
  let got = 0;

  return new Promise((done, fail) => {
    const socket = connect(stack.socket);

    socket.on('error', fail);
    socket.on('data', (data) => {
      got += data.toString().split('$').length - 1;
      got >= events.length && (socket.destroy(), done());
    });
    socket.write(events.map((event) => line(['XADD', `cx:{${site}}:events`,
      '*', 'type', event.type, ...FIELDS[event.type].flatMap((name) =>
        [name, event[name] ?? ''])])).join(''));
  });
}

test('95 % intervals hold what is true about 95 times in 100', async (t) => {
  const rng = random(seed);
  const truth = { answered: 0.35, text: 0.4, promoter: 0.45, detractor: 0.25,
                  satisfied: 0.7 };
  const events = [];
  const now = Date.now();
  const day = new Date(now).toISOString().slice(0, 10).replace(/-/g, '');

  t.diagnostic(`CX_SEED=${seed}`);

  for (let i = 0; i < MANY; i++) {
    const at = { ts: now, page: '/', survey: `s-${i}`,
                 version: '0123abcd' };

    for (let k = 0; k < SHOWN; k++) {
      events.push({ type: 'shown', ...at });

      if (rng.chance(truth.answered)) {
        const draw = rng();

        events.push({
          type: 'answer', ...at, metric: i % 2 ? 'nps' : 'csat',
          answer: (i * SHOWN + k).toString(16).padStart(16, '0'),
          text: rng.chance(truth.text) ? 'so' : '', source: 'asked',
          lang: 'en',
          score: i % 2 ? draw < truth.promoter ? 10
            : draw < truth.promoter + truth.detractor ? 3 : 8
            : draw < truth.satisfied ? 5 : 2
        });
      }
    }
  }

  const list = [];

  for (let i = 0; i < SITES; i++) {
    await write(`truth${i}`, events.filter((event) =>
      event.survey.slice(2) % SITES === i));
    await ask('cx-aggregator', `truth${i}`, '--once', '--log-level', 'error');
    list.push(...JSON.parse((await ask('cxctl', `truth${i}`, 'surveys',
                                       '--json', '--window', day)).stdout)
      .surveys);
  }

  const step = (s, name) => s.funnel.find((one) => one.step === name);

  assert.equal(list.length, MANY);

  for (const [what, value, bounds] of [
    ['answered', 35, (s) => [step(s, 'answered').rate_lo,
      step(s, 'answered').rate_hi]],
    ['text', 40, (s) => [step(s, 'text').rate_lo, step(s, 'text').rate_hi]],
    ['nps', 20, (s) => [s.figures.nps_lo, s.figures.nps_hi]],
    ['satisfaction', 70, (s) => [s.figures.satisfaction_lo,
      s.figures.satisfaction_hi]]
  ]) {
    const all = list.map(bounds).filter(([low]) => low !== null
      && low !== undefined);
    const held = all.filter(([low, high]) => low <= value && value <= high);
    const share = held.length / all.length;

    t.diagnostic(`${what}: ${held.length} of ${all.length} hold ${value}`);
    assert.ok(all.length > MANY / 2 - 20, `${what}: ${all.length}`);
    assert.ok(share > 0.91 && share < 0.99, `${what}: ${share}`);
  }
});
