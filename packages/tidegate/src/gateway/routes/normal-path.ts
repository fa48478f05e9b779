import { TidegateError } from '../../kernel/index.ts';

/** RFC 3986, section 2.3: what means the same whether or not it is encoded. */
const isUnreserved = (octet: number): boolean =>
  (octet >= 0x61 && octet <= 0x7a) ||
  (octet >= 0x41 && octet <= 0x5a) ||
  (octet >= 0x30 && octet <= 0x39) ||
  octet === 0x2d ||
  octet === 0x2e ||
  octet === 0x5f ||
  octet === 0x7e;

/** The value of a hexadecimal digit; -1 if it is none. */
function hexValue(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const lower = unit | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * A path in the form in which routes are matched and origins are asked, so that nobody reads it in another way than the route did
 * (RFC 3986, section 6.2.2): encoded letters, digits, `-`, `.`, `_` and `~` are decoded, the digits of other encoded octets are in upper
 * case, and `.` and `..` are resolved. All else stays as it was sent: `%2F` is no slash, `//` is an empty segment, `;` is a letter.
 * @param path the path of a target in origin form, without the query
 * @throws TidegateError http_malformed: a `%` without two hexadecimal digits, which origins read in different ways
 */
export function normalPath(path: string): string {
  const decoded = path.includes('%') ? withNormalEscapes(path) : path;
  return decoded.includes('/.') ? withoutDotSegments(decoded) : decoded;
}

function withNormalEscapes(path: string): string {
  let normal = '';
  let copied = 0;
  for (let at = path.indexOf('%'); at !== -1; at = path.indexOf('%', at + 1)) {
    const high = hexValue(path.charCodeAt(at + 1));
    const low = hexValue(path.charCodeAt(at + 2));
    if (high === -1 || low === -1)
      throw new TidegateError(
        'http_malformed',
        'In the path, a % is not followed by two hexadecimal digits.',
      );
    const octet = high * 16 + low;
    normal += path.slice(copied, at);
    normal += isUnreserved(octet) ? String.fromCharCode(octet) : path.slice(at, at + 3).toUpperCase();
    copied = at + 3;
  }
  return normal + path.slice(copied);
}

/** RFC 3986, section 5.2.4, for a path that begins with a slash. */
function withoutDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/');
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i];
    if (segment === '..') kept.pop();
    if (segment !== '.' && segment !== '..') kept.push(segment);
    else if (i === segments.length - 1) kept.push('');
  }
  return `/${kept.join('/')}`;
}

/** The path of a route's options in the form of `normalPath`: what is not ASCII is encoded as UTF-8. @throws as `normalPath` */
export function normalPathOfText(text: string): string {
  return normalPath(text.replace(/[\u0080-\uffff]+/g, (part) => encodeURIComponent(part.toWellFormed())));
}
