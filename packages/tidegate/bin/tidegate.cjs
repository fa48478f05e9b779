#!/usr/bin/env node
'use strict';
// The entry of the program. Plain JavaScript, because it must still explain itself on a runtime that cannot read the rest.

require('./check-runtime.cjs').checkRuntime(__dirname);
require('./prelude.cjs').prepare();
void import('../src/cli/index.ts').then((cli) => cli.main(process.argv.slice(2)));
