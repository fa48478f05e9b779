import assert from 'node:assert/strict';
import { type ErrorCode, TidegateError } from '../../../src/kernel/index.ts';

/** The detail of the error with which `action` fails; it must have this code. */
export function faultOf(code: ErrorCode, action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    assert.equal(error.code, code);
    assert.match(error.detail, /\.$/);
    return error.detail;
  }
  return assert.fail('There was no error.');
}

/** The result of `action`, or null if it fails with this code; any other error is thrown. */
export function resultOf<T>(code: ErrorCode, action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    if (error instanceof TidegateError && error.code === code) return null;
    throw error;
  }
}
