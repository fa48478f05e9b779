/** What the sources under src/ must keep to, as data. The checks that read it are in `checks.ts`. */

/** A part of the server: a folder of src/, or a file directly in it. */
export interface FolderRule {
  /** The folders that it may import, through their doors. */
  readonly mayImport: readonly string[];
  /** Why it may import them; shown when somebody imports another. */
  readonly reason: string;
}

/**
 * Who may import whom. A folder is entered through its `index.ts`, through `port.ts` (what others need to know of it, types
 * mostly) or, by those in `OPTIONS_READERS`, through `options.ts`. Each protocol under edges/ and wire/ is a folder of its own.
 */
export const FOLDERS: Readonly<Record<string, FolderRule>> = {
  kernel: { mayImport: [], reason: 'the kernel is what everything stands on' },
  'wire/*': {
    mayImport: ['kernel'],
    reason: 'codecs turn bytes into frames and back, and know of nothing else',
  },
  log: { mayImport: ['kernel'], reason: 'the log stores records, whoever wants them' },
  channels: {
    mayImport: ['kernel', 'log'],
    reason: 'channels are read from the log, whichever protocol asks',
  },
  listeners: { mayImport: ['kernel', 'wire/*'], reason: 'listeners carry bytes, whatever they mean' },
  access: {
    mayImport: ['kernel', 'channels'],
    reason: 'access says who may use which channels how, whichever protocol they come by',
  },
  policies: {
    mayImport: ['kernel'],
    reason: 'a policy is a decision over a plain context, and knows no sockets',
  },
  gateway: {
    mayImport: ['kernel', 'wire/*', 'policies', 'channels', 'access', 'listeners'],
    reason: 'the gateway leads requests to origins, and answers of origins to channels',
  },
  'edges/*': {
    mayImport: ['kernel', 'wire/*', 'channels', 'access', 'listeners', 'edges'],
    reason: 'an edge speaks one protocol and sees channels, not the log and not other edges',
  },
  edges: {
    mayImport: ['kernel', 'wire/*', 'channels', 'access', 'listeners', 'edges/*'],
    reason: 'the router puts the edges together',
  },
  control: {
    mayImport: ['kernel', 'log', 'listeners', 'channels', 'access', 'gateway'],
    reason: 'the admin port shows the others through their ports',
  },
  workers: {
    mayImport: ['kernel'],
    reason: 'workers are processes and what they speak on, whatever they say',
  },
  config: {
    mayImport: ['kernel', 'listeners', 'log', 'channels', 'access', 'edges/*', 'gateway', 'workers'],
    reason: 'the config file is made of the options of the folders',
  },
  bindings: { mayImport: ['kernel'], reason: 'a binding puts a library behind an interface of the kernel' },
  cli: {
    mayImport: ['kernel', 'config', 'gateway', 'main.ts'],
    reason: 'commands talk to a server over the network, or read and write files of settings',
  },
  'main.ts': {
    mayImport: [
      'kernel',
      'log',
      'channels',
      'access',
      'listeners',
      'edges',
      'gateway',
      'control',
      'config',
      'bindings',
      'workers',
      'serving.ts',
      'worker.ts',
    ],
    reason: 'main puts the parts together',
  },
  'worker.ts': {
    mayImport: [
      'kernel',
      'log',
      'channels',
      'access',
      'listeners',
      'edges',
      'gateway',
      'control',
      'config',
      'bindings',
      'workers',
      'serving.ts',
    ],
    reason: 'a worker puts the parts together that serve beside the owner of the log',
  },
  'serving.ts': {
    mayImport: ['kernel', 'channels', 'access', 'listeners', 'edges', 'gateway', 'control', 'config'],
    reason: 'the owner of the log and a worker serve the public port in the same way',
  },
};

/** The files through which a folder may be entered. `options.ts` is open to those who read settings and resources. */
export const DOORS = ['index.ts', 'port.ts'] as const;
export const OPTIONS_DOOR = 'options.ts';
export const OPTIONS_READERS: readonly string[] = ['config', 'control', 'edges', 'cli'];

/** Folders whose subfolders are folders of their own. Such siblings never import each other. */
export const PARENTS: readonly string[] = ['edges', 'wire'];

/** Imports that are open to one file only: from, to. */
export const ONLY_FROM: readonly { readonly to: string; readonly from: string; readonly reason: string }[] = [
  {
    to: 'main.ts',
    from: 'cli/commands/start.ts',
    reason: 'only start loads the server; the other commands stay quick',
  },
];

/** Modules of Node that open servers or sockets, and who may use them. */
export const NETWORK_MODULES = ['net', 'http', 'https', 'tls', 'http2', 'dgram'] as const;
export const NETWORK_FOLDERS: readonly string[] = ['listeners', 'workers', 'gateway'];
/** Files elsewhere that use them, each with its reason. They open no servers. */
export const NETWORK_FILES: Readonly<Record<string, string>> = {
  'cli/certified-request.ts': 'fetch cannot show a certificate of the client',
};

/** What reaches for the machine's clock or its randomness, and the files that may. */
export const AMBIENT: readonly {
  readonly pattern: RegExp;
  readonly what: string;
  readonly files: readonly string[];
}[] = [
  {
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bhrtime\b/,
    what: 'the clock',
    files: ['kernel/clock.ts'],
  },
  {
    pattern: /\bset(?:Timeout|Interval|Immediate)\s*\(|['"](?:node:)?timers(?:\/promises)?['"]/,
    what: 'a timer',
    files: ['kernel/clock.ts'],
  },
  {
    pattern: /\bMath\.random\b|\brandom(?:Bytes|FillSync|Fill|UUID|Int)\b/,
    what: 'randomness',
    files: ['kernel/random.ts'],
  },
];

/** The most lines of a source file. */
export const LINES_MAX = 300;

/** Files that are longer, each with its reason. A file that is short enough again must leave the list. */
export const LONG_FILES: Readonly<Record<string, string>> = {
  'kernel/limits.ts': 'every limit of the server stands in one place, and nothing else does',
  'kernel/error-registry.ts': 'every error stands in one place, and nothing else does',
};

/** Names that say nothing of what is inside. */
export const BANNED_NAMES = /^(?:utils?|helpers?|managers?|services?|misc|common|lib)$/;

/** Words that must not stand in any file of the repository, with the reason. Spelled so that this file may hold them. */
export const BANNED_TEXT: readonly { readonly pattern: RegExp; readonly reason: string }[] = [
  {
    pattern: /\b(?:TO[D]O|FIX[M]E|XX[X])\b/,
    reason: 'leaves work to somebody else; do it, or open an issue',
  },
  { pattern: /(?:^|[\s"'`(=])\/(?:work|root|home|Users)\//m, reason: 'is a path of one machine' },
  {
    pattern: /https?:\/\/(?:registry|npm)\.[a-z]/,
    reason: 'is a registry, which is for each machine to choose',
  },
];

/** A parameter that is true or false says nothing at the call; a word or an options object does. */
export const BOOLEAN_PARAMETER = /[(,]\s*\w+\??: boolean\s*(?:=[^,)]*)?[,)]/;
