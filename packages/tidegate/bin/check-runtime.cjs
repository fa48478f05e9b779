'use strict';
// Written for old runtimes too: plain JavaScript of 2015, no syntax that Node 12 would refuse. It explains in one message why
// the runtime cannot run Tidegate, where Node itself would only report a syntax error in a file that is TypeScript.

var fs = require('fs');
var path = require('path');

/** The oldest Node that runs the sources: it strips types without a flag and has the APIs that the server uses. */
var OLDEST = [22, 22];

/** Whether a version such as `v22.22.0` is at least `OLDEST`. */
function isNewEnough(version) {
  var parts = version.replace(/^v/, '').split('.');
  var major = Number(parts[0]);
  return major > OLDEST[0] || (major === OLDEST[0] && Number(parts[1]) >= OLDEST[1]);
}

/** Whether `folder`, or one above it, holds the installed dependency `name`. */
function isInstalled(folder, name) {
  for (;;) {
    if (fs.existsSync(path.join(folder, 'node_modules', name, 'package.json'))) return true;
    var above = path.dirname(folder);
    if (above === folder) return false;
    folder = above;
  }
}

/** What is wrong with running Tidegate from `folder` on the runtime `version`; null if nothing is. */
function findProblem(version, folder) {
  if (!isInstalled(folder, 'yaml')) {
    return [
      'Tidegate cannot start: its dependencies are not installed.',
      'Run this in the folder that holds package-lock.json, then try again:',
      '',
      '    npm install',
    ].join('\n');
  }
  if (!isNewEnough(version)) {
    return [
      'Tidegate needs Node.js ' +
        OLDEST.join('.') +
        ' or newer, and this is ' +
        version +
        ' (' +
        process.execPath +
        ').',
      'The repository brings a runtime of its own, which npm scripts use. Install it, then start through npm:',
      '',
      '    npm install',
      '    npm start',
      '',
      'If that does not help, npm was told to leave out development dependencies (--omit=dev, NODE_ENV=production)',
      'or install scripts (--ignore-scripts): install without those, or put a newer node first on PATH.',
    ].join('\n');
  }
  return null;
}

/** Ends the process with the explanation if there is a problem. */
function checkRuntime(folder) {
  var problem = findProblem(process.version, folder);
  if (problem === null) return;
  process.stderr.write(problem + '\n');
  process.exit(1);
}

module.exports = { checkRuntime: checkRuntime, findProblem: findProblem, isNewEnough: isNewEnough };
