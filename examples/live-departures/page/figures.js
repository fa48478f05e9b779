const INTERVAL_MS = 2000;
const MINUTE_MS = 60_000;

/**
 * Shows what the origin says of itself: how often its API was asked, and how many look at the boards. The gateway keeps the answer for a
 * second, so that this costs the origin no more with many pages than with one.
 */
export function showFigures({ viewers, requests, rate }) {
  const samples = [];

  const update = async () => {
    const response = await fetch('api/requests');
    if (!response.ok) return;
    const figures = await response.json();
    samples.push({ timeMs: performance.now(), requests: figures.requests });
    while (samples[0].timeMs < samples.at(-1).timeMs - MINUTE_MS) samples.shift();
    viewers.textContent = figures.viewers ?? '–';
    requests.textContent = figures.requests.toLocaleString('en');
    rate.textContent = perMinute(samples) ?? '–';
  };

  const repeat = () => {
    // Without a gateway there are no figures; the board says that it is not live.
    update().catch(() => {});
    setTimeout(repeat, INTERVAL_MS);
  };
  repeat();
}

/** Null as long as too little time has passed to say. */
function perMinute(samples) {
  const [first, last] = [samples[0], samples.at(-1)];
  const passedMs = last.timeMs - first.timeMs;
  if (passedMs < 5 * INTERVAL_MS || last.requests < first.requests) return null;
  return Math.round(((last.requests - first.requests) * MINUTE_MS) / passedMs);
}
