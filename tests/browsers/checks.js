// Each check throws if a browser does not get what it should; its name is the claim.

const equal = (found, expected) => {
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    throw new Error(`${JSON.stringify(found)} in place of ${JSON.stringify(expected)}`);
  }
};

const hold = (condition, otherwise) => {
  if (!condition) throw new Error(otherwise);
};

const happens = (target, name) =>
  new Promise((resolve, reject) => {
    target.addEventListener(name, resolve, { once: true });
    target.addEventListener('error', () => reject(new Error(`an error, not ${name}`)), { once: true });
  });

const hex = (buffer) => [...new Uint8Array(buffer)].map((each) => each.toString(16).padStart(2, '0')).join('');

// What the browser noted of the last request for a URL.
const noted = (url) => performance.getEntriesByName(new URL(url, location).href).at(-1);

const fetched = async (url, how) => {
  const answer = await fetch(url, how);
  const body = await answer.arrayBuffer();
  // The note is made after the body's end.
  while (!noted(url)) await new Promise((resolve) => setTimeout(resolve));
  return { answer, body };
};

const checks = {
  'HTTP is redirected to HTTPS': () => equal(location.protocol, 'https:'),

  'the page comes by HTTP/2': () => equal(performance.getEntriesByType('navigation')[0].nextHopProtocol, 'h2'),

  'a hint comes before the page': () => {
    const page = performance.getEntriesByType('navigation')[0];
    if ('firstInterimResponseStart' in page) hold(page.firstInterimResponseStart > 0, 'no interim answer was noted');
  },

  'a file with a hash in its name is not asked for again': async () => {
    const url = '/static/kept.0123456789ab.txt';
    await fetched(url);
    performance.clearResourceTimings();
    await fetched(url);
    equal(noted(url).transferSize, 0);
  },

  'a file that did not change is not sent again': async () => {
    const url = '/static/tone.wav';
    const whole = await fetched(url);
    const again = await fetched(url, { cache: 'no-cache' });
    equal(again.body.byteLength, whole.body.byteLength);
    // Firefox notes the size of what it kept; what went over the line is in the server's log.
  },

  'a range is a range': async () => {
    const { answer, body } = await fetched('/static/tone.wav', { headers: { Range: 'bytes=8-11' }, cache: 'no-store' });
    equal([answer.status, new TextDecoder().decode(body)], [206, 'WAVE']);
  },

  'a player can seek': async () => {
    const player = document.querySelector('audio');
    player.src = '/static/tone.wav?seek';
    await happens(player, 'loadedmetadata');
    const there = happens(player, 'seeked');
    player.currentTime = player.duration * 0.9;
    await there;
    hold(player.seekable.length > 0 && player.currentTime > player.duration / 2, `at ${player.currentTime}`);
  },

  'an answer is compressed': async () => {
    const { body } = await fetched('/prose');
    equal(body.byteLength, 180000);
    hold(noted('/prose').encodedBodySize < 10000, `${noted('/prose').encodedBodySize} bytes were sent`);
  },

  'an upload arrives whole': async () => {
    const bytes = new Uint8Array(3 << 20).map((_, index) => index * 7 + (index >> 8));
    const answer = await fetch('/upload', { method: 'POST', body: new Blob([bytes]) });
    const sha256 = hex(await crypto.subtle.digest('SHA-256', bytes));
    equal(await answer.json(), { size: bytes.length, sha256 });
  },

  'a streamed answer is seen piece by piece': async () => {
    const reader = (await fetch('/stream')).body.getReader();
    const text = new TextDecoder();
    let seen = text.decode((await reader.read()).value);
    equal(seen, 'before;');
    await fetch('/gate', { method: 'POST' });
    for (let piece; !(piece = await reader.read()).done; ) seen += text.decode(piece.value);
    equal(seen, 'before;after');
  },

  'the application hears that a client went away': async () => {
    const end = new AbortController();
    const answer = await fetch('/endless', { signal: end.signal });
    await answer.body.getReader().read();
    end.abort();
    equal(await (await fetch('/left')).text(), 'left');
  },

  'events come, and the browser goes on after the last': async () => {
    const source = new EventSource('/events');
    const seen = [];
    await new Promise((resolve) => {
      source.onmessage = (event) => {
        seen.push(event.data);
        if (seen.length === 3) resolve();
      };
    });
    source.close();
    equal(seen, ['event 1', 'event 2', 'event 3']);
  },

  'a WebSocket echoes text and bytes, short and long': async () => {
    const socket = new WebSocket(`wss://${location.host}/socket`, ['first', 'second']);
    socket.binaryType = 'arraybuffer';
    await happens(socket, 'open');
    equal(socket.protocol, 'second');
    hold(socket.extensions.includes('permessage-deflate'), `extensions: ${socket.extensions}`);
    for (const text of ['', 'grüß dich', 'long '.repeat(50000)]) {
      const heard = happens(socket, 'message');
      socket.send(text);
      equal((await heard).data, text);
    }
    const heard = happens(socket, 'message');
    socket.send(new Uint8Array([0, 255, 1]));
    equal([...new Uint8Array((await heard).data)], [0, 255, 1]);
    const closed = happens(socket, 'close');
    socket.send('enough');
    const { code, reason, wasClean } = await closed;
    equal([code, reason, wasClean], [4321, 'as asked', true]);
  },

  'two hundred requests at once are answered each with its own': async () => {
    const numbers = [...Array(200).keys()].map(String);
    const texts = await Promise.all(numbers.map(async (each) => (await fetch(`/number?${each}`)).text()));
    equal(texts, numbers);
  },
};

const failed = {};
for (const [claim, check] of Object.entries(checks)) {
  try {
    await check();
  } catch (error) {
    failed[claim] = String(error);
  }
}
await fetch('/verdict', { method: 'POST', body: JSON.stringify({ claims: Object.keys(checks), failed }) });
