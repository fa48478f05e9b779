import { applyPatch } from './json-patch.js';

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 10_000;

/**
 * Follows a value whose route is live: the same address that `fetch` would get the JSON from. When the connection is lost the browser
 * connects again by itself and says which version it has. Only where it gives up, after an answer that is an error, does the page
 * begin anew, from the same version.
 *
 * @param {string} url
 * @param {object} on
 * @param {(value: unknown, event: { kind: string, data: string }) => void} on.value  the whole value, and what it came by
 * @param {(phase: 'connecting' | 'live' | 'stale' | 'reconnecting') => void} on.phase  stale: the API fails
 * @returns {() => void} ends it
 */
export function followValue(url, on) {
  let value;
  let version = '';
  let failures = 0;
  let source;
  let timer;

  const connect = () => {
    source = new EventSource(version === '' ? url : addressFrom(url, version));
    source.onopen = () => {
      failures = 0;
      on.phase('live');
    };
    source.addEventListener('snapshot', (event) => take(event, JSON.parse(event.data)));
    source.addEventListener('patch', (event) => take(event, applyPatch(value, JSON.parse(event.data))));
    source.addEventListener('problem', () => on.phase('stale'));
    source.onerror = () => {
      on.phase(version === '' ? 'connecting' : 'reconnecting');
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(connect, retryDelayMs(failures++));
    };
  };

  const take = (event, next) => {
    value = next;
    version = event.lastEventId;
    on.phase('live');
    on.value(value, { kind: event.type, data: event.data });
  };

  on.phase('connecting');
  connect();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

/** The address that has the gateway go on from a version, for where no header can say so. */
function addressFrom(url, version) {
  return `${url}${url.includes('?') ? '&' : '?'}live-from=${encodeURIComponent(version)}`;
}

/** Doubles with each failure, and is drawn at random so that pages do not come back all at once. */
function retryDelayMs(failures) {
  const longest = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** failures);
  return longest / 2 + Math.random() * (longest / 2);
}
