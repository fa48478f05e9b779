import type { Message, StreamPosition } from '../../channels/index.ts';
import type { ByteWriter } from '../../kernel/index.ts';
import {
  CHAN_INFO_ATTRIBUTE,
  CLIENT_ATTRIBUTE,
  CONN_INFO_ATTRIBUTE,
  type Codec,
  jsonAttributeOf,
  offsetOf,
  type PublicationForm,
  tagsOf,
  USER_ATTRIBUTE,
} from './codec.ts';
import { readProtobufCommand } from './protobuf-command.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import {
  closeLength,
  openField,
  writeBytesField,
  writeMapEntry,
  writeNumberField,
  writeTextField,
  writeTrueField,
} from './protobuf-writer.ts';
import type { ClientInfo, Command, Payload, Push, Result, SubscribeResult } from './protocol.ts';

/** Protobuf: a frame is a sequence of messages, each preceded by its length. Field numbers are those of client.proto. */
export const protobufCodec: Codec = {
  name: 'protobuf',
  decode(bytes) {
    const commands: Command[] = [];
    const reader = new ProtobufReader(bytes);
    while (!reader.isAtEnd) commands.push(readProtobufCommand(reader.delimited()));
    return commands;
  },
  reply(id, result, out) {
    writeNumberField(1, id, out);
    if (result.method === 'error') {
      within(2, out, () => {
        writeNumberField(1, result.code, out);
        writeTextField(2, result.message, out);
        if (result.retry === 'temporary') writeTrueField(3, out);
      });
    } else {
      within(RESULT_FIELDS[result.method], out, () => writeResult(result, out));
    }
  },
  push(push, out) {
    within(4, out, () => writePush(push, out));
  },
  publicationPush(message, form, out) {
    const reply = openField(4, out);
    writeTextField(2, form.channel, out);
    const publication = openField(4, out);
    writePublication(message, form, out);
    closeLength(out, publication);
    closeLength(out, reply);
  },
  publication: writePublication,
  deltaBase(message, out) {
    if (message.hasData) out.bytes(message.bytes, message.dataStart, message.dataEnd);
  },
  deltaRest: writeRest,
  deltaPush(channel, data, kind, rest, out) {
    within(4, out, () => {
      writeTextField(2, channel, out);
      within(4, out, () => {
        writeBytesField(4, data, out);
        if (kind === 'delta') writeTrueField(8, out);
        out.bytes(rest);
      });
    });
  },
};

/** The field of message `Reply` that holds each result. */
const RESULT_FIELDS: Readonly<Record<Exclude<Result['method'], 'error'>, number>> = {
  connect: 5,
  subscribe: 6,
  unsubscribe: 7,
  publish: 8,
  presence: 9,
  presence_stats: 10,
  history: 11,
  rpc: 13,
  refresh: 14,
  sub_refresh: 15,
};

function within(field: number, out: ByteWriter, write: () => void): void {
  const mark = openField(field, out);
  write();
  closeLength(out, mark);
}

function writeResult(result: Exclude<Result, { readonly method: 'error' }>, out: ByteWriter): void {
  switch (result.method) {
    case 'connect':
      writeTextField(1, result.client, out);
      writeTextField(2, result.version, out);
      writeExpiry(3, result.ttlSeconds, out);
      for (const [channel, sub] of result.subs) {
        within(6, out, () => {
          writeTextField(1, channel, out);
          within(2, out, () => writeSubscribeResult(sub, out));
        });
      }
      writeNumberField(7, result.pingSeconds, out);
      if (result.pingSeconds > 0) writeTrueField(8, out);
      writeTextField(9, result.session, out);
      if (result.session !== '') writeTextField(10, result.node, out);
      break;
    case 'subscribe':
      writeSubscribeResult(result, out);
      break;
    case 'presence':
      for (const info of result.members) {
        within(1, out, () => {
          writeTextField(1, info.client, out);
          within(2, out, () => writeInfo(info, out));
        });
      }
      break;
    case 'presence_stats':
      writeNumberField(1, result.clients, out);
      writeNumberField(2, result.users, out);
      break;
    case 'history':
      for (const publication of result.publications) writeNested(1, publication, out);
      writeTextField(2, result.position.epoch, out);
      writeNumberField(3, result.position.offset, out);
      break;
    case 'rpc':
      writePayload(1, result.data, out);
      break;
    case 'refresh':
      writeTextField(1, result.client, out);
      writeTextField(2, result.version, out);
      writeExpiry(3, result.ttlSeconds, out);
      break;
    case 'sub_refresh':
      writeExpiry(1, result.ttlSeconds, out);
      break;
    case 'unsubscribe':
    case 'publish':
      break;
  }
}

