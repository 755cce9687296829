export { applyStates } from './apply-states.ts';
export {
  AWARENESS_LIMITS,
  encodeAwareness,
  readAwarenessFrame,
  type AwarenessEntry,
  type AwarenessLimits,
} from './awareness-frame.ts';
export {
  AwarenessGate,
  RELAYED_LIMITS,
  type AwarenessGateOptions,
  type AwarenessVerdict,
  type ObservedAwareness,
} from './awareness-gate.ts';
export type { AwarenessSession } from './client-claims.ts';
export type { AwarenessState } from './awareness-state.ts';
export { stampedUser, type StampedUser } from './identity.ts';
export { MemoryPresence, type MemoryPresenceOptions } from './memory-presence.ts';
export {
  PRESENCE_GRACE_MS,
  type PresenceAnnouncement,
  type PresenceEntry,
  type PresenceListener,
  type PresenceRegistry,
} from './registry.ts';
export { redisPresenceDefaults, RedisPresence, type RedisPresenceOptions } from './redis-presence.ts';
export { PresenceExtension, type PresenceExtensionOptions } from './extension.ts';
