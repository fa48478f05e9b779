import type { PresenceForm } from '../../channels/index.ts';
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import type { ClientInfo, Payload } from './protocol.ts';

/** The kinds of payloads on a line; none is 0. */
const KINDS = ['binary', 'text', 'json'] as const satisfies readonly Payload['kind'][];

/** How clients are written on a line between processes, for `servePresence` and `RemotePresence`. */
export const CLIENT_INFO_FORM: PresenceForm<ClientInfo> = {
  write({ user, client, connInfo, chanInfo }, out) {
    out.text(user);
    out.text(client);
    writePayload(connInfo, out);
    writePayload(chanInfo, out);
  },
  read(reader) {
    return {
      user: reader.text(),
      client: reader.text(),
      connInfo: readPayload(reader),
      chanInfo: readPayload(reader),
    };
  },
};

function writePayload(payload: Payload | null, out: ByteWriter): void {
  if (payload === null) {
    out.byte(0);
    return;
  }
  out.byte(KINDS.indexOf(payload.kind) + 1);
  out.blob(payload.bytes);
}

function readPayload(reader: ByteReader): Payload | null {
  const kind = reader.byte();
  // A copy, as the message would otherwise be kept for it.
  return kind === 0 ? null : { kind: KINDS[kind - 1], bytes: Uint8Array.prototype.slice.call(reader.blob()) };
}