/** The fields `expires` and, after it, `ttl`. */
function writeExpiry(field: number, ttlSeconds: number, out: ByteWriter): void {
  if (ttlSeconds === 0) return;
  writeTrueField(field, out);
  writeNumberField(field + 1, ttlSeconds, out);
}

/** Message `SubscribeResult`. */
function writeSubscribeResult(result: SubscribeResult, out: ByteWriter): void {
  writeExpiry(1, result.ttlSeconds, out);
  if (result.position !== null) {
    writeTrueField(3, out);
    writeTextField(6, result.position.epoch, out);
  }
  for (const publication of result.publications) writeNested(7, publication, out);
  if (result.recovered) writeTrueField(8, out);
  if (result.position !== null) {
    writeNumberField(9, result.position.offset, out);
    writeTrueField(10, out);
  }
  writePayload(11, result.data, out);
  if (result.wasRecovering) writeTrueField(12, out);
  if (result.delta !== 'none') writeTrueField(13, out);
}

/** A message that is encoded already; unlike bytes it is written even if it is empty. */
function writeNested(field: number, message: Uint8Array, out: ByteWriter): void {
  const mark = openField(field, out);
  out.bytes(message);
  closeLength(out, mark);
}

function writePush(push: Push, out: ByteWriter): void {
  switch (push.kind) {
    case 'join':
    case 'leave':
      writeTextField(2, push.channel, out);
      within(push.kind === 'join' ? 5 : 6, out, () => within(1, out, () => writeInfo(push.info, out)));
      break;
    case 'unsubscribe':
      writeTextField(2, push.channel, out);
      within(7, out, () => {
        writeNumberField(2, push.code, out);
        writeTextField(3, push.reason, out);
      });
      break;
    case 'subscribe':
      writeTextField(2, push.channel, out);
      within(9, out, () => {
        writePushedPosition(push.position, out);
        writePayload(7, push.data, out);
      });
      break;
    case 'disconnect':
      within(11, out, () => {
        writeNumberField(1, push.code, out);
        writeTextField(2, push.reason, out);
      });
      break;
    case 'refresh':
      within(12, out, () => writeExpiry(1, push.ttlSeconds, out));
      break;
  }
}

/** The fields of message `Subscribe`. */
function writePushedPosition(position: StreamPosition | null, out: ByteWriter): void {
  if (position === null) return;
  writeTrueField(1, out);
  writeTextField(4, position.epoch, out);
  writeNumberField(5, position.offset, out);
  writeTrueField(6, out);
}

/** Message `ClientInfo`. */
function writeInfo(info: ClientInfo, out: ByteWriter): void {
  writeTextField(1, info.user, out);
  writeTextField(2, info.client, out);
  writePayload(3, info.connInfo, out);
  writePayload(4, info.chanInfo, out);
}

function writePayload(field: number, payload: Payload | null, out: ByteWriter): void {
  if (payload !== null) writeBytesField(field, payload.bytes, out);
}

/** Message `Publication`. */
function writePublication(message: Message, form: PublicationForm, out: ByteWriter): void {
  if (message.hasData) writeBytesField(4, message.bytes, out, message.dataStart, message.dataEnd);
  writeRest(message, form, out);
}

/** The fields of a publication besides its data. */
function writeRest(message: Message, form: PublicationForm, out: ByteWriter): void {
  const client = message.attribute(CLIENT_ATTRIBUTE);
  if (client !== undefined) {
    const mark = openField(5, out);
    writeTextField(1, message.attribute(USER_ATTRIBUTE) ?? '', out);
    writeTextField(2, client, out);
    writeTextField(3, jsonAttributeOf(message, CONN_INFO_ATTRIBUTE) ?? '', out);
    writeTextField(4, jsonAttributeOf(message, CHAN_INFO_ATTRIBUTE) ?? '', out);
    closeLength(out, mark);
  }
  if (form.offsets === 'told') writeNumberField(6, offsetOf(message), out);
  const tags = tagsOf(message);
  if (tags !== null) {
    for (const [name, value] of Object.entries(tags)) writeMapEntry(7, name, value, out);
  }
  if (message.channel !== form.channel) writeTextField(10, message.channel, out);
}
