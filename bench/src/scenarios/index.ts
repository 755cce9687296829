import { acknowledgements } from './acknowledgements.ts';
import { clusterTyping } from './cluster.ts';
import { hotDocuments } from './hot-document.ts';
import { kill } from './kill.ts';
import { memory } from './memory.ts';
import { clusterJoinStorm, coldOpen, hugeJoinStorm, joinStorm, warmOpen } from './opening.ts';
import { presence } from './presence.ts';
import type { Scenario } from './scenario.ts';
import { smallDocuments } from './small-documents.ts';

const [presenceAlone, presenceInCluster] = presence;

/** In the order of the report. */
export const SCENARIOS: readonly Scenario[] = [
  ...hotDocuments,
  smallDocuments,
  ...acknowledgements,
  coldOpen,
  warmOpen,
  joinStorm,
  memory,
  kill,
  ...(presenceAlone ? [presenceAlone] : []),
  hugeJoinStorm,
  ...clusterTyping,
  clusterJoinStorm,
  ...(presenceInCluster ? [presenceInCluster] : []),
];
