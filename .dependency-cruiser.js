/** @file The import order of ARCHITECTURE.md: a floor imports only from floors below it. */

const floors = ['core', 'numerics', 'runtime', 'nn', 'models', 'subjects', 'methods', 'catalogue', 'charts', 'cli'];
const src = '^packages/salience/src/';
// The catalogue's floor is the files beside the folders: catalogue.ts, keep.ts, ledger.ts, papers.ts, index.ts.
const place = (floor) => (floor === 'catalogue' ? `${src}[^/]+\\.ts$` : `${src}${floor}/`);

export default {
  forbidden: [
    ...floors.slice(0, -1).map((floor, f) => ({
      name: `${floor}-imports-downwards`,
      comment: `${floor} imports nothing of the floors above it: ${floors.slice(f + 1).join(', ')}`,
      severity: 'error',
      from: { path: place(floor), pathNot: '\\.test\\.ts$' },
      to: { path: floors.slice(f + 1).map(place) },
    })),
    {
      name: 'methods-do-not-import-methods',
      comment: 'what two methods share moves down a floor; a claim may import its family as baselines',
      severity: 'error',
      from: { path: `${src}methods/[^/]+/([^/.]+)\\.ts$`, pathNot: '/index\\.ts$' },
      to: { path: `${src}methods/` },
    },
    {
      name: 'families-do-not-import-families',
      comment: 'a claim or a test may import its own family only',
      severity: 'error',
      from: { path: `${src}methods/([^/]+)/` },
      to: { path: `${src}methods/`, pathNot: `${src}methods/$1/` },
    },
    {
      name: 'core-and-numerics-run-in-browsers',
      comment: 'only the worker pool and its worker, loaded when a run has threads, may name Node’s modules',
      severity: 'error',
      from: { path: `${src}(core|numerics)/`, pathNot: ['\\.test\\.ts$', 'core/worker(-pool)?\\.ts$'] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unlisted-packages',
      severity: 'error',
      from: { path: src, pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    { name: 'resolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
};
