import { AirportBars } from './airport-bars.js';
import { subscribeByEventSource } from './event-source-feed.js';
import { FeedStatus } from './feed-status.js';
import { renderLegend } from './legend.js';
import { formatMagnitude, formatTime, QuakeList } from './quake-list.js';
import { QuakeMap } from './quake-map.js';
import { StockChart } from './stock-chart.js';
import { subscribeByStream } from './stream-feed.js';
import { subscribeByWebSocket } from './web-socket-feed.js';

/** More than this many in one frame is history that arrives, not news. */
const NEWS_PER_FRAME_MAX = 12;

const byId = (id) => document.getElementById(id);
const load = async (path) => (await fetch(path)).json();
const [{ tidegateUrl: server }, topology] = await Promise.all([load('settings.json'), load('world.json')]);

const tooltip = byId('tooltip');
function showTooltip(found) {
  tooltip.hidden = found === null;
  if (found === null) return;
  const { quake, x, y } = found;
  tooltip.textContent = `M ${formatMagnitude(quake.magnitude)} · ${quake.place} · ${Math.round(quake.depthKm)} km deep · ${formatTime(quake.time)}`;
  tooltip.style.left = `${x}px`;
  tooltip.style.top = `${y}px`;
}

const map = new QuakeMap({ container: byId('map'), buttons: byId('views'), topology, onPoint: showTooltip });
const list = new QuakeList(byId('latest'));
const chart = new StockChart(byId('stocks'));
const airports = new AirportBars(byId('airports'), byId('flight-count'));
renderLegend(byId('legend'));

let strongest = -Infinity;
let quakes = 0;
let waiting = [];

/** Draws what came since the last frame. A page in the background draws once a second instead. */
function takeQuakes() {
  const how = waiting.length > NEWS_PER_FRAME_MAX ? 'history' : 'live';
  for (const quake of waiting) {
    map.addQuake(quake, how);
    list.add(quake);
    strongest = Math.max(strongest, quake.magnitude);
  }
  quakes += waiting.length;
  byId('quake-count').textContent = quakes.toLocaleString('en');
  byId('strongest').textContent = `M ${formatMagnitude(strongest)}`;
  byId('quake-time').textContent = formatTime(waiting.at(-1).time);
  waiting = [];
}

function takeQuake(quake) {
  if (waiting.length === 0) {
    if (document.hidden) setTimeout(takeQuakes, 1000);
    else requestAnimationFrame(takeQuakes);
  }
  waiting.push(quake);
}

function follow(subscribe, { name, protocol, channel, from, take }) {
  const status = new FeedStatus(byId('feeds'), { name, protocol });
  subscribe({
    server,
    channel,
    from,
    onMessage: (data) => {
      status.received();
      take(data);
    },
    onState: (state) => status.changed(state),
    onGap: () => status.gap(),
  });
}

follow(subscribeByEventSource, {
  name: 'Earthquakes',
  protocol: 'EventSource',
  channel: 'quakes/#',
  from: '-500',
  take: takeQuake,
});
follow(subscribeByWebSocket, {
  name: 'Stocks',
  protocol: 'WebSocket',
  channel: 'stocks/#',
  from: '-560',
  take: (price) => chart.add(price),
});
follow(subscribeByStream, {
  name: 'Flights',
  protocol: 'JSON lines',
  channel: 'flights/#',
  from: '-1000',
  take: (flight) => {
    airports.add(flight);
    map.addFlight(flight);
  },
});
