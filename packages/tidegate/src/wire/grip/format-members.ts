import { isUtf8 } from 'node:buffer';
import { EMPTY, type Limits } from '../../kernel/index.ts';
import { allowedClose } from './close.ts';
import type { ContentSource } from './content-source.ts';
import { parseElements } from './header-parameters.ts';
import { isGripField } from './instruct-detection.ts';
import type { Content, Members } from './members.ts';
import type {
  ContentFilters,
  HttpResponseMessage,
  PublishFormats,
  Signal,
  WebSocketMessageType,
} from './publish-format.ts';
import { headersOf, reasonOf, statusCodeOf } from './response-members.ts';

/** The actions that GRIP defines; every format knows all of them, though not each has a use for all. */
const ACTIONS = ['send', 'hint', 'close', 'refresh'] as const;
const MESSAGE_TYPES = ['text', 'binary', 'ping', 'pong'] as const;
/** What a control frame has room for (RFC 6455, section 5.5). */
const CONTROL_BYTES_MAX = 125;

/**
 * Reads the members `http-response`, `http-stream` and `ws-message`.
 * @throws TidegateError grip_item_invalid, naming the member
 */
export function formatsOf(members: Members, source: ContentSource, limits: Limits): PublishFormats {
  const response = members.object('http-response');
  const stream = members.object('http-stream');
  const message = members.object('ws-message');
  return {
    httpResponse: response && httpResponseOf(response, source, limits),
    httpStream: stream && httpStreamOf(stream, source, limits),
    webSocketMessage: message && webSocketMessageOf(message, source, limits),
  };
}

function httpResponseOf(
  members: Members,
  source: ContentSource,
  limits: Limits,
): PublishFormats['httpResponse'] {
  const action = members.choice('action', ACTIONS);
  if (action !== 'send') return { action };
  const body = source.read(members, 'body');
  const bodyPatch = body === null ? members.jsonList('body-patch', limits.jsonNestingMax) : null;
  if (body === null && bodyPatch === null) throw members.fault('body', 'is missing');
  return {
    action,
    code: statusCodeOf(members) ?? 200,
    reason: reasonOf(members),
    ...fieldsOf(members),
    body: body?.bytes ?? null,
    bodyPatch,
    contentFilters: contentFiltersOf(members, limits),
  };
}

/** Fields for the gateway are taken out of the headers; the one that has a meaning here is followed. */
function fieldsOf(members: Members): Pick<HttpResponseMessage, 'headers' | 'exposeHeaders'> {
  const all = headersOf(members);
  const headers = all.filter(([name]) => !isGripField(name));
  if (headers.length === all.length) return { headers, exposeHeaders: [] };
  const exposeHeaders = all
    .filter(([name]) => name.toLowerCase() === 'grip-expose-headers')
    .flatMap(([name, value]) => {
      try {
        return parseElements(name, value).map((element) => element.value.toLowerCase());
      } catch {
        throw members.fault(`headers.${name}`, 'is not a list of names');
      }
    });
  return { headers, exposeHeaders };
}

function httpStreamOf(members: Members, source: ContentSource, limits: Limits): PublishFormats['httpStream'] {
  const action = members.choice('action', ACTIONS);
  if (action !== 'send') return { action };
  const content = source.read(members, 'content');
  if (content === null) throw members.fault('content', 'is missing');
  return { action, content: content.bytes, contentFilters: contentFiltersOf(members, limits) };
}

function webSocketMessageOf(
  members: Members,
  source: ContentSource,
  limits: Limits,
): PublishFormats['webSocketMessage'] {
  const action = members.choice('action', ACTIONS);
  if (action === 'close') {
    const code = members.wholeNumber('code', 0, 0xffff);
    return { action, ...allowedClose(code, members.text('reason') ?? '') };
  }
  if (action !== 'send') return { action } satisfies Signal;
  const content = source.read(members, 'content');
  return { action, ...frameOf(members, 'type', content), contentFilters: contentFiltersOf(members, limits) };
}

/**
 * The frame of some content, with its type from the member `typeName`. Where no type is named, text is text, and bytes are binary.
 * Only pings and pongs can do without content.
 * @throws TidegateError with the code of `members`
 */
export function frameOf(
  members: Members,
  typeName: 'type' | 'message-type',
  content: Content | null,
): { readonly type: WebSocketMessageType; readonly content: Uint8Array } {
  const fallback = content?.given === 'binary' ? 'binary' : 'text';
  const type = members.has(typeName) ? members.choice(typeName, MESSAGE_TYPES) : fallback;
  const isControl = type === 'ping' || type === 'pong';
  if (content === null && !isControl) throw members.fault('content', 'is missing');
  const bytes = content?.bytes ?? EMPTY;
  if (isControl && bytes.length > CONTROL_BYTES_MAX) {
    throw members.fault('content', `has ${bytes.length} bytes; a ${type} has at most ${CONTROL_BYTES_MAX}`);
  }
  // A client that gets a text that is none fails its connection (RFC 6455, section 8.1).
  if (type === 'text' && !isUtf8(bytes)) {
    throw members.fault('content', 'is not UTF-8, as a text has to be');
  }
  return { type, content: bytes };
}

function contentFiltersOf(members: Members, limits: Limits): ContentFilters {
  const filters = members.texts('content-filters');
  if (filters !== null && filters.length > limits.gripFiltersMax) {
    throw members.fault(
      'content-filters',
      `has ${filters.length} filters; the limit is ${limits.gripFiltersMax}`,
    );
  }
  return filters;
}
