import { MASKED_SECRET, TidegateError } from '../../kernel/index.ts';
import { parseSignatureKey } from '../../wire/grip/index.ts';

/** What is wrong with a key that Grip-Sig is signed or checked with; null if nothing is. The key itself is never named. */
export function signatureKeyProblem(key: string | undefined): string | null {
  if (key === undefined) return null;
  if (key === MASKED_SECRET)
    return `${MASKED_SECRET} stands for the secret of a stored route, and there is none here`;
  try {
    parseSignatureKey(key);
    return null;
  } catch (error) {
    return TidegateError.from(error).detail.replace(/\.$/, '');
  }
}
