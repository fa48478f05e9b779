import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/**
 * An SSE subscriber on a bare socket, which a test can stop reading from. Understands just enough to take numbered messages
 * apart: chunk framing is removed, and each `data:` line is taken for a number.
 */
export class EventStreamReader {
  readonly #socket: Socket;
  readonly #seen: (sequence: number, lastEventId: string) => void;
  #rest = '';
  #body = '';
  #headDone = false;
  #id = '';
  received = 0;

  private constructor(socket: Socket, seen: (sequence: number, lastEventId: string) => void) {
    this.#socket = socket;
    this.#seen = seen;
    socket.setEncoding('latin1');
    socket.on('data', (text: unknown) => this.#take(String(text)));
    socket.on('error', () => {});
  }

  static async open(
    port: number,
    target: string,
    seen: (sequence: number, lastEventId: string) => void,
  ): Promise<EventStreamReader> {
    const socket = connect(port, '127.0.0.1');
    const reader = new EventStreamReader(socket, seen);
    await once(socket, 'connect');
    socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n`);
    while (!reader.#headDone) await new Promise((resolve) => setTimeout(resolve, 5));
    return reader;
  }

  /** Leaves what arrives in the system's buffers. */
  stopReading(): void {
    this.#socket.pause();
  }

  goOn(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#rest += text;
    if (!this.#headDone) {
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end === -1) return;
      if (!this.#rest.startsWith('HTTP/1.1 200')) throw new Error(this.#rest.slice(0, end));
      this.#headDone = true;
      this.#rest = this.#rest.slice(end + 4);
    }
    for (;;) {
      const line = this.#rest.indexOf('\r\n');
      if (line === -1) break;
      const size = Number.parseInt(this.#rest.slice(0, line), 16);
      if (this.#rest.length < line + 2 + size + 2) break;
      this.#body += this.#rest.slice(line + 2, line + 2 + size);
      this.#rest = this.#rest.slice(line + 2 + size + 2);
    }
    const complete = this.#body.lastIndexOf('\n');
    if (complete === -1) return;
    for (const line of this.#body.slice(0, complete).split('\n')) {
      if (line.startsWith('id: ')) this.#id = line.slice(4);
      if (line.startsWith('data: ')) {
        this.received++;
        this.#seen(Number.parseInt(line.slice(6), 10), this.#id);
      }
    }
    this.#body = this.#body.slice(complete + 1);
  }
}
