import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkBaseOf, linkTarget } from '../../../src/gateway/grip/link-target.ts';

const base = linkBaseOf(
  {
    method: 'GET',
    target: '/a/b?c=d',
    fields: ['Host', 'origin.test:8000', 'X-Other', 'x'],
    bodyBytes: 0,
    upgrade: null,
    expects: 'nothing',
  },
  'www.example',
);

test('a link is resolved against the URI of the request (RFC 3986, section 5)', () => {
  for (const [uri, target] of [
    ['/x', '/x'],
    ['x?y=1', '/a/x?y=1'],
    ['?y=2', '/a/b?y=2'],
    ['../z#part', '/z'],
    ['./', '/a/'],
    ['http://origin.test:8000/q', '/q'],
    ['//origin.test:8000/q', '/q'],
    ['http://www.example/q', '/q'],
    ['https://www.example/q?r', '/q?r'],
    ['http://WWW.example:80', '/'],
  ]) {
    assert.equal(linkTarget(uri, base), target, uri);
  }
});

test('a link to anywhere else is refused, whatever it is called', () => {
  for (const uri of [
    'http://elsewhere.example/',
    '//169.254.169.254/latest',
    'http://127.0.0.1/',
    'http://[::1]:8000/',
    'http://origin.test/',
    'http://origin.test:8001/',
    'http://www.example:8080/',
    'http://user@www.example/',
    'http://origin.test:8000:80/',
    'ftp://origin.test:8000/x',
    'file:///etc/passwd',
    'http://',
  ]) {
    assert.throws(() => linkTarget(uri, base), { code: 'grip_instruct_invalid' }, uri);
  }
});
