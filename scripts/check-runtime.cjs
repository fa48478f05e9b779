'use strict';
// Run by npm before scripts that are TypeScript, which a runtime that is too old could not even begin to explain.

require('../packages/tidegate/bin/check-runtime.cjs').checkRuntime(require('path').resolve(__dirname, '..'));
