/**
 * The fuzz for as long as one likes:
 *
 *     node --conditions=weft-source extensions/guard/src/testing/fuzz-main.ts --seed 1 --seconds 600
 */
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, seconds: { type: 'string', default: '60' } },
});
const counts = fuzz({ seed: Number(values.seed), seconds: Number(values.seconds) });
process.stdout.write(`${JSON.stringify(counts)}\n`);
