import { createDatabase, runSeed, seededRandom, startWeft } from '@weft/harness';
import { inject, onTestFailed, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { SECONDS, STORM_ENVIRONMENT } from '../shared/storm/environment.ts';
import { Storm } from '../shared/storm/storm.ts';

const seed = runSeed();

test(`P7.29 honest people come through whatever hostile ones do (WEFT_SEED=${seed})`, async () => {
  const databaseUrl = await createDatabase(inject('postgresUrl'));
  const server = closing(await startWeft({ databaseUrl, env: STORM_ENVIRONMENT }));
  const storm = closing(new Storm({ instances: [{ name: 'only', server }], random: seededRandom(seed) }));
  onTestFailed(() => console.error(server.logs));
  await storm.begin();
  await storm.blow(SECONDS * 1_000);
  await storm.expectUnharmed();
  await storm.expectNothingLeft();
  await storm.expectCleanEnd();
});
