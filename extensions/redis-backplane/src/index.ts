export {
  backplaneDefaults,
  RedisBackplane,
  type BackplaneListener,
  type RedisBackplaneOptions,
} from './backplane.ts';
export type { DocumentHandlers } from './document-channel.ts';
export {
  DocumentPosition,
  type DocumentPositionOptions,
  type DocumentPositionPort,
  type LogPage,
  type LostReason,
} from './document-position.ts';
export { guardDelivery, Replica, type ReplicaEvents, type ReplicaOptions } from './replica.ts';
export { createClient as createRedisClient, type RedisTarget } from './redis-options.ts';
export {
  Vigilance,
  type DocumentHead,
  type ReadHeads,
  type VigilanceOptions,
  type Watched,
} from './vigilance.ts';
export {
  RedisBackplaneExtension,
  type LogExtension,
  type RedisBackplaneExtensionOptions,
} from './extension.ts';
