import { parseArgs } from 'node:util';
import { Crowd } from './crowd.ts';
import { openFilesMax } from './open-files.ts';

const HELP = `Clients that watch the counter, each on a connection of its own, until Ctrl-C.

  node examples/live-counter/viewers.ts [options]

  --count N   how many (10000); as many as this process may open files, at most
  --url URL   where the counter is (http://127.0.0.1:8080/counter)
`;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    url: { type: 'string', default: 'http://127.0.0.1:8080/counter' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
} else {
  const crowd = new Crowd(values.url);
  process.once('SIGINT', () => {
    crowd.close();
    process.stdout.write(
      `${crowd.received} counts came, ${crowd.wrong} of them not the next one; ${crowd.lost} streams were lost.\n`,
    );
  });
  await crowd.add(Math.min(Number(values.count), openFilesMax()));
  process.stdout.write(`${crowd.size} clients watch ${values.url}. Ctrl-C says what came.\n`);
}
