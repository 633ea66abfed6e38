// A page that a server sends asks it for news: a newer report replaces this one. A file asks nobody.

if (location.protocol === 'http:' || location.protocol === 'https:') {
  new EventSource('events').addEventListener('report', () => location.reload());
}
