import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../src/config/index.ts';

test('a slip of the fingers finds the word that was meant', () => {
  const words = ['port', 'host', 'adminPort', 'durability'];
  assert.equal(nearest('prot', words), 'port');
  assert.equal(nearest('PORT', words), 'port');
  assert.equal(nearest('durabilty', words), 'durability');
  assert.equal(nearest('adminport', words), 'adminPort');
});

test('the beginning of a word finds it', () => {
  assert.equal(nearest('dur', ['port', 'durability']), 'durability');
  assert.equal(nearest('du', ['port', 'durability']), undefined);
});

test('a word that is not near any is not explained by one', () => {
  assert.equal(nearest('retention', ['port', 'host']), undefined);
  assert.equal(nearest('x', ['port', 'host']), undefined);
  assert.equal(nearest('port', []), undefined);
});
