/** From the door down: what each knows stands below it. */
const GATEWAY_FOLDERS = [
  'connection',
  'opening',
  'sync',
  'updates',
  'presence',
  'carried',
  'guard',
  'access',
  'session',
  'hocuspocus',
  'document',
  'fan-out',
  'wire',
];

const gatewayFolders = GATEWAY_FOLDERS.map((folder, index) => ({
  name: `gateway-${folder}-knows-only-what-stands-below-it`,
  severity: 'error',
  from: { path: `^server/src/gateway/${folder}/`, pathNot: '\\.test\\.ts$' },
  to: {
    path: `^server/src/gateway/(${['gateway\\.ts', 'parts\\.ts', ...GATEWAY_FOLDERS.slice(0, index).map((above) => `${above}/`)].join('|')})`,
  },
}));

/** The direction of the code: common ← extensions ← server. See docs/LIFECYCLE.md. */
module.exports = {
  forbidden: [
    // What does not resolve escapes every other rule.
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'common-does-no-io',
      severity: 'error',
      from: { path: '^extensions/common/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(node:)?(fs|net|tls|http|https|http2|dgram|dns|child_process|worker_threads)(/|$)' },
    },
    {
      name: 'the-gateway-is-read-from-its-door-down',
      comment: 'Not even by types: what runs against the way of an update is an event, joined in parts.ts.',
      severity: 'error',
      from: { path: '^server/src/gateway/' },
      to: { circular: true },
    },
    ...gatewayFolders,
    {
      name: 'no-cycles',
      comment: 'Nor of types alone.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'common-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^extensions/common/' },
      to: { path: '^(extensions/(?!common/)|server|web-demo|e2e|bench)' },
    },
    {
      name: 'extensions-import-only-common',
      severity: 'error',
      from: { path: '^extensions/([^/]+)/', pathNot: '\\.test\\.ts$|/testing/' },
      to: { path: '^(extensions/(?!common/|$1/)|server|web-demo|e2e|bench)' },
    },
    {
      name: 'server-imports-no-tests',
      severity: 'error',
      from: { path: '^server/', pathNot: '\\.test\\.ts$|/testing/' },
      to: { path: '^(web-demo|e2e|bench)' },
    },
    {
      name: 'the-demo-speaks-only-to-the-public-interface',
      severity: 'error',
      from: { path: '^web-demo/' },
      to: { path: '^(extensions|server|e2e|bench)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['weft-source', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
