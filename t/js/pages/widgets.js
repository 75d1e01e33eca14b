const $ = (id) => document.getElementById(id);
const on = (id, f, type = 'click') => $(id).addEventListener(type, f);

on('plus', () => { $('amount').value++; $('less').disabled = false; });
on('less', () => { $('amount').value--; });

// works for a while at each click, and three times only
let heavy = 0;

on('heavy', (e) => {
  const end = performance.now() + 220;

  while (performance.now() < end);

  if (heavy < 3) {
    e.target.textContent = `${++heavy} of 3`;
  }
});

// nothing but the value of a field changes, and at its end nothing does
on('sell', () => { $('sold').value = Math.min(6, +$('sold').value + 1); });

let month = 0;

function draw() {
  $('month').textContent = new Date(2026, month, 1)
    .toLocaleString('en', { month: 'long', year: 'numeric' });
  $('days').replaceChildren(...[0, 1, 2, 3, 4].map((week) => {
    const row = document.createElement('tr');

    for (let day = 1; day <= 7; day++) {
      row.insertCell().textContent = week * 7 + day;
    }

    return row;
  }));
}

draw();
on('next', () => { month++; draw(); });
on('prev', () => { month--; draw(); });

// half a minute of silence, 8 bits, 8 kHz
const wave = new Uint8Array(44 + 240000).fill(128);
const text = (at, s) => [...s].forEach((c, i) => {
  wave[at + i] = c.charCodeAt(0);
});
const view = new DataView(wave.buffer);

text(0, 'RIFF....WAVEfmt ');
view.setUint32(4, 240036, true);
view.setUint32(16, 16, true);
view.setUint16(20, 1, true);
view.setUint16(22, 1, true);
view.setUint32(24, 8000, true);
view.setUint32(28, 8000, true);
view.setUint16(32, 1, true);
view.setUint16(34, 8, true);
text(36, 'data');
view.setUint32(40, 240000, true);
$('video').src = URL.createObjectURL(new Blob([wave], { type: 'audio/wav' }));

// a scrubber and a mute button that show nothing at once
on('scrub', (e) => { $('video').currentTime = e.offsetX / 10; });
on('mute', () => { $('video').muted = !$('video').muted; });

// a game: the mouse steers, clicks shoot, and only the canvas changes
const pen = $('game').getContext('2d');
const shoot = (e) => pen.fillRect(e.offsetX % 300, 5, 4, 40);

on('game', shoot);
on('game', shoot, 'mousemove');
on('turn', () => pen.fillRect(100, 5, 90, 40));

on('bold', () => document.execCommand('bold'));
on('bold', (e) => e.preventDefault(), 'mousedown');

let dragged;

on('list', (e) => { dragged = e.target; }, 'dragstart');
on('list', (e) => e.preventDefault(), 'dragover');
on('list', (e) => { e.preventDefault(); e.target.before(dragged); }, 'drop');

on('card', (e) => $('card').setPointerCapture(e.pointerId), 'pointerdown');
on('card', (e) => {
  if (e.buttons) {
    $('card').style.left = `${e.clientX}px`;
  }
}, 'pointermove');

class ClosedBox extends HTMLElement {
  connectedCallback() {
    const root = this.attachShadow({ mode: 'closed' });

    root.innerHTML = '<button type="button">off</button>';
    root.firstChild.onclick = (e) => { e.target.textContent = 'on'; };
  }
}

customElements.define('closed-box', ClosedBox);

on('confirm', () => confirm('Really?'));
on('tone', () => {
  const sound = new AudioContext();
  const tone = sound.createOscillator();

  tone.connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + 0.1);
});

const worker = new Worker(URL.createObjectURL(new Blob([
  'onmessage = () => setTimeout(postMessage, 4000, 1)'])));

on('work', () => worker.postMessage(1));
on('print', () => print());
