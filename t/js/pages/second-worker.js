// Answers a request of its pages by itself, after 1.5 s.
addEventListener('install', () => skipWaiting());
addEventListener('activate', (e) => e.waitUntil(clients.claim()));
addEventListener('fetch', (e) => {
  if (e.request.url.endsWith('/second/cached')) {
    e.respondWith(new Promise((done) => {
      setTimeout(() => done(new Response('stored')), 1500);
    }));
  }
});
