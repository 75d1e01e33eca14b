const text = document.getElementById('text');

function section(n) {
  const one = document.createElement('p');

  one.className = 'section';
  one.id = `s${n}`;
  one.textContent = `Section ${n}. `.repeat(40);
  return one;
}

// six windows, or none, or as many as somebody scrolls
window.fill = (n) => text.replaceChildren(
  ...Array.from({ length: n }, (_, i) => section(i + 1)));
fill(7);

window.endless = () => {
  fill(4);
  document.getElementById('end').remove();
  addEventListener('scroll', () => {
    const { scrollHeight } = document.documentElement;

    if (scrollY + 2 * innerHeight > scrollHeight && text.children.length < 40) {
      text.append(section(text.children.length + 1));
    }
  });
};

// what was said before comes on top, and the browser keeps the place
window.history_ = () => addEventListener('scroll', () => {
  if (scrollY > 0 && scrollY < 300 && text.children.length < 40) {
    text.prepend(section(text.children.length + 1));
  }
});

// asks all the time; its timer fails once
window.poll = () => {
  setInterval(() => fetch('plain.css?poll').then((r) => r.text())
    .then(() => { document.title = Date.now(); }), 400);
  setTimeout(() => { throw new Error('timer'); }, 900);
};

// fails again and again, whatever anybody does
window.broken = () => setInterval(() => { throw new Error('again'); }, 150);
window.shake = () => setInterval(() => scrollTo(0, scrollY ? 0 : 600), 300);
