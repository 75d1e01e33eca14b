const $ = (id) => document.getElementById(id);

// what is typed is kept, half a second after the last key
window.autosave = () => {
  let timer;

  $('order').addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => fetch('plain.css?typed=Jane'), 500);
  });
};

window.draft = () => $('order').addEventListener('input', () =>
  localStorage.setItem('draft', JSON.stringify(
    [...$('order').elements].map((field) => field.value))));

// by script: on the way out, or with a request of its own
window.byScript = () => $('how').addEventListener('change', () =>
  $('order').submit());
window.byFetch = () => $('script').addEventListener('submit', (e) => {
  e.preventDefault();
  fetch('plain.css?saved');
});
$('own').addEventListener('click', () => {
  location.href = 'plain.html';
});

// checks at each key, which raises "invalid" though nobody sends anything
window.eager = () => $('strict').addEventListener('input', (e) =>
  e.target.checkValidity());

$('modal').addEventListener('click', () => $('street').focus());
