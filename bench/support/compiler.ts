import { execFileSync } from 'node:child_process';
import { nativeProgram } from './native.ts';

/** Whether the load generators can be compiled here, for tests that are about them. */
export function hasCompiler(): boolean {
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Whether those that speak TLS can be compiled here, and a certificate be made for their server. */
export function hasOpenSsl(): boolean {
  try {
    nativeProgram('handshake');
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
