import type { ExtensionOffer } from './extension-header.ts';
import { WINDOW_BITS_MAX, WINDOW_BITS_MIN } from './message-deflate.ts';

/** What was agreed on permessage-deflate. Neither side keeps context between messages. */
export interface DeflateAgreement {
  /** The window that the server may compress with, 9 to 15. */
  readonly windowBits: number;
  /** The answer, for Sec-WebSocket-Extensions. */
  readonly header: string;
}

/**
 * Chooses the first offer of permessage-deflate that the server can keep (RFC 7692, sections 5.1 and 7.1); null if there is none.
 * An offer with unknown, repeated or ill-valued parameters is declined, not an error.
 */
export function negotiateDeflate(offers: readonly ExtensionOffer[]): DeflateAgreement | null {
  for (const offer of offers) {
    const agreement = agree(offer);
    if (agreement !== null) return agreement;
  }
  return null;
}

function agree(offer: ExtensionOffer): DeflateAgreement | null {
  if (offer.name !== 'permessage-deflate' || offer.repeats) return null;
  let windowBits = WINDOW_BITS_MAX;
  for (const [name, value] of offer.parameters) {
    if (name === 'server_no_context_takeover' || name === 'client_no_context_takeover') {
      if (value !== true) return null;
    } else if (name === 'client_max_window_bits') {
      // A hint of what the client could keep to (section 7.1.2.2). The server reads any window, so it asks for nothing.
      if (value !== true && parseWindowBits(value) === null) return null;
    } else if (name === 'server_max_window_bits') {
      const asked = value === true ? null : parseWindowBits(value);
      if (asked === null || asked < WINDOW_BITS_MIN) return null;
      windowBits = asked;
    } else {
      return null;
    }
  }
  // The server may forbid the client's context though the client did not offer it (section 7.1.1.2).
  let header = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
  if (offer.parameters.has('server_max_window_bits')) header += `; server_max_window_bits=${windowBits}`;
  return { windowBits, header };
}

/** 8 to 15 without leading zeros (RFC 7692, section 7.1.2). */
function parseWindowBits(value: string): number | null {
  return /^([89]|1[0-5])$/.test(value) ? Number(value) : null;
}
