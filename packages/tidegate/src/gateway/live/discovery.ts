import { SSE_TYPE } from './live-request.ts';
import type { LiveMode } from './port.ts';

/** A plain answer of a live route, of which it tells how the same can be had live. */
export interface LiveAddress {
  /** As the client sent it. */
  readonly target: string;
  readonly scheme: 'http' | 'https';
  /** The Host field of the request; undefined if it is not to be told, as in what a shared cache keeps for several hosts. */
  readonly host?: string | undefined;
  readonly mode: LiveMode;
}

/** What cannot stand in an address between angle brackets, though HTTP lets it stand in a target. */
const UNSAFE = /[^\w\-.~:/?[\]@!$&'()*+,;=%]/g;

/**
 * The fields by which a plain answer tells its live variants, for clients of the LiveResource protocol and everybody else:
 *
 * - `value-wait` is the relation of the first edition of that protocol for long-polling, `LiveResource-Property: wait` the later one;
 * - a link of type `text/event-stream` is the event stream: to both editions by the relations `alternate` and, by what it
 *   brings, `value-stream` or `changes-stream`;
 * - a link to the same address with the scheme of WebSocket is the WebSocket.
 *
 * There are several fields named `link`; the answer may have others of the origin's.
 */
export function liveFields({ target, scheme, host, mode }: LiveAddress): [name: string, value: string][] {
  const address = target.replaceAll(UNSAFE, (octet) => encodeURIComponent(octet));
  const stream = mode === 'patch' ? 'changes-stream' : 'value-stream';
  const fields: [string, string][] = [
    ['link', `<${address}>; rel="value-wait"`],
    ['link', `<${address}>; rel="alternate ${stream}"; type="${SSE_TYPE}"`],
  ];
  if (host !== undefined && target.startsWith('/')) {
    const socketScheme = scheme === 'https' ? 'wss' : 'ws';
    fields.push(['link', `<${socketScheme}://${host}${address}>; rel="alternate"`]);
  }
  fields.push(['liveresource-property', 'wait']);
  return fields;
}
