/** Close codes of RFC 6455, section 7.4.1, and of the IANA registry that the server uses itself. */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  /** Never on the wire: stands for a close frame without a code. */
  noStatus: 1005,
  invalidData: 1007,
  policyViolation: 1008,
  messageTooBig: 1009,
  internalError: 1011,
  serviceRestart: 1012,
  tryAgainLater: 1013,
} as const;

/** A reason is what is left of a control frame's 125 bytes after the code (RFC 6455, sections 5.5 and 5.5.1). */
export const CLOSE_REASON_BYTES_MAX = 123;

/**
 * Whether a close frame may carry `code` (RFC 6455, section 7.4.2): 1004, 1005, 1006 and 1015 are reserved, 1016 to
 * 2999 are unassigned, 3000 to 3999 belong to registered libraries, 4000 to 4999 to applications.
 */
export function isCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  if (code < 1000 || code > 1014) return false;
  return code !== 1004 && code !== 1005 && code !== 1006;
}
