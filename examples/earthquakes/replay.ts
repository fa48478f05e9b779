import { parseArgs } from 'node:util';
import { FEED_NAMES, type FeedName, readFeeds } from './feed/index.ts';
import { replay } from './replay/index.ts';

const HELP = `Replays earthquakes, stock prices and flights to a Tidegate server.

  node examples/earthquakes/replay.ts [options]

  --url URL       the server (http://127.0.0.1:8080)
  --speed FACTOR  how many seconds of the recorded week pass in one; max: all at once (1000: ten minutes)
  --feeds LIST    which feeds, separated by commas (${FEED_NAMES.join(',')})
  --loop          begin again after the end
  --run NAME      names the run: one repeated under the same name is not stored again (the time of the start)
`;

/** The message is for the person at the command line. */
class WrongArguments extends Error {}

function parseSpeed(text: string): number {
  const speed = text === 'max' ? Infinity : Number(text);
  if (!(speed > 0)) throw new WrongArguments(`--speed takes a positive number or max, not "${text}"`);
  return speed;
}

function parseFeeds(text: string): readonly FeedName[] {
  return text.split(',').map((name) => {
    const known = FEED_NAMES.find((feed) => feed === name);
    if (known === undefined)
      throw new WrongArguments(`there is no feed "${name}"; there are ${FEED_NAMES.join(', ')}`);
    return known;
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:8080' },
      speed: { type: 'string', default: '1000' },
      feeds: { type: 'string', default: FEED_NAMES.join(',') },
      loop: { type: 'boolean', default: false },
      run: { type: 'string', default: Date.now().toString(36) },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  await replay({
    feeds: await readFeeds(parseFeeds(values.feeds)),
    url: values.url.replace(/\/$/, ''),
    speed: parseSpeed(values.speed),
    run: values.run,
    repeat: values.loop ? 'forever' : 'once',
    print: (line) => process.stdout.write(`${line}\n`),
    signal: stop.signal,
  });
}

main().catch((error: NodeJS.ErrnoException) => {
  const wrongArguments = error instanceof WrongArguments || error.code?.startsWith('ERR_PARSE_ARGS') === true;
  process.stderr.write(wrongArguments ? `${error.message}\n\n${HELP}` : `${error.stack}\n`);
  process.exitCode = wrongArguments ? 2 : 1;
});
