import type { X509Certificate } from 'node:crypto';

/** One alternative name of a certificate: its kind, such as `DNS`, `IP Address`, `URI` or `email`, and its value. */
export interface AlternativeName {
  readonly kind: string;
  readonly value: string;
}

/** A kind, a colon, and a value that is quoted as in JSON if it holds anything that could be taken for the end of it. */
const NAME = /([A-Za-z][A-Za-z ]*):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;

/**
 * The alternative names as Node writes them in one line. A line that does not read as such a list to its end gives none: half of
 * one must not be believed.
 */
export function parseAlternativeNames(text: string | undefined): readonly AlternativeName[] {
  const names: AlternativeName[] = [];
  if (text === undefined) return names;
  NAME.lastIndex = 0;
  while (NAME.lastIndex < text.length) {
    const match = NAME.exec(text);
    const value = match === null ? null : plain(match[2]);
    if (match === null || value === null) return [];
    names.push({ kind: match[1], value });
  }
  return names;
}

function plain(value: string): string | null {
  if (!value.startsWith('"')) return value;
  try {
    return JSON.parse(value) as string;
  } catch {
    return null;
  }
}

/** The common name of a certificate's subject; empty if it has none, the first if it has several. */
export function commonNameOf(certificate: X509Certificate): string {
  const subject = certificate.toLegacyObject().subject as { readonly CN?: string | readonly string[] } | null;
  const name = subject?.CN ?? '';
  return typeof name === 'string' ? name : (name[0] ?? '');
}
