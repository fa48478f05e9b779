import { type Terminal, write } from './terminal.ts';

/** Where a message was stored, as `POST` answers it. */
export interface Receipt {
  readonly channel: string;
  readonly id: string;
  readonly cursor: string;
  readonly duplicate: boolean;
}

/** One line about one message. */
export async function printReceipt(
  receipt: Receipt,
  form: 'text' | 'json',
  terminal: Terminal,
): Promise<void> {
  const done = receipt.duplicate ? 'Was published before' : 'Published';
  const text = `${done} to ${receipt.channel}: id ${receipt.id}, cursor ${receipt.cursor}`;
  await write(terminal.output, `${form === 'json' ? JSON.stringify(receipt) : text}\n`);
}
