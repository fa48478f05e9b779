'use strict';
// The thread in which a large config file is read while the server goes on. Started by the process of the server; of no use to anybody else.

require('./prelude.cjs').prepare();
void import('../src/config/load-thread.ts').then((thread) => thread.answer());
