import {
  type Message,
  writeJsonBase64,
  writeJsonOnOneLine,
  writeJsonString,
  writeJsonStringOfUtf8,
} from '../../channels/index.ts';
import { ByteWriter } from '../../kernel/index.ts';
import {
  BASE64,
  CHAN_INFO_ATTRIBUTE,
  CLIENT_ATTRIBUTE,
  CONN_INFO_ATTRIBUTE,
  ENCODING_TAG,
  jsonAttributeOf,
  offsetOf,
  type PublicationForm,
  tagsOf,
  USER_ATTRIBUTE,
} from './codec.ts';
import type { Payload } from './protocol.ts';

const CLOSE = 0x7d;

/** Appends data as a JSON value. */
export function writeData(
  kind: Payload['kind'],
  bytes: Uint8Array,
  start: number,
  end: number,
  out: ByteWriter,
): void {
  switch (kind) {
    case 'json':
      writeJsonOnOneLine(bytes, start, end, out);
      break;
    case 'text':
      writeJsonStringOfUtf8(bytes, start, end, out);
      break;
    case 'binary':
      writeJsonBase64(bytes, start, end, out);
      break;
  }
}

/** Appends the data of a message as a JSON value; null if it has none. */
export function writeMessageData(message: Message, out: ByteWriter): void {
  if (message.hasData) writeData(message.dataKind, message.bytes, message.dataStart, message.dataEnd, out);
  else out.ascii('null');
}

/** Holds data between being written and being quoted; empty between calls. */
const unquoted = new ByteWriter();

/** Appends a publication as an object. To those who take deltas, its data is a string that holds the JSON text. */
export function writePublication(message: Message, form: PublicationForm, out: ByteWriter): void {
  out.ascii('{"data":');
  if (form.data === 'plain') writeMessageData(message, out);
  else {
    unquoted.truncate(0);
    writeMessageData(message, unquoted);
    writeJsonStringOfUtf8(unquoted.peek(), 0, unquoted.length, out);
    unquoted.truncate(0);
  }
  writeRest(message, form, out);
}

function writeAbout(head: string, text: string | null, out: ByteWriter): void {
  if (text === null) return;
  out.ascii(head);
  out.utf8(text);
}

/** Appends what follows the data in a publication, up to its closing brace. */
export function writeRest(message: Message, form: PublicationForm, out: ByteWriter): void {
  if (form.offsets === 'told') out.ascii(`,"offset":${offsetOf(message)}`);
  const client = message.attribute(CLIENT_ATTRIBUTE);
  if (client !== undefined) {
    out.ascii(',"info":{"user":');
    writeJsonString(message.attribute(USER_ATTRIBUTE) ?? '', out);
    out.ascii(',"client":');
    writeJsonString(client, out);
    writeAbout(',"conn_info":', jsonAttributeOf(message, CONN_INFO_ATTRIBUTE), out);
    writeAbout(',"chan_info":', jsonAttributeOf(message, CHAN_INFO_ATTRIBUTE), out);
    out.byte(CLOSE);
  }
  const tags = tagsOf(message);
  if (message.hasData && message.dataKind === 'binary') out.ascii(`,"tags":{"${ENCODING_TAG}":"${BASE64}"}`);
  else if (tags !== null) {
    out.ascii(',"tags":');
    out.utf8(JSON.stringify(tags));
  }
  if (message.channel !== form.channel) {
    out.ascii(',"channel":');
    writeJsonString(message.channel, out);
  }
  out.byte(CLOSE);
}
