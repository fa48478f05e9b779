import type { Airport, Flight } from './flights.ts';

const ROWS_MAX = 12;
/** How long a flight stays on the board after it has left. */
const SHOWN_AFTERWARDS_MINUTES = 3;
const BOARDING_MINUTES = 9;
/** When a delay is told for the first time, before the flight should have left; how long it will be is not known by then. */
const WARNING_MINUTES = 30;
/** A shorter delay is told nobody. */
const DELAY_MINUTES_MIN = 15;

export type Status = 'scheduled' | 'boarding' | 'delayed' | 'departed';

export interface Departure {
  /** `06:55`, as are all times. */
  readonly scheduled: string;
  readonly expected: string;
  readonly to: string;
  readonly city: string;
  readonly status: Status;
}

/** What the API answers. */
export interface Board {
  readonly airport: { readonly code: string; readonly city: string };
  readonly time: string;
  /** By the flight's id rather than in a row, so that what has changed about one can be said shortly. */
  readonly departures: Readonly<Record<string, Departure>>;
}

/** The board of an airport at a minute after midnight. */
export function boardAt({ code, city, flights }: Airport, minute: number): Board {
  const departures = flights
    .filter((flight) => minute < leavesAt(flight) + SHOWN_AFTERWARDS_MINUTES)
    .slice(0, ROWS_MAX)
    .map((flight) => [flight.id, departureAt(flight, minute)]);
  return { airport: { code, city }, time: timeOf(minute), departures: Object.fromEntries(departures) };
}

function departureAt(flight: Flight, minute: number): Departure {
  const { to, city, scheduledMinute } = flight;
  const status = statusAt(flight, minute);
  return {
    scheduled: timeOf(scheduledMinute),
    expected: timeOf(scheduledMinute + announcedDelay(flight, minute)),
    to,
    city,
    status,
  };
}

function statusAt(flight: Flight, minute: number): Status {
  if (minute >= leavesAt(flight)) return 'departed';
  if (minute >= leavesAt(flight) - BOARDING_MINUTES) return 'boarding';
  return announcedDelay(flight, minute) > 0 ? 'delayed' : 'scheduled';
}

/** Half of the delay at first, and all of it once the flight should have left. */
function announcedDelay({ scheduledMinute, delayMinutes }: Flight, minute: number): number {
  if (delayMinutes < DELAY_MINUTES_MIN || minute < scheduledMinute - WARNING_MINUTES) return 0;
  return minute < scheduledMinute ? Math.ceil(delayMinutes / 2) : delayMinutes;
}

function leavesAt({ scheduledMinute, delayMinutes }: Flight): number {
  return scheduledMinute + delayMinutes;
}

function timeOf(minute: number): string {
  const ofDay = minute % (24 * 60);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${two(Math.floor(ofDay / 60))}:${two(ofDay % 60)}`;
}
