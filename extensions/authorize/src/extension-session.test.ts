import { until } from '@weft/harness';
import { expect, test } from 'vitest';
import { ExtensionSession } from './extension-session.ts';
import { Gate } from './gate.ts';
import { EDITOR, VIEWER } from './role.ts';
import type { Resolution } from './source.ts';
import { person, plan } from './testing/fixtures.ts';

test('P4.2 an answer that was on its way when rights changed is not the one that is kept', async () => {
  const answers: ((resolution: Resolution) => void)[] = [];
  const source = { resolve: () => new Promise<Resolution>((resolve) => answers.push(resolve)) };
  const session = new ExtensionSession({
    gate: new Gate({ sources: [source] }),
    clock: { now: () => 0 },
    principal: person('alice'),
    key: plan,
  });
  const asked = session.access();
  await until(() => answers.length === 1);
  session.invalidate();
  answers[0]?.({ roles: [EDITOR] });
  await until(() => answers.length === 2);
  answers[1]?.({ roles: [VIEWER] });
  expect(await asked).toMatchObject({ role: VIEWER });
  expect(await session.access()).toMatchObject({ role: VIEWER });
  expect(answers).toHaveLength(2);
});
