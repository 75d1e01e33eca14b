const $ = (id) => document.getElementById(id);
const on = (id, f, type = 'click') => $(id).addEventListener(type, f);

class OpenBox extends HTMLElement {
  connectedCallback() {
    this.attachShadow({ mode: 'open' }).innerHTML =
      '<button id="inner" type="button">Inner</button>'
      + '<button id="works" type="button">0</button>';
    const works = this.shadowRoot.getElementById('works');
    works.onclick = () => { works.textContent++; };
  }
}

class ClosedBox extends HTMLElement {
  connectedCallback() {
    const root = this.attachShadow({ mode: 'closed' });
    root.innerHTML = '<button type="button">off</button>';
    root.firstChild.onclick = (e) => { e.target.textContent = 'on'; };
  }
}

customElements.define('open-box', OpenBox);
customElements.define('closed-box', ClosedBox);

on('hash', (e) => e.preventDefault());
on('cancelled', (e) => e.preventDefault());
on('slow', () => setTimeout(() => { $('sum').textContent = 'slow'; }, 2000));
on('throws', () => { throw new Error('thrown'); });
on('rejects', () => { Promise.reject(new Error('rejected')); });

const fail = (what) => { throw new Error(what); };

on('half', () => { $('sum').textContent = 'half'; fail('half'); });
on('later', () => {
  $('sum').textContent = 'asks';
  setTimeout(fail, 150, 'later');
});
on('much', () => {
  $('sum').textContent = 'asks';
  setTimeout(fail, 1500, 'much later');
});
on('mine', () => fail('mine'));

on('upto', () => {
  const sum = Number($('sum').textContent);

  if (sum < 6) {
    $('sum').textContent = sum + 1;
  }
});
on('adds', () => { $('sum').textContent++; });
on('press', () => { $('sum').textContent = 'pressed'; }, 'mousedown');
on('fetch', () => fetch('late?secret=1'));
on('xhr', () => {
  const request = new XMLHttpRequest();
  request.open('GET', 'late');
  request.send();
});
on('fetch-on', () => fetch(new Request('hang')));
on('xhr-on', () => {
  const request = new XMLHttpRequest();
  request.open('GET', 'hang');
  request.send();
});

// its thread stands still once, while the answer waits for a frame
let asked;

on('stall', () => {
  asked = asked || setTimeout(() => {
    const end = performance.now() + 400;

    requestAnimationFrame(() => requestAnimationFrame(() => {
      $('sum').textContent = 'at last';
    }));

    while (performance.now() < end);
  }, 200);
});
on('copy', () => navigator.clipboard.writeText('copied'));
on('confirm', () => confirm('Really?'));
on('push', () => history.pushState(null, '', '?pushed'));
on('animate', () => $('animate').animate(
  [{ opacity: 0 }, { opacity: 1 }], 200));
on('focus', () => $('must').focus());
on('scroll', () => scrollTo(0, 300));
on('pick', () => $('files').click());
on('sound', () => { new Audio('data:,').play().catch(() => {}); });
on('show', () => $('dialog').showModal());
on('print', () => print());
