import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { TidegateError } from '../kernel/index.ts';
import { assertUsable, type ClientCertificate } from './certified-request.ts';
import type { OptionValues } from './command.ts';
import type { ServerAddress } from './requests.ts';
import type { Terminal } from './terminal.ts';

/** Where a server listens unless told otherwise. */
export const DEFAULT_URLS = { public: 'http://127.0.0.1:8080', admin: 'http://127.0.0.1:8081' } as const;

/** The variables that name the addresses, for those who do not want to repeat the option. */
export const URL_VARIABLES = { public: 'TIDEGATE_URL', admin: 'TIDEGATE_ADMIN_URL' } as const;

/** The variable that holds the credential, so that it stands in no list of processes and no history of a shell. */
export const TOKEN_VARIABLE = 'TIDEGATE_TOKEN';

const CREDENTIAL_OPTIONS = {
  token: {
    kind: 'text',
    value: 'TOKEN',
    description: `An API key or a token (default: ${TOKEN_VARIABLE})`,
  },
  'client-certificate': {
    kind: 'text',
    value: 'FILE',
    description: 'A certificate in PEM to show to a server that asks for one (mTLS)',
  },
  'client-key': { kind: 'text', value: 'FILE', description: 'Its private key in PEM, without a passphrase' },
} as const;

/** The options of commands that ask the public port. */
export const PUBLIC_OPTIONS = {
  url: {
    kind: 'text',
    value: 'URL',
    description: `The server (default: ${URL_VARIABLES.public} or ${DEFAULT_URLS.public})`,
  },
  ...CREDENTIAL_OPTIONS,
} as const;

/** The options of commands that ask the admin port. */
export const ADMIN_OPTIONS = {
  'admin-url': {
    kind: 'text',
    value: 'URL',
    description: `The server's admin port (default: ${URL_VARIABLES.admin} or ${DEFAULT_URLS.admin})`,
  },
  ...CREDENTIAL_OPTIONS,
} as const;

/**
 * The public port of a server: the options, else the environment, else the defaults.
 * @throws TidegateError arguments_invalid
 */
export function publicServer(
  options: OptionValues<typeof PUBLIC_OPTIONS>,
  terminal: Terminal,
): Promise<ServerAddress> {
  return serverAddress('public', options.url, options, terminal);
}

/** The same for the admin port. @throws TidegateError arguments_invalid */
export function adminServer(
  options: OptionValues<typeof ADMIN_OPTIONS>,
  terminal: Terminal,
): Promise<ServerAddress> {
  return serverAddress('admin', options['admin-url'], options, terminal);
}

async function serverAddress(
  port: 'public' | 'admin',
  given: string | undefined,
  options: OptionValues<typeof CREDENTIAL_OPTIONS>,
  { environment, workingFolder }: Terminal,
): Promise<ServerAddress> {
  const text = given ?? (environment[URL_VARIABLES[port]] || DEFAULT_URLS[port]);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TidegateError(
      'arguments_invalid',
      `${JSON.stringify(text)} is not an address such as ${DEFAULT_URLS[port]}`,
    );
  }
  const certificate = await clientCertificate(options, workingFolder);
  if (certificate !== undefined && url.protocol === 'http:') {
    throw new TidegateError(
      'arguments_invalid',
      `A certificate is shown over https:// only, and the address is ${url.origin}`,
    );
  }
  const token = options.token ?? (environment[TOKEN_VARIABLE] || undefined);
  return { url: url.href.replace(/\/+$/, ''), token, certificate };
}

async function clientCertificate(
  { 'client-certificate': certificateFile, 'client-key': keyFile }: OptionValues<typeof CREDENTIAL_OPTIONS>,
  workingFolder: string,
): Promise<ClientCertificate | undefined> {
  if (certificateFile === undefined && keyFile === undefined) return undefined;
  if (certificateFile === undefined || keyFile === undefined)
    throw new TidegateError('arguments_invalid', '--client-certificate and --client-key go together');
  try {
    const text = (file: string): Promise<string> => readFile(resolve(workingFolder, file), 'utf8');
    const certificate = { cert: await text(certificateFile), key: await text(keyFile) };
    await assertUsable(certificate);
    return certificate;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TidegateError(
      'arguments_invalid',
      `The certificate in ${certificateFile} with the key in ${keyFile} cannot be used: ${reason}`,
      { cause: error },
    );
  }
}
