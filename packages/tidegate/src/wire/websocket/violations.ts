import { CLOSE } from './close-codes.ts';

/** What a peer did wrong, as it is told in a close frame. */
export interface Violation {
  readonly code: number;
  readonly reason: string;
}

const broken = (reason: string): Violation => ({ code: CLOSE.protocolError, reason });
const invalid = (reason: string): Violation => ({ code: CLOSE.invalidData, reason });

/** Everything that a receiver refuses. */
export const VIOLATIONS = {
  reservedBit: broken('reserved bit set'),
  reservedOpcode: broken('reserved opcode'),
  controlFragmented: broken('control frame in fragments'),
  controlTooLong: broken('control frame too long'),
  continuationOfNothing: broken('continuation of nothing'),
  messageInterrupted: broken('message inside a message'),
  notMasked: broken('frame without mask'),
  masked: broken('frame with mask'),
  lengthNotShortest: broken('frame length not in its shortest form'),
  lengthOutOfRange: broken('frame length out of range'),
  closeCodeCut: broken('close code cut short'),
  closeCodeInvalid: broken('close code not allowed'),
  closeReasonNotUtf8: invalid('close reason is not UTF-8'),
  textNotUtf8: invalid('text is not UTF-8'),
  deflateInvalid: invalid('compressed data is damaged'),
  messageTooLarge: { code: CLOSE.messageTooBig, reason: 'message too large' },
  tooManyFragments: { code: CLOSE.policyViolation, reason: 'too many fragments' },
} as const satisfies Record<string, Violation>;
