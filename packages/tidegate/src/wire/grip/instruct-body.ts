import { type Buffer, isUtf8 } from 'node:buffer';
import { EMPTY, type Limits, TidegateError } from '../../kernel/index.ts';
import {
  type GripChannel,
  type GripInstruct,
  type GripKeepAlive,
  HOLD_SECONDS,
  type InstructedResponse,
  intervalMs,
  KEEP_ALIVE_SECONDS,
} from './instruct.ts';
import type { Field } from './instruct-detection.ts';
import { boundedChannels, parseInstructFields } from './instruct-fields.ts';
import { Members } from './members.ts';
import { headersOf, reasonOf, statusCodeOf } from './response-members.ts';

/**
 * The instruction that a response with the media type `application/grip-instruct` is: what its body says goes before what its
 * header fields say, and both name channels.
 * @throws TidegateError grip_instruct_invalid, naming the member or the field
 */
export function parseInstructBody(
  status: number,
  fields: Iterable<Field>,
  body: Buffer,
  limits: Limits,
): GripInstruct {
  const base = parseInstructFields(fields, limits);
  if (status !== 200) {
    throw new TidegateError(
      'grip_instruct_invalid',
      `The status of an instruction is 200, and not ${status}.`,
    );
  }
  const instruct = new Members(parseJson(body, limits), '', 'grip_instruct_invalid');
  const given = instruct.object('response');
  const response = responseOf(given, base);
  const hold = instruct.object('hold');
  if (hold === null) {
    if (given === null && base.hold === null && base.nextLink === null) {
      throw new TidegateError('grip_instruct_invalid', 'The body has neither hold nor response.');
    }
    return { ...base, response };
  }
  const timeout = hold.seconds('timeout');
  const meta = hold.textMembers('meta');
  return {
    ...base,
    hold: hold.choice('mode', ['response', 'stream']),
    channels: boundedChannels([...base.channels, ...channelsOf(hold)], limits),
    timeoutMs: timeout === null ? base.timeoutMs : intervalMs(timeout, HOLD_SECONDS, limits),
    keepAlive: keepAliveOf(hold.object('keep-alive'), limits) ?? base.keepAlive,
    meta: meta === null ? base.meta : new Map([...base.meta, ...meta]),
    response,
  };
}

function parseJson(body: Buffer, limits: Limits): unknown {
  if (body.length > limits.gripInstructBytesMax) {
    throw new TidegateError(
      'grip_instruct_invalid',
      `The body has ${body.length} bytes; the limit is ${limits.gripInstructBytesMax}.`,
    );
  }
  if (!isUtf8(body)) throw new TidegateError('grip_instruct_invalid', 'The body is not UTF-8.');
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new TidegateError('grip_instruct_invalid', 'The body is not JSON.', { cause: error });
  }
}

function channelsOf(hold: Members): readonly GripChannel[] {
  const channels = hold.objects('channels');
  if (channels === null) throw hold.fault('channels', 'is missing');
  return channels.map((channel) => ({
    name: channel.name('name'),
    prevId: channel.id('prev-id'),
    filters: channel.texts('filters') ?? [],
  }));
}

function keepAliveOf(keepAlive: Members | null, limits: Limits): GripKeepAlive | null {
  if (keepAlive === null) return null;
  const content = keepAlive.content('content');
  if (content === null) throw keepAlive.fault('content', 'is missing');
  return {
    content: content.bytes,
    intervalMs: intervalMs(keepAlive.seconds('timeout'), KEEP_ALIVE_SECONDS, limits),
    // Unlike in a header field, in JSON it is the interval that is understood if nothing is said.
    mode: keepAlive.choice('mode', ['interval', 'idle']),
  };
}

function responseOf(response: Members | null, base: GripInstruct): InstructedResponse {
  if (response === null) {
    return { status: base.status ?? { code: 200, reason: null }, headers: [], body: EMPTY };
  }
  const code = statusCodeOf(response);
  const reason = reasonOf(response);
  const fallback = code === null ? (base.status ?? { code: 200, reason: null }) : { code, reason: null };
  return {
    status: reason === null ? fallback : { code: fallback.code, reason },
    headers: headersOf(response),
    body: response.content('body')?.bytes ?? EMPTY,
  };
}
