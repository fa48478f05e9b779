'use strict';
// What every process of the program does before it reads the sources. Plain JavaScript, for runtimes that cannot read the rest.

var fs = require('fs');
var os = require('os');
var path = require('path');

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

/** Call before anything of src/ is loaded. */
function prepare() {
  silenceTypeStrippingWarning();
  enableCompileCache();
}

module.exports = { prepare: prepare };
