import { readCsv, readDataSet } from './data-set.ts';
import { type Feed, inTimeOrder } from './feed-event.ts';

interface Flight {
  /** `2001/01/01 06:55`, local time. */
  readonly date: string;
  /** Minutes; negative if the flight was early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

interface Airport {
  readonly city: string;
  readonly position: readonly [longitude: number, latitude: number];
}

async function readAirports(): Promise<ReadonlyMap<string, Airport>> {
  const rows = await readCsv('airports.csv');
  return new Map(
    rows.map(({ iata, city, longitude, latitude }) => [
      iata,
      { city, position: [Number(longitude), Number(latitude)] as const },
    ]),
  );
}

/** A sample of the flights within the United States in three months, on `flights/{origin}`. */
export async function readFlights(): Promise<Feed> {
  const flights = JSON.parse(await readDataSet('flights-5k.json')) as readonly Flight[];
  const airports = await readAirports();
  const seen = new Map<string, number>();
  const events = flights.map(({ date, delay, distance, origin, destination }) => {
    const [day, minute] = date.split(' ');
    const timeMs = Date.parse(`${day.replaceAll('/', '-')}T${minute}:00Z`);
    // The data set has no flight numbers; flights of one minute and route are told apart by counting.
    const route = `${origin}-${destination}-${timeMs / 60_000}`;
    const count = (seen.get(route) ?? 0) + 1;
    seen.set(route, count);
    return {
      channel: `flights/${origin}`,
      id: `${route}-${count}`,
      source: 'https://www.transtats.bts.gov/',
      type: 'gov.bts.flight.departed',
      timeMs,
      data: {
        origin,
        destination,
        delayMinutes: delay,
        distanceMiles: distance,
        city: airports.get(origin)?.city ?? origin,
        from: airports.get(origin)?.position ?? null,
        to: airports.get(destination)?.position ?? null,
      },
    };
  });
  return { name: 'flights', events: inTimeOrder(events) };
}
