import { readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

const AIRPORTS_MAX = 8;

export interface Flight {
  /** `ORD-BNA-0655-1`: the data set has no flight numbers, so those of one route and minute are counted. */
  readonly id: string;
  /** The code of the airport that it flies to. */
  readonly to: string;
  readonly city: string;
  /** Minutes after midnight. */
  readonly scheduledMinute: number;
  /** Not negative: nobody leaves without the passengers who come in time. */
  readonly delayMinutes: number;
}

export interface Airport {
  readonly code: string;
  readonly city: string;
  /** In the order of their schedule. */
  readonly flights: readonly Flight[];
}

/** A row of the data set. */
interface Row {
  /** `2001/01/01 06:55`, local time. */
  readonly date: string;
  readonly delay: number;
  readonly origin: string;
  readonly destination: string;
}

/** The busiest airports of npm's `vega-datasets`, by code. The flights of its three months make one busy day. */
export async function readAirports(): Promise<ReadonlyMap<string, Airport>> {
  const rows = JSON.parse(await readDataSet('flights-5k.json')) as readonly Row[];
  const cities = citiesOf(await readDataSet('airports.csv'));
  const cityOf = (code: string): string => cities.get(code) ?? code;
  const busiest = [...Map.groupBy(rows, ({ origin }) => origin)]
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, AIRPORTS_MAX);
  return new Map(
    busiest.map(([code, own]) => [code, { code, city: cityOf(code), flights: flightsOf(own, cityOf) }]),
  );
}

function flightsOf(rows: readonly Row[], cityOf: (code: string) => string): readonly Flight[] {
  const seen = new Map<string, number>();
  const flights = rows.map(({ date, delay, origin, destination }) => {
    const [hours, minutes] = date.slice(-5).split(':');
    const name = `${origin}-${destination}-${hours}${minutes}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return {
      id: `${name}-${count}`,
      to: destination,
      city: cityOf(destination),
      scheduledMinute: Number(hours) * 60 + Number(minutes),
      delayMinutes: Math.max(0, delay),
    };
  });
  return flights.sort((a, b) => a.scheduledMinute - b.scheduledMinute);
}

/** Lines are `code,name,city,…`, where a name or a city with a comma is quoted. */
function citiesOf(csv: string): ReadonlyMap<string, string> {
  const lines = csv.matchAll(/^(\w+),(?:"[^"]*"|[^",]*),(?:"([^"]*)"|([^",]*)),/gm);
  return new Map([...lines].map(([, code, quoted, plain]) => [code, quoted ?? plain]));
}

async function readDataSet(file: string): Promise<string> {
  const manifest = findPackageJSON('vega-datasets', import.meta.url);
  if (manifest === undefined) throw new Error('vega-datasets is not installed: run npm install');
  return readFile(join(dirname(manifest), 'data', file), 'utf8');
}
