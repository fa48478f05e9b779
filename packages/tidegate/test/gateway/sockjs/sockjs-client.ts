import { createRequire } from 'node:module';
import { until } from '../../listeners/lab.ts';

/** What is used of the library, which brings no types. */
interface LibrarySocket {
  readonly transport: string;
  onopen: () => void;
  onmessage: (event: { readonly data: string }) => void;
  onclose: (event: { readonly code: number; readonly reason: string }) => void;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

const SockJS = createRequire(import.meta.url)('sockjs-client') as new (
  url: string,
  protocols: null,
  options: { readonly transports: readonly string[] },
) => LibrarySocket;

/** All transports that the library has in Node.js. */
export const TRANSPORTS = ['websocket', 'xhr-streaming', 'eventsource', 'xhr-polling'] as const;

/** The unchanged client library, and what it says. */
export class SockJsClient {
  readonly messages: string[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  readonly #socket: LibrarySocket;

  private constructor(socket: LibrarySocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.messages.push(data);
    socket.onclose = ({ code, reason }) => {
      this.closed = { code, reason };
    };
  }

  /** Connects by this transport and no other. */
  static async open(url: string, transport: string): Promise<SockJsClient> {
    const socket = new SockJS(url, null, { transports: [transport] });
    const client = new SockJsClient(socket);
    let isOpen = false;
    socket.onopen = () => {
      isOpen = true;
    };
    await until(
      () => isOpen || client.closed !== null,
      () => `${transport} to be open`,
    );
    if (!isOpen) throw new Error(`${transport} was not opened: ${JSON.stringify(client.closed)}`);
    return client;
  }

  get transport(): string {
    return this.#socket.transport;
  }

  send(...texts: readonly string[]): void {
    for (const text of texts) this.#socket.send(text);
  }

  async heard(...messages: readonly string[]): Promise<void> {
    await until(
      () => this.messages.length >= messages.length,
      () => `${JSON.stringify(messages)} in ${JSON.stringify(this.messages)}`,
    );
    const received = this.messages.splice(0);
    if (JSON.stringify(received) !== JSON.stringify(messages))
      throw new Error(`${JSON.stringify(received)} came in place of ${JSON.stringify(messages)}`);
  }

  async isClosed(): Promise<{ readonly code: number; readonly reason: string }> {
    await until(
      () => this.closed !== null,
      () => 'the close',
    );
    return this.closed as { code: number; reason: string };
  }

  close(): void {
    this.#socket.close();
  }
}
