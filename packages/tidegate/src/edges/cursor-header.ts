/**
 * The response header that carries the position at which a stream or a WebSocket begins. A client that loses the connection
 * before its first message resumes from it.
 */
export const CURSOR_HEADER = 'tidegate-cursor';
