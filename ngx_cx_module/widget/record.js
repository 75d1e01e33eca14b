/*
 * What a survey tells of one visitor: start, answer, dismiss.  Each event of
 * the answer holds all that there is so far.
 */

const REST_MS = 800;            /* after a tick in a box, another may come */

/*
 * chosen(): what the step that is seen adds, an object or a false value.
 * free: how often somebody is asked is no question.
 */
export function newRecord(core, survey, trigger, free, chosen) {
  const { id, version, chance, lang, token } = survey;
  const head = core._view;
  let answer = {
    type: "answer", answer: survey.answer, survey: id, version,
    source: trigger == "tab" ? "volunteered" : "asked", trigger, chance, lang
  };
  let last = JSON.stringify(answer);
  let started, timer;

  const tell = (type, more) =>
    core._queue({ type, survey: id, version, ...more }, head);

  const record = {
    /* an input on a control, whatever it may come to */
    _start() {
      started = started || !tell("start");
    },

    /* what is new; later: more may follow soon */
    _settle(more, later) {
      const now = { ...answer, ...chosen(), ...more };
      const text = JSON.stringify(now);

      if (!record._over && text != last) {
        record._start();
        record._sent = 1;
        answer = now;
        last = text;
        core._queue(answer, head, core._tokens[answer.answer] || token);
        clearTimeout(timer);
        timer = setTimeout(core._send, later ? REST_MS : 0);
        free || core._answered(id);
      }
    },

    _dismiss(how) {
      if (!record._sent) {
        tell("dismiss", { how });
        free || core._dismissed(id);
      }
    },

    _score: () => answer.score
  };

  return record;
}
