import type { Terminal } from './terminal.ts';

/** A server that has started, as far as its announcement tells. */
export interface Started {
  readonly publicUrl: string;
  readonly adminUrl: string;
  /** Where origins publish by GRIP; null if nowhere. */
  readonly gripUrl: string | null;
  /** Absolute. */
  readonly dataFolder: string;
  /** Whether only those with a credential may do anything, which the commands that are shown then have. */
  readonly asksForCredentials: boolean;
}

/** What curl needs besides the address. */
const CURL_CREDENTIAL = '-H "Authorization: Bearer $TIDEGATE_TOKEN" ';

/** A few lines for a person; one JSON object on one line for a program, which learns the ports from it. */
export function announcement(
  { publicUrl, adminUrl, gripUrl, dataFolder, asksForCredentials }: Started,
  { isInteractive }: Pick<Terminal, 'isInteractive'>,
): string {
  if (!isInteractive) {
    const told = { publicUrl, adminUrl, ...(gripUrl === null ? {} : { gripUrl }), dataFolder };
    return `${JSON.stringify(told)}\n`;
  }
  const credential = asksForCredentials ? CURL_CREDENTIAL : '';
  return [
    '',
    '  Tidegate is up.',
    '',
    `    public  ${publicUrl}`,
    `    admin   ${adminUrl}`,
    ...(gripUrl === null ? [] : [`    grip    ${gripUrl}`]),
    `    data    ${dataFolder}`,
    '',
    '  Subscribe in one terminal, publish in another:',
    '',
    `    curl ${credential}-N ${publicUrl}/v1/channels/greetings`,
    `    curl ${credential}-d hello ${publicUrl}/v1/channels/greetings`,
    '',
    ...(asksForCredentials
      ? ["  It asks for credentials: tidegate key create NAME --allow '#=publish,subscribe' makes one.", '']
      : []),
    '  Ctrl-C ends it.',
    '',
    '',
  ].join('\n');
}
