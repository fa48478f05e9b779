'use strict';
// A worker: a further process of a server. Started by the process that owns the log, with which it speaks over a pipe; of no use to anybody else.

require('./prelude.cjs').prepare();
void import('../src/worker.ts').then((worker) => worker.runWorker());
