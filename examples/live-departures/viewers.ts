const FOLLOWERS = /^tidegate_live_subscribers\{[^}]*\} (\d+)/gm;

/**
 * How many follow a live route at this moment. Only the gateway knows: the origin sees one request for all of them.
 * @param adminUrl the gateway's admin port, `http://127.0.0.1:8081`
 * @returns null if the gateway does not say
 */
export async function countViewers(adminUrl: string): Promise<number | null> {
  try {
    const response = await fetch(`${adminUrl}/metrics`);
    if (!response.ok) return null;
    const counts = [...(await response.text()).matchAll(FOLLOWERS)].map(([, count]) => Number(count));
    return counts.reduce((sum, count) => sum + count, 0);
  } catch {
    return null;
  }
}
