const FIGURES_MS = 2000;

const byId = (id) => document.getElementById(id);

function showPhase(phase, text) {
  byId('phase').dataset.phase = phase;
  byId('phase').textContent = text;
}

/** The count is one event after another. The first may be from a moment ago; the ones after it have come as soon as it is shown. */
function watch() {
  const source = new EventSource('counter');
  source.onmessage = ({ data }) => {
    byId('count').textContent = Number(data).toLocaleString('en');
    showPhase('live', 'live');
  };
  source.onerror = () => {
    // Whatever is not an event stream ends an EventSource for good: it begins anew.
    if (source.readyState === EventSource.CLOSED) setTimeout(watch, 1000);
    showPhase('reconnecting', 'reconnecting');
  };
}

async function countOneMore() {
  const response = await fetch('increments', { method: 'POST' }).catch(() => null);
  byId('problem').textContent = response?.ok
    ? ''
    : 'The app does not answer. The count is still there, and goes on with it.';
}

async function showFigures() {
  const response = await fetch('figures').catch(() => null);
  if (response?.ok) {
    const figures = await response.json();
    for (const name of ['viewers', 'asked', 'counted']) {
      byId(name).textContent = figures[name]?.toLocaleString('en') ?? '–';
    }
  }
  setTimeout(showFigures, FIGURES_MS);
}

byId('more').addEventListener('click', countOneMore);
watch();
void showFigures();
