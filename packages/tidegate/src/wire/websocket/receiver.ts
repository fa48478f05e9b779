import { type Buffer, isUtf8 } from 'node:buffer';
import { EMPTY } from '../../kernel/index.ts';
import { CLOSE, isCloseCode } from './close-codes.ts';
import { applyMask } from './mask.ts';
import { inflateMessage } from './message-deflate.ts';
import {
  FIN,
  LENGTH_16,
  LENGTH_16_MAX,
  LENGTH_BITS,
  MASKED,
  OPCODE_BINARY,
  OPCODE_BITS,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_CONTROL_BIT,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
  RESERVED_BITS,
  RSV1,
} from './opcodes.ts';
import { PayloadStore } from './payload-store.ts';
import { Utf8Validator } from './utf8-validator.ts';
import { VIOLATIONS, type Violation } from './violations.ts';

export type MessageKind = 'text' | 'binary';

/** Whether a message's bytes are its receiver's to keep (`owned`) or valid only during the call (`borrowed`). */
export type MessageStorage = 'owned' | 'borrowed';

/** What a receiver tells. Calls come in the order of the frames. */
export interface ReceiverEvents {
  /** A whole message. A text is valid UTF-8. */
  message(data: Buffer, kind: MessageKind, storage: MessageStorage): void;
  /** `payload` is valid only during the call. */
  ping(payload: Buffer): void;
  pong(payload: Buffer): void;
  /** The peer's close frame: 1005 if it names no code. Nothing follows. */
  closeFrame(code: number, reason: string): void;
  /** The peer broke the protocol or a limit: the connection is to be failed with its code. Nothing follows. */
  violation(violation: Violation): void;
}

export interface ReceiverOptions {
  /** Which end this is: a server requires masked frames, a client refuses them (RFC 6455, section 5.1). */
  readonly role: 'server' | 'client';
  readonly messageBytesMax: number;
  /** Frames of one message. */
  readonly framesMax: number;
  /** `deflate` if permessage-deflate was negotiated, without context takeover. */
  readonly compression: 'none' | 'deflate';
}

/** What the next byte is. */
type Step = 'first' | 'second' | 'length' | 'key' | 'payload' | 'finished';

/** A compressed message may be a little larger than what comes out of it. */
const compressedBytesMax = (messageBytesMax: number): number =>
  messageBytesMax + (messageBytesMax >>> 8) + 64;

/**
 * Reads the frames of RFC 6455 from bytes as they arrive, in any slices, and gives messages and control frames out. Refuses what
 * breaks the protocol as soon as the offending byte is there. Between messages it holds nothing, so that one receiver can serve
 * many connections in turn: see `idle`.
 */
export class WebSocketReceiver {
  readonly #options: ReceiverOptions;
  #step: Step = 'first';
  // The frame under way.
  #opcode = 0;
  #final = 0;
  #length = 0;
  #lengthBytesLeft = 0;
  #lengthMin = 0;
  #keyBytesLeft = 0;
  #key = 0;
  #consumed = 0;
  readonly #control = new PayloadStore();
  // The message under way; opcode 0 if there is none.
  #messageOpcode = 0;
  #messageCompressed = 0;
  #frames = 0;
  readonly #message = new PayloadStore();
  readonly #utf8 = new Utf8Validator();

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** Nothing is under way: the next byte begins a message or a control frame. False for good after a close or a violation. */
  get idle(): boolean {
    return this.#step === 'first' && this.#messageOpcode === 0;
  }

