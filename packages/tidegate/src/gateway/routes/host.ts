const COLON = 0x3a;
const DOT = 0x2e;
const OPENING_BRACKET = 0x5b;

/** The name of a Host field: in lower case, without the port and without the dot that ends a complete name. */
export function hostName(host: string): string {
  if (host.charCodeAt(0) === OPENING_BRACKET) return host.slice(0, host.indexOf(']') + 1).toLowerCase();
  let end = 0;
  let hasCapitals = false;
  for (; end < host.length; end++) {
    const unit = host.charCodeAt(end);
    if (unit === COLON) break;
    if (unit >= 0x41 && unit <= 0x5a) hasCapitals = true;
  }
  if (end > 0 && host.charCodeAt(end - 1) === DOT) end--;
  const name = end === host.length ? host : host.slice(0, end);
  return hasCapitals ? name.toLowerCase() : name;
}
