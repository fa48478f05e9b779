import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { commonNameOf, parseAlternativeNames } from './alternative-names.ts';
import type { ClientCertificate } from './port.ts';

/** What each connection has shown: all requests of one are asked by the same client. */
const shown = new WeakMap<Socket, ClientCertificate | null>();

/** Whether a socket speaks TLS, told without loading the module that does. */
export function isEncrypted(socket: Socket): socket is TLSSocket {
  return 'encrypted' in socket;
}

/** The certificate that the client of a connection has proved to hold; null if there is none that is believed. */
export function clientCertificateOf(socket: Socket): ClientCertificate | null {
  if (!isEncrypted(socket)) return null;
  let certificate = shown.get(socket);
  if (certificate === undefined) {
    certificate = read(socket);
    shown.set(socket, certificate);
  }
  return certificate;
}

function read(socket: TLSSocket): ClientCertificate | null {
  // Unauthorized are those that showed none, and those whose certificate nobody vouches for.
  if (!socket.authorized) return null;
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? null : describe(certificate);
}

function describe(certificate: X509Certificate): ClientCertificate {
  return Object.freeze({
    // One attribute a line; line feeds within values are escaped.
    subject: certificate.subject.split('\n').join(', '),
    commonName: commonNameOf(certificate),
    names: Object.freeze(
      parseAlternativeNames(certificate.subjectAltName).map(({ kind, value }) => `${kind}:${value}`),
    ),
    fingerprint: certificate.fingerprint256,
    expiresMs: Date.parse(certificate.validTo),
  });
}
