/** @file The import order of ARCHITECTURE.md: a floor imports only from floors below it. */

const floors = ['core', 'numerics', 'runtime', 'nn', 'models', 'subjects', 'methods', 'catalogue', 'charts', 'cli'];
const src = '^packages/salience/src/';
// The catalogue's floor is the files beside the folders: catalogue.ts, keep.ts, ledger.ts, papers.ts, index.ts.
const place = (floor) => (floor === 'catalogue' ? `${src}[^/]+\\.ts$` : `${src}${floor}/`);

// The feed's floors, from the lowest. Its built files are read, since the parser knows no JSX; browser/ is bundled, so its sources are.
const app = '^apps/papers/dist/';
const appFloors = ['database', 'jobs', 'security', 'papers', 'search', 'digest', 'mail', 'people', 'ingest', 'runs'];
const shown = ['feeds', 'api', 'pages'];

export default {
  forbidden: [
    {
      name: 'what-is-shown-stands-above-what-is-known',
      comment: `in the feed, ${appFloors.join(', ')} import nothing of ${shown.join(', ')}`,
      severity: 'error',
      from: { path: `${app}(${appFloors.join('|')})/` },
      to: { path: `${app}(${shown.join('|')})/`, pathNot: `${app}pages/context\\.js$` },
    },
    ...['database', 'jobs', 'papers'].map((floor, f, lowest) => ({
      name: `papers-${floor}-imports-downwards`,
      comment: `${floor} imports ${lowest.slice(0, f).join(', ') || 'no other floor'} alone`,
      severity: 'error',
      from: { path: `${app}${floor}/` },
      to: { path: `${app}[^/]+/`, pathNot: [floor, ...lowest.slice(0, f)].map((below) => `${app}${below}/`) },
    })),
    {
      name: 'the-feed-uses-the-library-as-anybody',
      comment: 'apps import salience by its published paths',
      severity: 'error',
      from: { path: app },
      to: { path: '^packages/salience/src/' },
    },
    {
      name: 'pages-in-browsers-use-no-server',
      comment:
        'custom elements are bundled; beside their own they use what is said once for both sides, which names no module of Node’s',
      severity: 'error',
      from: { path: '^apps/papers/src/browser/' },
      to: {
        path: '^apps/papers/',
        pathNot:
          '^apps/papers/src/(browser/|runs/(result|order|form|command-line)\\.ts$|pages/methods/report-tree\\.ts$)',
      },
    },
    ...floors.slice(0, -1).map((floor, f) => ({
      name: `${floor}-imports-downwards`,
      comment: `${floor} imports nothing of the floors above it: ${floors.slice(f + 1).join(', ')}`,
      severity: 'error',
      from: { path: place(floor), pathNot: '\\.test\\.ts$' },
      to: { path: floors.slice(f + 1).map(place) },
    })),
    {
      name: 'methods-do-not-import-methods',
      comment:
        'what two methods share moves down a floor; a claim may import its family as baselines, a method its own report',
      severity: 'error',
      from: { path: `${src}methods/([^/]+)/([^/.]+)\\.ts$`, pathNot: '/index\\.ts$' },
      to: { path: `${src}methods/`, pathNot: `${src}methods/$1/$2\\.report\\.ts$` },
    },
    {
      name: 'reports-import-no-methods',
      comment: 'a report is told what its method found',
      severity: 'error',
      from: { path: `${src}methods/[^/]+/[^/]+\\.report\\.ts$` },
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
    // A test of a browser's piece starts a server, whose sources have JSX.
    exclude: { path: ['^apps/papers/dist/public/', '^apps/papers/src/browser/.*\\.test\\.ts$'] },
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
};
