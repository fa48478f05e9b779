import assert from 'node:assert/strict';
import test from 'node:test';
import type { WantedPurge } from '../../../src/edges/publish/port.ts';
import { readPurgeField } from '../../../src/edges/publish/purge-field.ts';
import { TidegateError } from '../../../src/kernel/index.ts';
import type { Headers } from '../../../src/listeners/index.ts';

/** What is read from fields with these values. */
function read(...values: readonly string[]): readonly WantedPurge[] | null {
  const all = (name: string): readonly string[] => (name === 'tidegate-purge' ? values : []);
  return readPurgeField({ get: (name: string) => all(name)[0], all } as unknown as Headers);
}

test('a request without the field purges nothing', () => {
  assert.equal(read(), null);
});

test('the field is a list of what is to be purged, which may be spread over several', () => {
  assert.deepEqual(read('url=https://a.example/b?c=d'), [{ url: 'https://a.example/b?c=d' }]);
  assert.deepEqual(read('url="https://a.example/b,c" , surrogate-key=user-42', 'Prefix=http://a/'), [
    { url: 'https://a.example/b,c' },
    { surrogateKey: 'user-42' },
    { prefix: 'http://a/' },
  ]);
  assert.deepEqual(read(',surrogate-key="a\\"b",,surrogate-key=c,'), [
    { surrogateKey: 'a"b' },
    { surrogateKey: 'c' },
  ]);
});

test('what cannot be read, or names nothing, is refused', () => {
  for (const value of [
    '',
    ' , ',
    'https://a.example/b',
    'url',
    'url=',
    'url="https://a',
    'url=https://a b',
    'uri=https://a.example/b',
    'surrogateKey=a',
    'url=a; prefix=b',
  ])
    assert.throws(
      () => read(value),
      (error) => error instanceof TidegateError && error.code === 'purge_invalid',
      value,
    );
});
