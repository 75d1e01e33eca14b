const $ = (id) => document.getElementById(id);
let start = 0;

// slides that follow the finger
$('slides').addEventListener('touchstart', (e) => {
  start = e.touches[0].clientX;
});
$('slides').addEventListener('touchmove', (e) => {
  $('track').style.transform =
    `translateX(${e.touches[0].clientX - start}px)`;
});

// a page that turns when the finger is lifted, and asks for the next
$('steps').addEventListener('touchend', () =>
  fetch('plain.css?page').then((r) => r.text()).then(() => {
    $('steps').textContent = 'Page 2';
  }));
$('button').addEventListener('click', () => $('button').append('!'));
