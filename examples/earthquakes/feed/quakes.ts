import { readDataSet } from './data-set.ts';
import { type Feed, inTimeOrder } from './feed-event.ts';
import { regionOf } from './region.ts';

/** What the example uses of the survey's GeoJSON. */
interface EarthquakeFile {
  readonly features: readonly {
    readonly id: string;
    readonly properties: {
      readonly mag: number;
      readonly place: string;
      readonly time: number;
      readonly magType: string;
      readonly url: string;
    };
    /** Longitude and latitude in degrees, depth in kilometres. */
    readonly geometry: { readonly coordinates: readonly [number, number, number] };
  }[];
}

/** Every earthquake of one week that the US Geological Survey located, on `quakes/{region}`. */
export async function readQuakes(): Promise<Feed> {
  const file = JSON.parse(await readDataSet('earthquakes.json')) as EarthquakeFile;
  const events = file.features.map(({ id, properties, geometry }) => {
    const [longitude, latitude, depthKm] = geometry.coordinates;
    const { mag: magnitude, magType: magnitudeType, place, url } = properties;
    return {
      channel: `quakes/${regionOf(place)}`,
      id,
      source: 'https://earthquake.usgs.gov/earthquakes/feed/',
      type: 'gov.usgs.earthquake',
      timeMs: properties.time,
      data: { id, place, magnitude, magnitudeType, depthKm, longitude, latitude, url, time: properties.time },
    };
  });
  return { name: 'quakes', events: inTimeOrder(events) };
}
