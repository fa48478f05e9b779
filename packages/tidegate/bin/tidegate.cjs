#!/usr/bin/env node
'use strict';
// The entry of the program. Plain JavaScript, because it must still explain itself on a runtime that cannot read the rest.

var fs = require('fs');
var os = require('os');
var path = require('path');

require('./check-runtime.cjs').checkRuntime(__dirname);

/** Node 22 announces type stripping as experimental on every start; users can do nothing about it. */
function silenceTypeStrippingWarning() {
  var emitWarning = process.emitWarning;
  process.emitWarning = function (warning) {
    if (/type stripping/i.test(String(warning))) return;
    emitWarning.apply(process, arguments);
  };
}

/** Where compiled code is kept between starts: beside the dependencies in a checkout, otherwise in the user's cache folder. */
function compileCacheFolder() {
  var dependencies = path.resolve(__dirname, '../../../node_modules');
  try {
    fs.accessSync(dependencies, fs.constants.W_OK);
    return path.join(dependencies, '.cache', 'tidegate');
  } catch (unwritable) {
    return path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'tidegate');
  }
}

/** Starting from compiled code is a matter of speed only, so that no failure of it matters. */
function enableCompileCache() {
  try {
    require('module').enableCompileCache(process.env.NODE_COMPILE_CACHE || compileCacheFolder());
  } catch (unavailable) {
    // For example, a user without a home folder.
  }
}

silenceTypeStrippingWarning();
enableCompileCache();
void import('../src/cli/index.ts').then((cli) => cli.main(process.argv.slice(2)));
