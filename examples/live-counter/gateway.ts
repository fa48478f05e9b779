const HOLDS = /^tidegate_grip_holds\{[^}]*mode="stream"[^}]*\} (\d+)/gm;
const PROCESSES = /^tidegate_workers (\d+)/gm;

/**
 * How many streams the gateway holds at this moment. Only the gateway knows: the app is done with a client as soon as it has answered.
 * @param adminUrl the gateway's admin port, `http://127.0.0.1:8081`
 * @returns null if the gateway does not say
 */
export function countViewers(adminUrl: string): Promise<number | null> {
  return sumOf(HOLDS, adminUrl);
}

/** How many processes of the gateway serve; null if it does not say. */
export function countProcesses(adminUrl: string): Promise<number | null> {
  return sumOf(PROCESSES, adminUrl);
}

async function sumOf(series: RegExp, adminUrl: string): Promise<number | null> {
  try {
    const response = await fetch(`${adminUrl}/metrics`);
    if (!response.ok) return null;
    const values = [...(await response.text()).matchAll(series)].map(([, value]) => Number(value));
    return values.reduce((sum, value) => sum + value, 0);
  } catch {
    return null;
  }
}

/** What was published last to a channel whose messages are numbers; 0 if nothing was. */
export async function lastPublished(publicUrl: string, channel: string): Promise<number> {
  const response = await fetch(`${publicUrl}/v1/history/${channel}?from=-1`);
  if (!response.ok) throw new Error(`The history of ${channel} cannot be read: ${response.status}`);
  const { messages } = (await response.json()) as {
    readonly messages: readonly { readonly data: unknown }[];
  };
  return Number(messages.at(-1)?.data ?? 0);
}
