import { type Limits, TidegateError } from '../../kernel/index.ts';
import { type HeaderElement, parameterOf, parseElements, parsePairs } from './header-parameters.ts';
import {
  type GripChannel,
  type GripInstruct,
  type GripStatus,
  HOLD_SECONDS,
  intervalMs,
  NEXT_LINK_SECONDS,
  type NextLink,
  type SessionRule,
} from './instruct.ts';
import { type Field, isGripField } from './instruct-detection.ts';
import { parseKeepAlive } from './keep-alive.ts';
import { textOfOctets, trimBlanks } from './octets.ts';
import { secondsOf } from './seconds.ts';

/**
 * The instruction that the header fields of a response are. Fields that do not begin with `Grip-` are passed over, and so are
 * `Grip-` fields that nobody has defined.
 * @throws TidegateError grip_instruct_invalid, naming the field
 */
export function parseInstructFields(fields: Iterable<Field>, limits: Limits): GripInstruct {
  const grip = new GripFields(fields);
  const links = linksOf(grip, limits);
  const timeout = grip.single('Grip-Timeout');
  const keepAlive = grip.single('Grip-Keep-Alive');
  return {
    hold: holdOf(grip.single('Grip-Hold')),
    channels: channelsOf(grip.elements('Grip-Channel'), limits),
    timeoutMs: intervalMs(timeout === null ? null : seconds('Grip-Timeout', timeout), HOLD_SECONDS, limits),
    keepAlive: keepAlive === null ? null : parseKeepAlive(keepAlive, limits),
    meta: new Map(grip.pairs('Grip-Set-Meta')),
    status: statusOf(grip.single('Grip-Status')),
    exposeHeaders: grip.elements('Grip-Expose-Headers').map(({ value }) => value.toLowerCase()),
    ...links,
    sessionId: sessionIdOf(grip.single('Grip-Session-Id')),
    sessionDetect: grip.lists('Grip-Session-Detect').map(sessionRuleOf),
    lastIds: lastIdsOf(grip.elements('Grip-Last')),
    response: null,
  };
}

/** The `Grip-` fields of a response. */
class GripFields {
  readonly #values = new Map<string, string[]>();

  constructor(fields: Iterable<Field>) {
    for (const [name, value] of fields) {
      if (!isGripField(name)) continue;
      const key = name.toLowerCase();
      const values = this.#values.get(key);
      if (values === undefined) this.#values.set(key, [value]);
      else values.push(value);
    }
  }

  /** The value of a field that says one thing; null if it is not there. To say it twice does no harm, unless differently. */
  single(name: string): string | null {
    const values = this.#all(name);
    if (values.length === 0) return null;
    if (values.some((value) => value !== values[0])) throw fault(name, 'is there more than once');
    return trimBlanks(values[0]);
  }

  elements(name: string, values: 'words' | 'links' = 'words'): readonly HeaderElement[] {
    return this.#all(name).flatMap((value) => parseElements(name, value, values));
  }

  pairs(name: string): readonly (readonly [string, string])[] {
    return this.#all(name).flatMap((value) => parsePairs(name, value));
  }

  /** The parameters of each line of its own. */
  lists(name: string): readonly HeaderElement[] {
    return this.#all(name).map((value) => ({
      value: '',
      parameters: parsePairs(name, value).map(([key, text]) => [key.toLowerCase(), text]),
    }));
  }

  #all(name: string): readonly string[] {
    return this.#values.get(name.toLowerCase()) ?? [];
  }
}

function fault(field: string, problem: string): TidegateError {
  return new TidegateError('grip_instruct_invalid', `${field} ${problem}.`);
}

function seconds(field: string, text: string): number {
  const value = secondsOf(text);
  if (Number.isNaN(value)) throw fault(field, `is not a number of seconds: ${JSON.stringify(text)}`);
  return value;
}

function holdOf(mode: string | null): GripInstruct['hold'] {
  if (mode === null || mode === 'response' || mode === 'stream') return mode;
  throw fault('Grip-Hold', `is neither response nor stream: ${JSON.stringify(mode)}`);
}

