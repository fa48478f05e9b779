import { Buffer } from 'node:buffer';
import type { ByteWriter } from '../kernel/index.ts';
import { writeJsonBase64, writeJsonOnOneLine, writeJsonString, writeJsonStringOfUtf8 } from './json-text.ts';
import type { Gap, Message } from './port.ts';

/** How a message is wrapped: see docs/http.md, "A message as JSON". */
export type JsonEnvelope = 'json' | 'cloudevents';

/** The CloudEvents attributes that the server fills in where the publisher gave none. */
const DEFAULT_TYPE = 'tidegate.message';

/** The source of an event that was published without one: the channel as a path of the HTTP interface. */
function defaultSource(channel: string): string {
  return `/v1/channels/${channel.split('/').map(encodeURIComponent).join('/')}`;
}

/** Written once for a run of messages of the same channel, which is nearly always. */
const prefix = { channel: '', bytes: Buffer.from('{"channel":"","cursor":') };

function writePrefix(channel: string, out: ByteWriter): void {
  if (channel !== prefix.channel) {
    prefix.channel = channel;
    prefix.bytes = Buffer.from(`{"channel":${JSON.stringify(channel)},"cursor":`);
  }
  out.bytes(prefix.bytes);
}

/** Messages of one flush mostly carry the same millisecond. */
const lastTime = { ms: 0, text: new Date(0).toISOString() };

function writeTime(ms: number, out: ByteWriter): void {
  if (ms !== lastTime.ms) {
    lastTime.ms = ms;
    lastTime.text = new Date(ms).toISOString();
  }
  out.ascii(lastTime.text);
}

/**
 * Appends a message as one JSON object on one line, without a line break at its end.
 *
 *   {"channel","cursor","id","time", attributes as published, "data" or "data_base64" or neither}
 *
 * `cloudevents` adds `specversion`, and `source`, `type` and, for text, `datacontenttype` where the publisher gave none, so that
 * the object is a CloudEvent 1.0 in the JSON format, with `channel` and `cursor` as extension attributes.
 */
export function writeMessageJson(message: Message, out: ByteWriter, envelope: JsonEnvelope): void {
  writePrefix(message.channel, out);
  writeJsonString(message.cursor, out);
  out.ascii(',"id":');
  writeJsonString(message.id, out);
  const attributes = message.attributes();
  let time: string | undefined;
  for (const [name, value] of attributes) if (name === 'time') time = value;
  if (time === undefined) {
    out.ascii(',"time":"');
    writeTime(message.timestampMs, out);
    out.byte(0x22);
  } else {
    out.ascii(',"time":');
    writeJsonString(time, out);
  }
  if (envelope === 'cloudevents') writeCloudEventsAttributes(message, out);
  for (const [name, value] of attributes) {
    if (name === 'id' || name === 'time') continue;
    out.byte(0x2c);
    writeJsonString(name, out);
    out.byte(0x3a);
    writeJsonString(value, out);
  }
  if (message.hasData) writeData(message, out);
  out.byte(0x7d);
}

function writeCloudEventsAttributes(message: Message, out: ByteWriter): void {
  out.ascii(',"specversion":"1.0"');
  if (message.attribute('source') === undefined) {
    out.ascii(',"source":');
    writeJsonString(defaultSource(message.channel), out);
  }
  if (message.attribute('type') === undefined) {
    out.ascii(',"type":');
    writeJsonString(DEFAULT_TYPE, out);
  }
  // CloudEvents JSON format, section 3.1: without datacontenttype, `data` would be read as JSON.
  if (message.hasData && message.dataKind === 'text' && message.attribute('datacontenttype') === undefined) {
    out.ascii(',"datacontenttype":"text/plain"');
  }
}

function writeData(message: Message, out: ByteWriter): void {
  const { bytes, dataStart, dataEnd } = message;
  switch (message.dataKind) {
    case 'json':
      out.ascii(',"data":');
      writeJsonOnOneLine(bytes, dataStart, dataEnd, out);
      break;
    case 'text':
      out.ascii(',"data":');
      writeJsonStringOfUtf8(bytes, dataStart, dataEnd, out);
      break;
    case 'binary':
      out.ascii(',"data_base64":');
      writeJsonBase64(bytes, dataStart, dataEnd, out);
      break;
  }
}

/** Appends `{"gap":{"reason":…,"cursor":…}}`, on one line, without a line break at its end. See docs/resume.md. */
export function writeGapJson(gap: Gap, out: ByteWriter): void {
  out.ascii('{"gap":{"reason":"');
  out.ascii(gap.reason);
  out.ascii('","cursor":');
  writeJsonString(gap.cursor, out);
  out.ascii('}}');
}

/** Appends `{"expiring":{"expires":"…"}}`: the credential of the stream ends at the time, and the stream with it. See docs/security.md. */
export function writeExpiringJson(expiresMs: number, out: ByteWriter): void {
  out.ascii(`{"expiring":{"expires":"${new Date(expiresMs).toISOString()}"}}`);
}
