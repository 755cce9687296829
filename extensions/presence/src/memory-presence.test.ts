import { MemoryPresence } from './memory-presence.ts';
import { CONTRACT_GRACE_MS, presenceContract } from './testing/contract.ts';

presenceContract('the memory of one instance', async () => {
  const registry = new MemoryPresence({ instance: 'one', grace: CONTRACT_GRACE_MS });
  await registry.start();
  return registry;
});
