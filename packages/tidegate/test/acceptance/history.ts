/** All that is stored of a channel or a pattern, read page by page. */
export async function readHistory(url: string, pattern: string): Promise<readonly unknown[]> {
  const path = pattern.split('/').map(encodeURIComponent).join('/');
  const messages: unknown[] = [];
  let from = 'earliest';
  for (;;) {
    const response = await fetch(`${url}/v1/history/${path}?${new URLSearchParams({ from })}`);
    if (!response.ok) throw new Error(`the server answered ${response.status}: ${await response.text()}`);
    const page = (await response.json()) as { readonly messages: readonly unknown[]; readonly next: string };
    if (page.messages.length === 0) return messages;
    messages.push(...page.messages);
    from = page.next;
  }
}
