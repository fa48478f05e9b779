/** The survey shortens some names in some places and writes them out in others. */
const WRITTEN_OUT: Readonly<Record<string, string>> = { ca: 'california', nv: 'nevada', mx: 'mexico' };

/**
 * The region of a place as the survey words it, as a channel segment: `4km W of Castaic, CA` lies in `california`,
 * `Off the east coast of the North Island of New Zealand` in `new-zealand`, `South of Fiji` in `fiji`, and
 * `Southern Mid-Atlantic Ridge` is a region itself.
 */
export function regionOf(place: string): string {
  const afterComma = place.slice(place.lastIndexOf(',') + 1).trim();
  const named =
    /^(?:off the .*|north|south|east|west) of (?:the )?(.+)$/i.exec(afterComma)?.[1] ?? afterComma;
  const segment = named
    .replace(/ region$/i, '')
    .normalize('NFD')
    .toLowerCase()
    .replace(/[\u0300-\u036f.]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return WRITTEN_OUT[segment] ?? (segment || 'elsewhere');
}
