import { Buffer } from 'node:buffer';
import { encodeTnetstring, type TnetInput } from '../../wire/grip/index.ts';

/** What statistics are of. */
export type StatisticsType = 'conn' | 'sub' | 'message' | 'activity' | 'counts' | 'report' | 'conn-max';

export type StatisticsFormat = 'tnetstring' | 'json';

/** Members that are undefined are left out. */
export type StatisticsMembers = { readonly [name: string]: TnetInput | undefined };

/** One message with statistics: `type SP T` and a tnetstring, or `type SP J` and JSON. Whoever subscribes to a type subscribes to how it begins. */
export function encodeStatistics(
  type: StatisticsType,
  members: StatisticsMembers,
  format: StatisticsFormat,
): Buffer {
  return format === 'json'
    ? Buffer.from(`${type} J${JSON.stringify(members)}`)
    : Buffer.concat([Buffer.from(`${type} T`), encodeTnetstring(members)]);
}
