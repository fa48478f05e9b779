import { Buffer } from 'node:buffer';
import type { PublishedEvent } from '../../channels/index.ts';
import { EMPTY } from '../../kernel/index.ts';
import type { PublishFormats, PublishItem } from '../../wire/grip/index.ts';
import { contentOf } from './item-content.ts';
import { encodeStoredItem } from './stored-item.ts';

/** Half of the identity of events whose publisher named no source; a credential takes its place where there is one. */
const NO_SOURCE = '';

/**
 * The events that an item becomes, in this order: one with its content, and a control event with what acts on connections only, such as
 * `close`, `hint` and pings. Most items become one.
 */
export function eventsOf(item: PublishItem): readonly PublishedEvent[] {
  const { id, prevId, meta } = item;
  const { contents, signals } = split(item.formats);
  const events: PublishedEvent[] = [];
  const content = contents === null ? null : contentOf(contents);
  if (contents !== null && content !== null) {
    const { data, dataKind, attributes } = content;
    events.push({
      channel: item.channel,
      data,
      dataKind,
      attributes: id === null ? attributes : [['id', id], ...attributes],
      clientId: id,
      identitySource: NO_SOURCE,
      renderings: encodeStoredItem({ formats: contents, meta, prevId }, data),
    });
  }
  if (signals !== null) {
    events.push({
      channel: item.channel,
      data: Buffer.from(encodeStoredItem({ formats: signals, meta }, EMPTY), 'utf8'),
      dataKind: 'text',
      attributes: [],
      // No id has a NUL in it: so this is told from the event with the content.
      clientId: id === null ? null : `${id}\0control`,
      identitySource: NO_SOURCE,
      kind: 'control',
    });
  }
  return events;
}

/** Parts formats into those with content, which are kept, and those that only act on who is there. Null where there are none. */
function split({ httpResponse, httpStream, webSocketMessage }: PublishFormats): {
  readonly contents: PublishFormats | null;
  readonly signals: PublishFormats | null;
} {
  const isMessage =
    webSocketMessage?.action === 'send' &&
    webSocketMessage.type !== 'ping' &&
    webSocketMessage.type !== 'pong';
  return {
    contents: unlessEmpty({
      httpResponse: httpResponse?.action === 'send' ? httpResponse : null,
      httpStream: httpStream?.action === 'send' ? httpStream : null,
      webSocketMessage: isMessage ? webSocketMessage : null,
    }),
    signals: unlessEmpty({
      httpResponse: httpResponse?.action === 'send' ? null : httpResponse,
      httpStream: httpStream?.action === 'send' ? null : httpStream,
      webSocketMessage: isMessage ? null : webSocketMessage,
    }),
  };
}

function unlessEmpty(formats: PublishFormats): PublishFormats | null {
  const { httpResponse, httpStream, webSocketMessage } = formats;
  return httpResponse === null && httpStream === null && webSocketMessage === null ? null : formats;
}