  /** Takes the next bytes, which it unmasks in place. */
  receive(bytes: Buffer, events: ReceiverEvents): void {
    let at = 0;
    const end = bytes.length;
    while (at < end && this.#step !== 'finished') {
      let violation: Violation | null;
      if (this.#step === 'payload') {
        const taken = Math.min(this.#length - this.#consumed, end - at);
        violation = this.#payload(bytes, at, at + taken, events);
        at += taken;
      } else {
        violation = this.#headByte(bytes[at++], events);
      }
      if (violation !== null) {
        this.#step = 'finished';
        this.#message.take();
        events.violation(violation);
      }
    }
  }

  #headByte(byte: number, events: ReceiverEvents): Violation | null {
    switch (this.#step) {
      case 'first':
        return this.#first(byte);
      case 'second':
        return this.#second(byte, events);
      case 'length':
        return this.#lengthByte(byte, events);
      default:
        this.#key = (this.#key << 8) | byte;
        return --this.#keyBytesLeft > 0 ? null : this.#beginPayload(events);
    }
  }

  #first(byte: number): Violation | null {
    const opcode = byte & OPCODE_BITS;
    const reserved = byte & RESERVED_BITS;
    if (reserved !== 0) {
      // RFC 7692, section 6: RSV1 marks the first frame of a compressed message, and nothing else may be marked.
      const startsMessage = opcode === OPCODE_TEXT || opcode === OPCODE_BINARY;
      if (reserved !== RSV1 || !startsMessage || this.#options.compression === 'none')
        return VIOLATIONS.reservedBit;
    }
    this.#opcode = opcode;
    this.#final = byte & FIN;
    this.#step = 'second';
    if ((opcode & OPCODE_CONTROL_BIT) !== 0) {
      if (opcode > OPCODE_PONG) return VIOLATIONS.reservedOpcode;
      return this.#final === 0 ? VIOLATIONS.controlFragmented : null;
    }
    if (opcode === OPCODE_CONTINUATION) {
      if (this.#messageOpcode === 0) return VIOLATIONS.continuationOfNothing;
      return ++this.#frames > this.#options.framesMax ? VIOLATIONS.tooManyFragments : null;
    }
    if (opcode > OPCODE_BINARY) return VIOLATIONS.reservedOpcode;
    if (this.#messageOpcode !== 0) return VIOLATIONS.messageInterrupted;
    this.#messageOpcode = opcode;
    this.#messageCompressed = reserved;
    this.#frames = 1;
    return null;
  }

  #second(byte: number, events: ReceiverEvents): Violation | null {
    const masked = (byte & MASKED) !== 0;
    if (masked !== (this.#options.role === 'server'))
      return masked ? VIOLATIONS.masked : VIOLATIONS.notMasked;
    const length = byte & LENGTH_BITS;
    if (length < LENGTH_16) {
      this.#length = length;
      return this.#beginKey(events);
    }
    if ((this.#opcode & OPCODE_CONTROL_BIT) !== 0) return VIOLATIONS.controlTooLong;
    this.#length = 0;
    this.#lengthBytesLeft = length === LENGTH_16 ? 2 : 8;
    this.#lengthMin = length === LENGTH_16 ? LENGTH_16 : LENGTH_16_MAX + 1;
    this.#step = 'length';
    return null;
  }

  #lengthByte(byte: number, events: ReceiverEvents): Violation | null {
    // Lengths past 2^53 lose their last digits here, which does not matter to what is too large anyway.
    this.#length = this.#length * 256 + byte;
    this.#lengthBytesLeft--;
    // RFC 6455, section 5.2: the highest bit of 64 is 0.
    if (this.#lengthBytesLeft === 7 && byte > 0x7f) return VIOLATIONS.lengthOutOfRange;
    if (this.#lengthBytesLeft > 0) return null;
    // The same section: the shortest form that holds the length is the only valid one.
    if (this.#length < this.#lengthMin) return VIOLATIONS.lengthNotShortest;
    return this.#beginKey(events);
  }

  #beginKey(events: ReceiverEvents): Violation | null {
    if (this.#options.role === 'client') return this.#beginPayload(events);
    this.#key = 0;
    this.#keyBytesLeft = 4;
    this.#step = 'key';
    return null;
  }

  #beginPayload(events: ReceiverEvents): Violation | null {
    this.#consumed = 0;
    if ((this.#opcode & OPCODE_CONTROL_BIT) === 0) {
      const { messageBytesMax } = this.#options;
      const bytesMax = this.#messageCompressed === 0 ? messageBytesMax : compressedBytesMax(messageBytesMax);
      if (this.#message.length + this.#length > bytesMax) return VIOLATIONS.messageTooLarge;
    }
    this.#step = 'payload';
    return this.#length === 0 ? this.#payload(EMPTY, 0, 0, events) : null;
  }

  /** Takes `bytes[start, end)` of the frame's payload. */
  #payload(bytes: Buffer, start: number, end: number, events: ReceiverEvents): Violation | null {
    if (this.#key !== 0) applyMask(bytes, start, end, this.#key, this.#consumed);
    const whole = this.#consumed === 0 && end - start === this.#length;
    this.#consumed += end - start;
    const last = this.#consumed === this.#length;
    if ((this.#opcode & OPCODE_CONTROL_BIT) !== 0) {
      if (!whole) this.#control.append(bytes, start, end, this.#length);
      if (!last) return null;
      return this.#finishControl(whole ? bytes.subarray(start, end) : this.#control.take(), events);
    }
    // The usual case: the message is one frame in one slice, and is handed on where it lies.
    if (whole && this.#final !== 0 && this.#frames === 1) {
      return this.#finishMessage(bytes.subarray(start, end), 'borrowed', events);
    }
    const checked = this.#messageOpcode === OPCODE_TEXT && this.#messageCompressed === 0;
    if (checked && !this.#utf8.accept(bytes, start, end)) return VIOLATIONS.textNotUtf8;
    // Only the last frame tells how long the message is.
    const left = this.#length - this.#consumed;
    const lengthKnown = this.#final === 0 ? 0 : this.#message.length + (end - start) + left;
    this.#message.append(bytes, start, end, lengthKnown);
    if (!last) return null;
    if (this.#final === 0) {
      this.#step = 'first';
      return null;
    }
    if (checked && !this.#utf8.complete) return VIOLATIONS.textNotUtf8;
    return this.#finishMessage(this.#message.take(), 'owned', events);
  }

  #finishMessage(payload: Buffer, storage: MessageStorage, events: ReceiverEvents): Violation | null {
    const kind = this.#messageOpcode === OPCODE_TEXT ? 'text' : 'binary';
    const compressed = this.#messageCompressed !== 0;
    const data = compressed ? inflateMessage(payload, this.#options.messageBytesMax) : payload;
    if (data === 'too_large') return VIOLATIONS.messageTooLarge;
    if (data === 'invalid') return VIOLATIONS.deflateInvalid;
    // What came in several slices, and was not compressed, was checked on arrival.
    const unchecked = compressed || storage === 'borrowed';
    if (kind === 'text' && unchecked && !isUtf8(data)) return VIOLATIONS.textNotUtf8;
    this.#messageOpcode = 0;
    this.#step = 'first';
    events.message(data, kind, compressed ? 'owned' : storage);
    return null;
  }

  #finishControl(payload: Buffer, events: ReceiverEvents): Violation | null {
    this.#step = 'first';
    if (this.#opcode === OPCODE_CLOSE) return this.#finishClose(payload, events);
    if (this.#opcode === OPCODE_PING) events.ping(payload);
    else events.pong(payload);
    return null;
  }

  #finishClose(payload: Buffer, events: ReceiverEvents): Violation | null {
    let code: number = CLOSE.noStatus;
    const reason = payload.subarray(2);
    if (payload.length > 0) {
      // RFC 6455, section 5.5.1: a payload begins with two bytes of code.
      if (payload.length === 1) return VIOLATIONS.closeCodeCut;
      code = payload.readUInt16BE(0);
      if (!isCloseCode(code)) return VIOLATIONS.closeCodeInvalid;
      if (!isUtf8(reason)) return VIOLATIONS.closeReasonNotUtf8;
    }
    this.#step = 'finished';
    events.closeFrame(code, reason.toString('utf8'));
    return null;
  }
}
