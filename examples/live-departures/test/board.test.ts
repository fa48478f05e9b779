import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Airport, boardAt, minuteAfter, readAirports } from '../departures/index.ts';

const at = (hours: number, minutes: number): number => hours * 60 + minutes;

const AIRPORT: Airport = {
  code: 'ORD',
  city: 'Chicago',
  flights: [
    { id: 'on-time', to: 'BNA', city: 'Nashville', scheduledMinute: at(8, 0), delayMinutes: 4 },
    { id: 'late', to: 'DEN', city: 'Denver', scheduledMinute: at(8, 0), delayMinutes: 45 },
  ],
};

/** What the board says of a flight at `08:00`; `gone` once it has left the board. */
function seenAt(id: string, time: string): string {
  const [hours, minutes] = time.split(':').map(Number);
  const departure = boardAt(AIRPORT, at(hours, minutes)).departures[id];
  return departure === undefined ? 'gone' : `${departure.status} ${departure.expected}`;
}

test('a flight is scheduled, boards, leaves, and is gone a moment later', () => {
  const times = ['07:00', '07:54', '07:55', '08:03', '08:04', '08:06', '08:07'];
  assert.deepEqual(
    times.map((time) => seenAt('on-time', time)),
    [
      'scheduled 08:00',
      'scheduled 08:00',
      'boarding 08:00',
      'boarding 08:00',
      'departed 08:00',
      'departed 08:00',
      'gone',
    ],
  );
});

test('a delay is told before the flight should have left, and turns out to be longer', () => {
  const times = ['07:29', '07:30', '07:59', '08:00', '08:36', '08:45'];
  assert.deepEqual(
    times.map((time) => seenAt('late', time)),
    [
      'scheduled 08:00',
      'delayed 08:23',
      'delayed 08:23',
      'delayed 08:45',
      'boarding 08:45',
      'departed 08:45',
    ],
  );
});

test('the clock of the boards runs faster, and begins the day again before the night', () => {
  assert.equal(minuteAfter(0, 60), at(6, 30));
  assert.equal(minuteAfter(999, 60), at(6, 30));
  assert.equal(minuteAfter(1000, 60), at(6, 31));
  assert.equal(minuteAfter(929_000, 60), at(21, 59));
  assert.equal(minuteAfter(930_000, 60), at(6, 30));
});

test('the data set has eight airports, each with a full board all day long', async () => {
  const airports = await readAirports();
  assert.equal(airports.size, 8);
  assert.equal(airports.get('ORD')?.city, 'Chicago');
  for (const airport of airports.values()) {
    assert.equal(new Set(airport.flights.map(({ id }) => id)).size, airport.flights.length, airport.code);
    for (let minute = minuteAfter(0, 60); minute < at(20, 0); minute += 30) {
      assert.equal(Object.keys(boardAt(airport, minute).departures).length, 12, `${airport.code} ${minute}`);
    }
  }
});
