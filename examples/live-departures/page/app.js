import { DepartureTable } from './departure-table.js';
import { showFigures } from './figures.js';
import { followValue } from './live-value.js';
import { addViewers } from './more-viewers.js';

const VIEWERS_STEP = 10;
const PHASES = {
  connecting: 'connecting',
  live: 'live',
  stale: 'the API does not answer',
  reconnecting: 'reconnecting',
};

const byId = (id) => document.getElementById(id);
const table = new DepartureTable(byId('departures'));
const airport = byId('airport');
let stop = () => {};

/** Where the API is, for a plain `fetch` as for an EventSource. */
const boardUrl = () => `api/departures?airport=${airport.value}`;

function showPhase(phase) {
  byId('phase').dataset.phase = phase;
  byId('phase').textContent = PHASES[phase];
}

function showBoard(board) {
  byId('city').textContent = board.airport.city;
  byId('clock').textContent = board.time;
  table.show(board.departures);
}

function showEvent({ kind, data }) {
  byId('event-kind').textContent = `${kind}, ${data.length.toLocaleString('en')} characters`;
  byId('event').textContent =
    kind === 'patch'
      ? JSON.parse(data)
          .map((operation) => JSON.stringify(operation))
          .join('\n')
      : data;
}

function follow() {
  stop();
  table.clear();
  stop = followValue(boardUrl(), {
    phase: showPhase,
    value: (board, event) => {
      showBoard(board);
      showEvent(event);
    },
  });
}

for (const { code, city } of await (await fetch('api/airports')).json()) {
  airport.add(new Option(`${city} (${code})`, code));
}
airport.addEventListener('change', follow);
byId('more').addEventListener('click', () => addViewers(boardUrl(), VIEWERS_STEP));
showFigures({ viewers: byId('viewers'), requests: byId('requests'), rate: byId('rate') });
follow();
