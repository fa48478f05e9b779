import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FEED_NAMES, readFeeds, regionOf } from '../feed/index.ts';
import { SPAN_MS, schedule } from '../replay/index.ts';

const REGIONS: readonly (readonly [place: string, region: string])[] = [
  ['4km W of Castaic, CA', 'california'],
  ['22km E of Portola, California', 'california'],
  ['13km WNW of Mogul, NV', 'nevada'],
  ['25km SSW of Mexicali, B.C., MX', 'mexico'],
  ['61km NE of Road Town, British Virgin Islands', 'british-virgin-islands'],
  ['8km S of Charlotte Amalie, U.S. Virgin Islands', 'us-virgin-islands'],
  ['Off the east coast of the North Island of New Zealand', 'new-zealand'],
  ['103km SSE of Betio, Kiribati region', 'kiribati'],
  ['South of the Fiji Islands', 'fiji-islands'],
  ['Gulf of Alaska', 'gulf-of-alaska'],
  ['Southern Mid-Atlantic Ridge', 'southern-mid-atlantic-ridge'],
  ['', 'elsewhere'],
];

for (const [place, region] of REGIONS) {
  test(`a quake at "${place}" belongs to the region ${region}`, () => {
    assert.equal(regionOf(place), region);
  });
}

test('every feed has ids of its own, channels of two segments, and the order of its times', async () => {
  for (const { name, events } of await readFeeds(FEED_NAMES)) {
    assert.ok(events.length > 500, name);
    assert.equal(new Set(events.map(({ id }) => id)).size, events.length, name);
    for (const { channel } of events) assert.match(channel, new RegExp(`^${name}/[A-Za-z-]+$`));
    for (let i = 1; i < events.length; i++)
      assert.ok(events[i].timeMs >= events[i - 1].timeMs, `${name} ${i}`);
  }
});

test('the schedule holds every event, stretches each feed over the week, and keeps the order within it', async () => {
  const feeds = await readFeeds(FEED_NAMES);
  const scheduled = schedule(feeds);
  assert.equal(
    scheduled.length,
    feeds.reduce((sum, { events }) => sum + events.length, 0),
  );
  for (const { events } of feeds) {
    const own = new Set(events);
    const places = scheduled.filter(({ event }) => own.has(event));
    assert.deepEqual(
      places.map(({ event }) => event),
      events,
    );
    assert.equal(places[0].positionMs, 0);
    assert.ok(Math.abs((places.at(-1)?.positionMs ?? 0) - SPAN_MS) < 1);
  }
});
