/**
 * Where a connection stands, told to `onState` whenever it changes:
 *
 * - `connecting`: nothing has been received yet;
 * - `live`: the connection is open;
 * - `reconnecting`: it was lost. `cursor` is the position that it will go on from.
 *
 * @typedef {{ phase: 'connecting' | 'live' | 'reconnecting', cursor: string }} FeedState
 *
 * What every kind of connection here is given. `from` is where the first connection begins; later ones go on from the
 * last cursor, so that nothing is missed and nothing comes twice.
 *
 * @typedef {object} FeedOptions
 * @property {string} server the public address of the Tidegate server
 * @property {string} channel a channel or a pattern, `quakes/#`
 * @property {string} from
 * @property {(data: any) => void} onMessage
 * @property {(state: FeedState) => void} onState
 * @property {() => void} onGap messages are missing: the server no longer has them
 */

const RETRY_FIRST_MS = 500;
const RETRY_LONGEST_MS = 10_000;

/** How long to wait before attempt number `attempt`, counted from 0, of connecting again. */
export function retryDelayMs(attempt) {
  const longest = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** attempt);
  // Spread out, so that all who lost the same server do not come back in the same moment.
  return longest * (0.5 + Math.random() / 2);
}

/** The URL of a channel; the slashes between its segments stay. */
export function channelUrl(server, channel, parameters) {
  const path = channel.split('/').map(encodeURIComponent).join('/');
  return `${server}/v1/channels/${path}?${new URLSearchParams(parameters)}`;
}
