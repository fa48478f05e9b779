import { TidegateError } from '../../kernel/index.ts';
import type { OriginRequest } from '../origin/exchange.ts';

/** Where a request went, as the origin knows it. */
export interface LinkBase {
  /** The Host that the origin was asked for. */
  readonly authority: string;
  /** The host that the client asked for, by which an origin may call itself, too. */
  readonly publicAuthority: string;
  /** In origin form. */
  readonly target: string;
}

export function linkBaseOf(request: OriginRequest, publicAuthority: string): LinkBase {
  const { fields, target } = request;
  // Host comes first.
  return { authority: fields[1] ?? '', publicAuthority, target };
}

/**
 * The target of a link, in origin form. A link leads to the origin that gave it and nowhere else: an origin that can be made to name another
 * host would else be a way to whatever the gateway can reach.
 * @param uri a URI reference (RFC 3986, section 4.1), resolved against the request's own
 * @throws TidegateError grip_instruct_invalid
 */
export function linkTarget(uri: string, base: LinkBase): string {
  const own = URL.parse(`http://${base.authority}`) ?? URL.parse('http://origin');
  const url = own === null ? null : URL.parse(uri, new URL(base.target, own));
  if (own === null || url === null) throw refused(uri, 'cannot be read');
  if (url.username !== '' || url.password !== '') throw refused(uri, 'has a user');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refused(uri, 'is not for HTTP');
  if (url.host !== own.host && !isSame(url, base.publicAuthority))
    throw refused(uri, 'leads to another host');
  return url.pathname + url.search;
}

function isSame(url: URL, authority: string): boolean {
  return authority !== '' && URL.parse(`${url.protocol}//${authority}`)?.host === url.host;
}

const refused = (uri: string, why: string): TidegateError =>
  new TidegateError('grip_instruct_invalid', `The link ${JSON.stringify(uri)} ${why}.`);