function channelsOf(elements: readonly HeaderElement[], limits: Limits): readonly GripChannel[] {
  return boundedChannels(
    elements.map((element) => ({
      name: element.value,
      prevId: parameterOf(element, 'prev-id') || null,
      filters: element.parameters.filter(([name]) => name === 'filter').map(([, filter]) => filter),
    })),
    limits,
  );
}

/**
 * The same channels, if there are not too many of them and none has too many filters.
 * @throws TidegateError grip_instruct_invalid
 */
export function boundedChannels(channels: readonly GripChannel[], limits: Limits): readonly GripChannel[] {
  if (channels.length > limits.gripChannelsMax) {
    throw fault(
      'The instruction',
      `names ${channels.length} channels; the limit is ${limits.gripChannelsMax}`,
    );
  }
  for (const { name, filters } of channels) {
    if (filters.length > limits.gripFiltersMax) {
      const channel = `The channel ${JSON.stringify(name)}`;
      throw fault(channel, `has ${filters.length} filters; the limit is ${limits.gripFiltersMax}`);
    }
  }
  return channels;
}

function statusOf(value: string | null): GripStatus | null {
  if (value === null) return null;
  const match = /^([2-9][0-9]{2})(?:[ \t]+(.*))?$/.exec(value);
  if (match === null) throw fault('Grip-Status', `is not a status: ${JSON.stringify(value)}`);
  return { code: Number(match[1]), reason: match[2] || null };
}

function linksOf(grip: GripFields, limits: Limits): Pick<GripInstruct, 'nextLink' | 'goneLink'> {
  let nextLink: NextLink | null = null;
  let goneLink: string | null = null;
  for (const element of grip.elements('Grip-Link', 'links')) {
    const rel = parameterOf(element, 'rel');
    if (rel === undefined) throw fault('Grip-Link', 'has a link without rel');
    // Whoever adds relations later must not break gateways that do not know them.
    if (rel !== 'next' && rel !== 'gone') continue;
    const uri = trimBlanks(element.value);
    if (!isUriReference(uri)) throw fault('Grip-Link', `has no valid URI for ${rel}: ${JSON.stringify(uri)}`);
    if ((rel === 'next' ? nextLink : goneLink) !== null) throw fault('Grip-Link', `has two links for ${rel}`);
    if (rel === 'gone') {
      goneLink = uri;
    } else {
      const timeout = parameterOf(element, 'timeout');
      const given = timeout === undefined ? null : seconds('Grip-Link: timeout', timeout);
      nextLink = { uri, timeoutMs: intervalMs(given, NEXT_LINK_SECONDS, limits) };
    }
  }
  return { nextLink, goneLink };
}

/** Whether `text` is, or resolves to, an address that HTTP can be spoken with. */
function isUriReference(text: string): boolean {
  // URL.parse would quietly take white space and control characters away.
  if (text === '' || /[^\x21-\x7e]/.test(text)) return false;
  const protocol = URL.parse(text, 'http://origin/')?.protocol;
  return protocol === 'http:' || protocol === 'https:';
}

function sessionIdOf(value: string | null): string | null {
  if (value === null || value === '') return null;
  const id = textOfOctets(value);
  if (id === null) throw fault('Grip-Session-Id', 'is not UTF-8');
  return id;
}

function sessionRuleOf(element: HeaderElement): SessionRule {
  const pathPrefix = parameterOf(element, 'path-prefix');
  const sidPointer = parameterOf(element, 'sid-ptr');
  if (pathPrefix === undefined || sidPointer === undefined) {
    throw fault('Grip-Session-Detect', 'has no path-prefix or no sid-ptr');
  }
  return { pathPrefix, sidPointer, jsonParam: parameterOf(element, 'json-param') ?? null };
}

function lastIdsOf(elements: readonly HeaderElement[]): ReadonlyMap<string, string> {
  const lastIds = new Map<string, string>();
  for (const element of elements) {
    const id = parameterOf(element, 'last-id');
    if (id === undefined) throw fault('Grip-Last', `has no last-id for ${JSON.stringify(element.value)}`);
    lastIds.set(element.value, id);
  }
  return lastIds;
}
